/**
 * A report by HTTPS (RFC 8460 §5.4, R23).
 *
 * The RFC allows to ignore what is wrong with the receiver's certificate. We do not: the report would go to any host that poses as the receiver, and
 * there is time to mend a certificate for as long as reports are tried again.
 *
 * @module
 */

import type { HttpsClient } from '../../https'
import type { OutgoingReport, Transmission } from '../sending'
import { mediaTypes } from '../format'

/** The receiver has said when it wants to be asked again (RFC 9110 §10.2.3). */
const LATER = new Set([429, 503])

/** The receiver has said that the same report will never do: it is too large, or it takes no reports any more. */
const FINAL = new Set([410, 413])

/**
 * Sends a report to an endpoint, once. Redirects are not followed (the receiver would decide where to go), and of the answer only the status is
 * read, and the time that it wants to be left alone. Does not reject.
 */
export async function postReport(ask: HttpsClient, report: OutgoingReport, url: string): Promise<Transmission> {
  const parsed = URL.parse(url)
  if (parsed?.protocol !== 'https:') return { status: 'failed', isFinal: true, note: 'not an https URL' }
  let status = 0
  let retryAfter: number | undefined
  const asked = await ask({
    host: parsed.hostname,
    port: parsed.port === '' ? 443 : Number(parsed.port),
    method: 'POST',
    path: parsed.pathname + parsed.search,
    headers: { 'content-type': mediaTypes.gzip, 'user-agent': 'haraka-plugin-outbound-tls' },
    body: report.frozen,
    refuse: (answered, headers) => {
      status = answered
      if (LATER.has(status)) retryAfter = readRetryAfter(headers['retry-after'], Date.now())
      return answered >= 200 && answered <= 299 ? undefined : `HTTP status ${answered}`
    },
  })
  if (asked.ok) return { status: 'accepted', note: `${asked.where}: HTTP status ${status}` }
  const { text } = asked.failure
  if (retryAfter === undefined) return { status: 'failed', isFinal: FINAL.has(status), note: text }
  const note = `${text}, to be tried again after ${Math.ceil(retryAfter / 1000)} s`
  return { status: 'failed', isFinal: false, note, retryAfter }
}

/**
 * A Retry-After field (RFC 9110 §10.2.3): seconds, or a time.
 *
 * @returns milliseconds from now; undefined for anything else
 */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const time = value.endsWith('GMT') ? Date.parse(value) : NaN
  return Number.isNaN(time) ? undefined : Math.max(0, time - now)
}
