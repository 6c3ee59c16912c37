/**
 * What a report is called, in its file name, its subject and its header fields (RFC 8460 §5.1 and §5.3).
 *
 * @module
 */

import { aLabels, ReportError } from './error'
import { lastSecond, type Period } from './period'

/** R18: the mail as a whole, and the report in it, or in a POST (R23). */
export const mediaTypes = {
  mail: 'multipart/report; report-type="tlsrpt"',
  gzip: 'application/tlsrpt+gzip',
  json: 'application/tlsrpt+json',
} as const

/** Who reports about whom. */
export interface ReportParties {
  /** the domain of contact-info, in A-labels (R19) */
  readonly submitter: string
  /** whose TLSRPT record asked for the report */
  readonly policyDomain: string
}

/**
 * The id of a report, fit for its subject too: `20270131T00Z.UNIQUE@submitter`, with the hour at which its period begins.
 *
 * @param unique - letters and digits that no other report of this submitter has; at most 64
 */
export function makeReportId(submitter: string, period: Period, unique: string): string {
  const hour = new Date(period.start).toISOString().slice(0, 13).replaceAll('-', '')
  return `${hour}Z.${alphanumeric(unique)}@${aLabels(submitter)}`
}

/**
 * The name of the file (R16): `sender!policy-domain!begin!end!unique.json.gz`, times in seconds since 1970, as in the report.
 *
 * @param unique - letters and digits, as in {@link makeReportId}
 */
export function reportFileName(
  { submitter, policyDomain }: ReportParties,
  period: Period,
  unique?: string,
  extension: 'json' | 'json.gz' = 'json.gz',
): string {
  const times = [period.start / 1000, lastSecond(period)]
  const id = unique === undefined ? [] : [alphanumeric(unique)]
  return `${[aLabels(submitter), aLabels(policyDomain), ...times, ...id].join('!')}.${extension}`
}

/** The header fields by which a report is found and told from its own repetition (R19, R20). Not folded; long ones need it. */
export function reportHeaders(parties: ReportParties, reportId: string): Readonly<Record<string, string>> {
  const domain = aLabels(parties.policyDomain)
  const submitter = aLabels(parties.submitter)
  return {
    Subject: `Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${reportId}>`,
    'TLS-Report-Domain': domain,
    'TLS-Report-Submitter': submitter,
  }
}

function alphanumeric(unique: string): string {
  if (!/^[A-Za-z0-9]{1,64}$/.test(unique))
    throw new ReportError('report-id', `not a unique id: ${JSON.stringify(unique)}`)
  return unique
}
