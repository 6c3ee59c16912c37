/**
 * A TLS report that somebody else sent, and failures of several of them added up.
 *
 * @module
 */

import type { FailureSummary, KeptReport, ReceivedEntry } from '../lib/tlsrpt/received'
import type { ReceivedDetail, ReceivedPolicy } from '../lib/tlsrpt/parsing'
import { timeOf } from './time'

export type ReceivedView = ReturnType<typeof receivedView>
export type ReceivedReportView = ReturnType<typeof receivedReportView>
export type ReceivedPolicyView = ReceivedReportView['policies'][number]
export type FailureView = ReturnType<typeof failureView>

export function receivedView(entry: ReceivedEntry) {
  const { id, source, signedBy, organization, contact, reportId, domains, isCounted } = entry
  return {
    ...{ id, receivedAt: timeOf(entry.receivedAt), source, signedBy: signedBy ?? null, counted: isCounted },
    ...{ organization, contact: contact ?? null, reportId, start: timeOf(entry.start), end: timeOf(entry.end) },
    ...{ domains, successes: entry.successes, failures: entry.failures, fetchFailures: entry.fetchFailures },
  }
}

export function receivedReportView({ entry, report, ours, notes }: KeptReport) {
  const policies = report.policies.map((policy, index) => policyView(policy, ours[index] === true))
  return { ...receivedView(entry), notes, policies }
}

function policyView({ domain, type, strings, mx, successes, failures, details }: ReceivedPolicy, ours: boolean) {
  return { domain: domain ?? null, ours, type, strings, mx, successes, failures, details: details.map(detailView) }
}

function detailView({ type, count, ...rest }: ReceivedDetail) {
  const { reason = null, information = null } = rest
  const { receivingHost = null, receivingHelo = null, receivingAddress = null, sendingAddress = null } = rest
  return { type, reason, information, receivingHost, receivingHelo, receivingAddress, sendingAddress, count }
}

export function failureView({ domain, type, host, result, reason, count, since, until, reporters }: FailureSummary) {
  return {
    ...{ domain, policyType: type, host: host ?? null, result, reason: reason ?? null, count },
    ...{ since: timeOf(since), until: timeOf(until), reporters },
  }
}
