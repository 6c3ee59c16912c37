/**
 * Parts of reports as RFC 8460 §4.4 has them, written out by hand for tests to compare with.
 *
 * @module
 */
import type { FailureDetail, PolicyReport, ReportedPolicy, ResultType } from '../../../dist/lib/tlsrpt/format/index.js'
import type { PrivateInternet } from '../../internet/index.ts'

const SENDER = '127.0.0.1'

/** The TLSA policy of a host, with the records that it publishes. */
export function tlsa(net: PrivateInternet, host: string, ...wishes: readonly string[]): ReportedPolicy {
  const strings = wishes.map((wish) => {
    const [usage, selector, type, hex = ''] = net.certificates.tlsa(host, wish, 'leaf').split(' ')
    return `${usage} ${selector} ${type} ${hex.toUpperCase()}`
  })
  return { 'policy-type': 'tlsa', ...(strings.length > 0 && { 'policy-string': strings }), 'policy-domain': host }
}

/** The max_age of all policies, in seconds. */
export const DAYS = 14 * 86_400

export function sts(domain: string, mx: readonly string[], mode = 'enforce'): ReportedPolicy {
  const strings = ['version: STSv1', `mode: ${mode}`, ...mx.map((name) => `mx: ${name}`), `max_age: ${DAYS}`]
  return { 'policy-type': 'sts', 'policy-string': strings, 'policy-domain': domain, 'mx-host': mx }
}

export const unknownSts = (domain: string): ReportedPolicy => ({ 'policy-type': 'sts', 'policy-domain': domain })
export const none = (domain: string): ReportedPolicy => ({ 'policy-type': 'no-policy-found', 'policy-domain': domain })

export function entry(policy: ReportedPolicy, successes: number, ...details: readonly FailureDetail[]): PolicyReport {
  const failures = details.reduce((sum, detail) => sum + detail['failed-session-count'], 0)
  const summary = { 'total-successful-session-count': successes, 'total-failure-session-count': failures }
  return { policy, summary, 'failure-details': details }
}

/** A failure at a host that was connected to. */
export function failure(
  net: PrivateInternet,
  host: string,
  count: number,
  type: ResultType,
  reason?: string,
): FailureDetail {
  return {
    'result-type': type,
    'sending-mta-ip': SENDER,
    'receiving-mx-hostname': host,
    'receiving-ip': net.server(host).address,
    'failed-session-count': count,
    ...(reason !== undefined && { 'failure-reason-code': reason }),
  }
}

/** A failure before anything was connected. */
export function refusal(host: string, count: number, type: ResultType, reason?: string): FailureDetail {
  return {
    'result-type': type,
    'receiving-mx-hostname': host,
    'failed-session-count': count,
    ...(reason !== undefined && { 'failure-reason-code': reason }),
  }
}

export const fetchFailure = (count: number, type: ResultType): FailureDetail => ({
  'result-type': type,
  'failed-session-count': count,
})
