/**
 * What is said of a message that no host took, in the log, the queue and the bounce.
 *
 * @module
 */

import type { Concern, EnhancedStatus, ReasonCode } from '../policy'
import type { HostRefusal } from './course'

/** The end of an attempt. With a status of 5.x.x it is the end of the message, too. */
export interface Deferral {
  readonly status: EnhancedStatus
  readonly text: string
  /** with stable words instead of sentences, for where space is short */
  readonly shortText: string
  readonly concerns: ReadonlySet<Concern>
  /** each once */
  readonly reasons: readonly ReasonCode[]
  /** the next attempt accepts a certificate that was refused (relax-after-tls-failure) */
  readonly isWaivedNext: boolean
}

/** The gravest first: a policy that was not satisfied says more than a host that did not answer. */
const gravest: readonly EnhancedStatus[] = ['4.7.5', '4.7.4', '4.4.3', '4.4.6', '4.4.2', '4.4.1']

/** More hosts than this are counted, not named: a bounce is for people. */
const MAX_NAMED = 8

/** Sums up why no host took the message. */
export function deferralOf(domain: string, refusals: readonly HostRefusal[]): Deferral {
  const forGood = statusForGood(refusals)
  if (forGood !== undefined) {
    const beginning = `the message requires TLS (REQUIRETLS), which no host of ${domain} can promise: `
    return { status: forGood, ...summaryOf(beginning, refusals) }
  }
  const statuses = refusals.map(({ because }) => (isForGood(because) ? '4.7.5' : because.status))
  const status = gravest.find((one) => statuses.includes(one)) ?? '4.4.1'
  const beginning = refusals.length === 0 ? `${domain} has no host to deliver to` : whatFailed(domain, status, refusals)
  return { status, ...summaryOf(beginning, refusals) }
}

/** A policy is blamed only where there is one: otherwise it is a setting that asks for something. */
function whatFailed(domain: string, status: EnhancedStatus, refusals: readonly HostRefusal[]): string {
  if (!status.startsWith('4.7')) return `no host of ${domain} took the message: `
  const hasPolicy = refusals.some(({ because }) => because.concern === 'dane' || because.concern === 'mta-sts')
  return `no host of ${domain} ${hasPolicy ? 'satisfied its policy' : 'has what is asked of it here'}: `
}

/** What says nothing of a host, since there is none that could be spoken to. */
const noHost: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['no-address', 'local-address'])

/**
 * Only a message that requires TLS fails for good, and only when every host has (Q4): 5.7.30, or 5.7.10 where it was TLS
 * that did not come up with any of them. A host that could not be reached or looked up may do what is asked another time.
 */
function statusForGood(refusals: readonly HostRefusal[]): EnhancedStatus | undefined {
  const judged = refusals.filter(({ because }) => !noHost.has(because.code))
  if (judged.length === 0 || !judged.every(({ because }) => isForGood(because))) return undefined
  return judged.some(({ because }) => because.status === '5.7.30') ? '5.7.30' : '5.7.10'
}

/** Whether a reason, or a deferral, leaves no hope for another attempt. */
export function isForGood({ status }: { readonly status: EnhancedStatus }): boolean {
  return status.startsWith('5.')
}

function summaryOf(beginning: string, refusals: readonly HostRefusal[]): Omit<Deferral, 'status'> {
  const concerns = new Set(refusals.map(({ because }) => because.concern))
  const long = listOf(refusals, ({ host, because }) => `${host} (${because.text}. ${because.source})`)
  const short = listOf(refusals, ({ host, because }) => `${host} (${because.code})`)
  const reasons = [...new Set(refusals.map(({ because }) => because.code))]
  const isWaivedNext = refusals.some(({ because }) => because.isWaivedNext === true)
  return { text: beginning + long, shortText: beginning + short, concerns, reasons, isWaivedNext }
}

function listOf(refusals: readonly HostRefusal[], present: (refusal: HostRefusal) => string): string {
  const more = refusals.length > MAX_NAMED ? [`and ${refusals.length - MAX_NAMED} more`] : []
  return [...refusals.slice(0, MAX_NAMED).map(present), ...more].join(', ')
}
