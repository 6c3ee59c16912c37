/**
 * What we say ourselves must be right. Where it is not, this program has a mistake: that is an exception.
 *
 * @module
 */

import { toAsciiDomain } from '../../dns'

/** A report cannot be composed from these facts: a mistake of ours, never of a remote party. */
export class ReportError extends Error {
  readonly about: 'counts' | 'domain' | 'address' | 'contact' | 'period' | 'report-id' | 'policies'

  constructor(about: ReportError['about'], message: string) {
    super(message)
    this.name = 'ReportError'
    this.about = about
  }
}

/**
 * A domain in lower-case A-labels (R12, R16).
 *
 * @throws {@link ReportError} where it is no domain
 */
export function aLabels(name: string): string {
  const domain = toAsciiDomain(name)
  if (domain === undefined) throw new ReportError('domain', `not a domain: ${JSON.stringify(name)}`)
  return domain
}
