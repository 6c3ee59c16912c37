/**
 * Reports in the forms that senders use, and what each of them says.
 *
 * @module
 */

import type {
  NoteCode,
  ReceivedPolicy,
  ReceivedReport,
  RefusalCode,
} from '../../../../../dist/lib/tlsrpt/parsing/index.js'

export interface Specimen {
  readonly name: string
  /** the bytes of the part or file, whether or not they are gzip */
  readonly content: Buffer
  readonly expected: Expected
}

export type Expected =
  { readonly report: ReceivedReport; readonly notes: readonly NoteCode[] } | { readonly refusal: RefusalCode }

/** All reports of the corpus are read a day after what they are about. */
export const DAY = 86_400_000
export const start = Date.UTC(2026, 8, 30)
export const end = start + DAY - 1000
export const now = end + DAY

export const dates = { 'start-datetime': '2026-09-30T00:00:00Z', 'end-datetime': '2026-09-30T23:59:59Z' }

export const stsStrings = ['version: STSv1', 'mode: enforce', 'mx: mx1.example.org', 'max_age: 604800']
export const tlsaString = '3 1 1 8CB0FC6C527506A053F4F14C8464BEBBD6DEDE2738D11468DD953D7D6A3021F1'

/** A sender and what it says of itself. */
export interface Sender {
  readonly organization: string
  readonly contact: string
}

export function report(
  sender: Sender,
  reportId: string,
  policies: readonly ReceivedPolicy[],
  more: Partial<ReceivedReport> = {},
): ReceivedReport {
  const contactDomain = sender.contact.slice(sender.contact.indexOf('@') + 1)
  return { ...sender, contactDomain, reportId, start, end, policies, ...more }
}

export function policy(type: ReceivedPolicy['type'], more: Partial<ReceivedPolicy>): ReceivedPolicy {
  return { type, domain: 'example.org', strings: [], mx: [], successes: 0, failures: 0, details: [], ...more }
}

/** As JSON without white space. */
export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

export const counts = (successes: number, failures: number): object => ({
  'total-successful-session-count': successes,
  'total-failure-session-count': failures,
})
export const sts = { 'policy-type': 'sts', 'policy-string': stsStrings, 'policy-domain': 'example.org' }
export const tlsa = { 'policy-type': 'tlsa', 'policy-string': [tlsaString], 'policy-domain': 'mx1.example.org' }
export const none = { 'policy-type': 'no-policy-found', 'policy-domain': 'example.org' }

export const stsRead = { strings: stsStrings }
export const expired = {
  'result-type': 'certificate-expired',
  'sending-mta-ip': '209.85.160.200',
  'receiving-ip': '192.0.2.25',
  'receiving-mx-hostname': 'mx1.example.org',
  'failed-session-count': 7,
}
export const expiredRead = {
  type: 'certificate-expired',
  sendingAddress: '209.85.160.200',
  receivingHost: 'mx1.example.org',
  receivingAddress: '192.0.2.25',
  count: 7,
}
