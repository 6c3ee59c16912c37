/**
 * All reports that can be read, and those that cannot.
 *
 * @module
 */

export { appendixBReports } from './appendix-b.ts'
export { bentReports, refusedReports } from './bent.ts'
export { googleReports } from './google.ts'
export { microsoftReports } from './microsoft.ts'
export { moxReports } from './mox.ts'
export { otherReports } from './others.ts'
export { postfixReports } from './postfix.ts'
export { smallReports } from './small.ts'
export { stalwartReports } from './stalwart.ts'
