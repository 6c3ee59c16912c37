/**
 * From plain facts to a report (RFC 8460 §4).
 *
 * @module
 */

import { isIP } from 'node:net'
import { isoTime } from '../../time'
import { aLabels, ReportError } from './error'
import { canonicalAddress } from './ip-address'
import { readAddress } from './mailbox'
import { sessionCountOf, mergePolicies } from './merge'
import { isWholeHours, lastSecond, type Period } from './period'
import {
  reportText,
  type FailureDetail,
  type PolicyReport,
  type Report,
  type ReportedPolicy,
  type ResultType,
} from './report'

/** All that a report says. Names may have U-labels, addresses any notation. */
export interface ReportFacts {
  readonly organization: string
  /** a mail address: whom to ask about the report */
  readonly contact: string
  /** see {@link makeReportId} */
  readonly reportId: string
  readonly period: Period
  /** at least one, in any order; those of one policy are added up */
  readonly policies: readonly PolicyFacts[]
}

/** The sessions of one policy: successes and failures, each failure in one of the details. */
export interface PolicyFacts {
  readonly policy: AppliedPolicy
  readonly successes: number
  readonly failures: number
  readonly details: readonly FailureFacts[]
}

/** What a policy was, without strings where there was none to quote: a bogus answer, a policy that could not be fetched. */
export type AppliedPolicy =
  | {
      readonly type: 'tlsa'
      /** the TLSA base domain (RFC 8460 §1.1) */
      readonly domain: string
      /** see {@link tlsaStrings} */
      readonly strings?: readonly string[]
    }
  | {
      readonly type: 'sts'
      readonly domain: string
      /** see {@link stsStrings} */
      readonly strings?: readonly string[]
      /** the patterns of MX hosts that the policy has */
      readonly mx?: readonly string[]
    }
  | { readonly type: 'no-policy-found'; readonly domain: string }

/** Sessions that failed in the same way. */
export interface FailureFacts {
  readonly type: ResultType
  readonly count: number
  readonly sendingAddress?: string | undefined
  /** an IP address where a route named the host so: it then stands in `receivingAddress` only */
  readonly receivingHost?: string | undefined
  readonly receivingHelo?: string | undefined
  readonly receivingAddress?: string | undefined
  readonly reason?: string | undefined
  /** a URI */
  readonly information?: string | undefined
}

export interface ComposedReport {
  readonly report: Report
  /** what is transmitted, see {@link reportText} */
  readonly text: string
}

const LONGEST_TEXT = 255

/**
 * Composes a report. The same facts give the same text, in whatever order they come.
 *
 * @throws {@link ReportError} where the facts contradict each other or cannot be said: details that do not add up to the failures,
 *   a period that is not of whole hours, what is no domain or no address
 */
export function composeReport(facts: ReportFacts): ComposedReport {
  const contact = readAddress(facts.contact)
  if (contact === undefined) throw new ReportError('contact', `not a mail address: ${JSON.stringify(facts.contact)}`)
  if (!isWholeHours(facts.period)) throw new ReportError('period', `not whole hours: ${JSON.stringify(facts.period)}`)
  if (facts.reportId === '') throw new ReportError('report-id', 'a report needs an id')
  if (facts.policies.length === 0) throw new ReportError('policies', 'a report needs a policy')

  const report: Report = {
    'organization-name': facts.organization.toWellFormed(),
    'date-range': {
      'start-datetime': isoTime(facts.period.start),
      'end-datetime': isoTime(lastSecond(facts.period) * 1000), // R9
    },
    'contact-info': contact,
    'report-id': facts.reportId,
    policies: mergePolicies(facts.policies.map(composePolicy)),
  }
  return { report, text: reportText(report) }
}

function composePolicy({ policy, successes, failures, details }: PolicyFacts): PolicyReport {
  const failed = details.map(composeDetail)
  if (!isCount(successes) || !isCount(failures) || sessionCountOf(failed) !== failures) {
    const counts = `${successes} successes, ${failures} failures, ${sessionCountOf(failed)} in the details`
    throw new ReportError('counts', `${policy.type} ${policy.domain}: ${counts}`)
  }
  return {
    policy: reportedPolicy(policy),
    summary: { 'total-successful-session-count': successes, 'total-failure-session-count': failures },
    'failure-details': failed,
  }
}

function reportedPolicy(policy: AppliedPolicy): ReportedPolicy {
  const domain = aLabels(policy.domain)
  if (policy.type === 'no-policy-found') return { 'policy-type': policy.type, 'policy-domain': domain }
  const strings = policy.strings?.map((string) => string.toWellFormed()) ?? []
  const mx = policy.type === 'sts' ? (policy.mx?.map(mxPattern) ?? []) : []
  return {
    'policy-type': policy.type,
    ...(strings.length > 0 && { 'policy-string': policy.type === 'tlsa' ? strings.sort() : strings }),
    'policy-domain': domain,
    ...(mx.length > 0 && { 'mx-host': mx }),
  }
}

function mxPattern(pattern: string): string {
  return pattern.startsWith('*.') ? `*.${aLabels(pattern.slice(2))}` : aLabels(pattern)
}

function composeDetail(facts: FailureFacts): FailureDetail {
  if (!isCount(facts.count) || facts.count === 0)
    throw new ReportError('counts', `${facts.count} sessions: ${facts.type}`)
  return {
    'result-type': facts.type,
    ...given('sending-mta-ip', facts.sendingAddress, ipAddress),
    ...given('receiving-mx-hostname', facts.receivingHost, hostName),
    ...given('receiving-mx-helo', facts.receivingHelo, shortText),
    ...given('receiving-ip', facts.receivingAddress, ipAddress),
    'failed-session-count': facts.count,
    ...given('additional-information', facts.information, (uri) => uri.toWellFormed()),
    ...given('failure-reason-code', facts.reason, shortText),
  }
}

/** The one field, or none where there is nothing to say (R15). */
function given<Name extends keyof FailureDetail>(
  name: Name,
  value: string | undefined,
  write: (value: string) => string | undefined,
): Partial<Record<Name, string>> {
  const written = value === undefined ? undefined : write(value)
  const field = written === undefined || written === '' ? {} : { [name]: written }
  return field as Partial<Record<Name, string>>
}

function ipAddress(text: string): string {
  const address = canonicalAddress(text)
  if (address === undefined) throw new ReportError('address', `not an IP address: ${JSON.stringify(text)}`)
  return address
}

function hostName(name: string): string | undefined {
  return isIP(name) === 0 ? aLabels(name) : undefined
}

/** Others may have a say in its length. I-JSON has no halves of surrogate pairs (R7): the cut leaves none, others become U+FFFD. */
function shortText(text: string): string {
  const cut = text.length > LONGEST_TEXT && /[\ud800-\udbff]/.test(text.charAt(LONGEST_TEXT - 1)) ? 1 : 0
  return text.slice(0, LONGEST_TEXT - cut).toWellFormed()
}

/** R7: I-JSON has no other integers. */
function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0
}
