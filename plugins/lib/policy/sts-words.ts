/**
 * What is said of a domain's MTA-STS policy: one that cannot be used, and one that is known from the cache alone.
 *
 * @module
 */

import type { StsPolicy, StsReason } from '../mta-sts'
import { isoTime } from '../time'
import type { DomainEvidence } from './evidence'

/** A domain that announces a policy has one, whether it can be used or not. */
export function withoutAnyPolicy({ policyDomain, sts }: DomainEvidence): string {
  const unknown = sts?.status === 'none' && sts.why !== undefined ? unavailable[sts.why] : undefined
  return unknown === undefined
    ? 'no policy asks for TLS'
    : `${unknown} (${policyDomain}), and no other one asks for TLS`
}

const unavailable: Partial<Record<StsReason, string>> = {
  'fetch-failed': 'its MTA-STS policy could not be fetched',
  'backed-off': 'its MTA-STS policy could not be fetched',
  'several-records': 'its MTA-STS policy cannot be used: it has several records',
  'malformed-record': 'its MTA-STS policy cannot be used: its record is malformed',
  'lookup-failed': 'its MTA-STS record could not be looked up',
}

/** The policy that is kept. Where it is known from the cache alone, what can be done if it should not be kept any more. */
export function thePolicy(domain: DomainEvidence, sts: StsPolicy): string {
  return `the ${sts.mode} policy of ${domain.policyDomain}${cachedRemark(domain)}`
}

/** '' for a policy that is known to be in force. */
export function cachedRemark({ policyDomain, sts }: DomainEvidence): string {
  if (sts?.source !== 'cached-after-failure' || sts.fetchedAt === undefined) return ''
  const now = sts.why === undefined ? 'it could not be asked for' : sinceThen[sts.why]
  return (
    ` (cached since ${isoTime(sts.fetchedAt)}; now ${now}; "outbound-tls sts refresh ${policyDomain}" asks again, ` +
    'a rule with until makes an exception, its owner can publish mode none: RFC 8461 8.3)'
  )
}

const sinceThen: Readonly<Record<StsReason, string>> = {
  'no-record': 'its record is gone',
  'several-records': 'it has several records',
  'malformed-record': 'its record is malformed',
  'lookup-failed': 'its record cannot be looked up',
  'fetch-failed': 'it has changed, and cannot be fetched',
  'backed-off': 'it has changed, and could not be fetched',
  'cache-unreadable': 'the cache cannot be read',
}
