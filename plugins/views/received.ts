/**
 * A TLS report that somebody else sent, what is wrong in it, and the failures of several of them added up.
 *
 * @module
 */

import type { FailureSummary, KeptReport, ReceivedEntry } from '../lib/received'
import type { ReceivedDetail, ReceivedPolicy } from '../lib/tlsrpt-reading'
import { timeOf, type Time } from './time'

export interface ReceivedView {
  readonly id: string
  readonly receivedAt: Time | null
  readonly source: 'mail' | 'https'
  /** the domain whose signature makes it count */
  readonly signedBy: string | null
  readonly counted: boolean
  readonly organization: string
  readonly contact: string | null
  readonly reportId: string
  readonly start: Time | null
  readonly end: Time | null
  readonly domains: readonly string[]
  readonly successes: number
  readonly failures: number
}

export interface ReceivedReportView extends ReceivedView {
  /** what was wrong in it, and was accepted */
  readonly notes: KeptReport['notes']
  readonly policies: readonly ReceivedPolicyView[]
}

export interface ReceivedPolicyView extends Pick<ReceivedPolicy, 'type' | 'strings' | 'mx' | 'successes' | 'failures'> {
  readonly domain: string | null
  /** false: it is about others */
  readonly ours: boolean
  readonly details: readonly ReceivedDetailView[]
}

export interface ReceivedDetailView {
  readonly type: string
  readonly reason: string | null
  readonly information: string | null
  readonly receivingHost: string | null
  readonly receivingHelo: string | null
  readonly receivingAddress: string | null
  readonly sendingAddress: string | null
  readonly count: number
}

export interface FailureView {
  readonly domain: string
  readonly policyType: ReceivedPolicy['type']
  /** by name or address */
  readonly host: string | null
  readonly result: string
  readonly reason: string | null
  /** sessions, or fetches of a policy */
  readonly count: number
  readonly since: Time | null
  readonly until: Time | null
  readonly reporters: readonly string[]
}

export function receivedView(entry: ReceivedEntry): ReceivedView {
  const { id, source, organization, reportId, domains, successes, failures, isCounted } = entry
  return {
    ...{ id, receivedAt: timeOf(entry.receivedAt), source, signedBy: entry.signedBy ?? null, counted: isCounted },
    ...{ organization, contact: entry.contact ?? null, reportId, start: timeOf(entry.start), end: timeOf(entry.end) },
    ...{ domains, successes, failures },
  }
}

export function receivedReportView({ entry, report, ours, notes }: KeptReport): ReceivedReportView {
  return {
    ...receivedView(entry),
    notes,
    policies: report.policies.map((policy, index) => policyView(policy, ours[index] === true)),
  }
}

function policyView(policy: ReceivedPolicy, ours: boolean): ReceivedPolicyView {
  const { domain, type, strings, mx, successes, failures, details } = policy
  return { domain: domain ?? null, ours, type, strings, mx, successes, failures, details: details.map(detailView) }
}

function detailView({ type, count, ...rest }: ReceivedDetail): ReceivedDetailView {
  const { reason = null, information = null } = rest
  const { receivingHost = null, receivingHelo = null, receivingAddress = null, sendingAddress = null } = rest
  return { type, reason, information, receivingHost, receivingHelo, receivingAddress, sendingAddress, count }
}

export function failureView(failure: FailureSummary): FailureView {
  const { domain, type, host, result, reason, count, since, until, reporters } = failure
  return {
    ...{ domain, policyType: type, host: host ?? null, result, reason: reason ?? null, count },
    ...{ since: timeOf(since), until: timeOf(until), reporters },
  }
}
