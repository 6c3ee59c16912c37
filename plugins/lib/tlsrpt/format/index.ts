/**
 * TLS reports: who wants them, what is in them, and what they are called (RFC 8460). It sends nothing and keeps nothing.
 *
 * @module
 */

export { composeReport } from './compose'
export type { AppliedPolicy, FailureFacts, PolicyFacts, ReportFacts } from './compose'
export type { ReportEndpoint } from './endpoint'
export { ReportError } from './error'
export { fitReport, FOLDED, transmittedSize } from './fit'
export type { FittedReport } from './fit'
export { canonicalAddress } from './ip-address'
export { mailboxDomainOf, readAddress } from './mailbox'
export { makeReportId, mediaTypes, reportFileName, reportHeaders } from './names'
export { periodAt, periodsBetween } from './period'
export type { Period, PeriodLength } from './period'
export { stsStrings, tlsaStrings } from './policy-strings'
export { readTlsrptRecord, tlsrptRecordName } from './record'
export { policyTypes, reportText, resultTypes } from './report'
export type { FailureDetail, PolicyReport, PolicyType, Report, ReportedPolicy, ResultType } from './report'
