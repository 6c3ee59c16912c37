/**
 * What is counted for /metrics, and under which labels. Every label has a fixed list of values: whatever the world sends, the number of
 * time series stays what it is.
 *
 * @module
 */

import type { TlsRequest } from '../requiretls'
import type { EnhancedStatus, ReasonCode } from '../policy'
import type { ResultType } from '../tlsrpt/format'
import { LEVELS, TLS_VERSIONS } from './facts'

export interface Meter {
  readonly name: string
  readonly help: string
  /** label → the values that it may have; anything else is counted as `other` */
  readonly labels: Readonly<Record<string, readonly string[]>>
  /** of a histogram: upper limits in seconds */
  readonly buckets?: readonly number[]
}

/** Complete, or it does not compile. */
const reasons: Readonly<Record<ReasonCode, true>> = {
  'mx-lookup-failed': true,
  'address-lookup-failed': true,
  'no-address': true,
  'tlsa-lookup-failed': true,
  'dane-required': true,
  'dane-no-match': true,
  'dane-match': true,
  'tlsa-unusable': true,
  'insecure-mx-encrypt': true,
  'sts-required': true,
  'sts-unavailable': true,
  'sts-policy-mx-mismatch': true,
  'sts-policy-enforced': true,
  'starttls-disabled': true,
  'starttls-required': true,
  'starttls-optional': true,
  'starttls-not-offered': true,
  'starttls-refused': true,
  'starttls-injection': true,
  credentials: true,
  'static-route': true,
  'handshake-failed': true,
  'certificate-missing': true,
  'certificate-not-trusted': true,
  'certificate-expired': true,
  'certificate-host-mismatch': true,
  'connection-failed': true,
  'connection-lost': true,
  'greeting-refused': true,
  'ehlo-refused': true,
  'malformed-reply': true,
  timeout: true,
  'local-address': true,
  'not-tried': true,
  configuration: true,
  requiretls: true,
  'requiretls-mx-not-validated': true,
  'requiretls-not-offered': true,
}

const results: Readonly<Record<ResultType, true>> = {
  'starttls-not-supported': true,
  'certificate-host-mismatch': true,
  'certificate-expired': true,
  'certificate-not-trusted': true,
  'validation-failure': true,
  'tlsa-invalid': true,
  'dnssec-invalid': true,
  'dane-required': true,
  'sts-policy-fetch-error': true,
  'sts-policy-invalid': true,
  'sts-webpki-invalid': true,
}

const statuses: Readonly<Record<EnhancedStatus, true>> = {
  '4.4.1': true,
  '4.4.2': true,
  '4.4.3': true,
  '4.4.6': true,
  '4.7.4': true,
  '4.7.5': true,
  '5.7.10': true,
  '5.7.30': true,
}

/** TLS reports of ours are counted as reports. */
const requests: Readonly<Record<Exclude<TlsRequest, 'tls-report'>, true>> = {
  requiretls: true,
  'tls-required-no': true,
}

/** Failures of which a report says no more than how many there were. */
const WITHOUT_DETAILS = 'without-details'

const FETCHED = ['fetched', 'sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid']
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Counters and histograms, by the words that the code uses for them. */
export const METERS = {
  connections: {
    name: 'outbound_tls_connections_total',
    help: 'Connections that mail was to go over, by what they came to and by the reason that decided it.',
    labels: { level: LEVELS, reason: Object.keys(reasons) },
  },
  tlsVersions: {
    name: 'outbound_tls_tls_connections_total',
    help: 'Connections that were opened with TLS, by its version.',
    labels: { version: TLS_VERSIONS },
  },
  policyResults: {
    name: 'outbound_tls_policy_results_total',
    help: 'TLS sessions as TLS reports count them: once for each policy that applied, by result.',
    labels: { policy: ['tlsa', 'sts', 'no-policy-found'], result: ['success', ...Object.keys(results)] },
  },
  deferrals: {
    name: 'outbound_tls_deferrals_total',
    help: 'Attempts to deliver a message that this plugin ended, by enhanced status: deferred (4.x.x), or bounced (5.x.x).',
    labels: { status: Object.keys(statuses) },
  },
  requests: {
    name: 'outbound_tls_messages_with_request_total',
    help: 'Messages queued for delivery that say themselves what they want of TLS: REQUIRETLS, or TLS-Required: No.',
    labels: { request: Object.keys(requests) },
  },
  dnsQueries: {
    name: 'outbound_tls_dns_query_duration_seconds',
    help: 'DNS queries that were sent, by record type and by what came of them.',
    labels: {
      type: ['A', 'AAAA', 'CNAME', 'MX', 'SOA', 'TLSA', 'TXT'],
      result: [
        ...['NOERROR', 'NXDOMAIN', 'SERVFAIL', 'REFUSED', 'FORMERR', 'NOTIMP'],
        ...['timeout', 'network', 'malformed', 'refused', 'bogus', 'server-failure'],
      ],
    },
    buckets: SECONDS,
  },
  resolverTests: {
    name: 'outbound_tls_resolver_tests_total',
    help: 'Self-tests of the resolver: passed, failed, no answer, or its word does not count (trust-ad).',
    labels: { result: ['passed', 'failed', 'unanswered', 'not-trusted'] },
  },
  stsPolicies: {
    name: 'outbound_tls_sts_lookups_total',
    help: 'MTA-STS policies that deliveries asked for, by where they came from.',
    labels: { source: ['cached', 'cached-after-failure', 'fetched', 'none', 'failed'] },
  },
  stsFetches: {
    name: 'outbound_tls_sts_fetch_duration_seconds',
    help: 'Fetches of MTA-STS policies, for deliveries and in the background.',
    labels: { result: FETCHED },
    buckets: SECONDS,
  },
  downgrades: {
    name: 'outbound_tls_downgrades_total',
    help: 'Hosts that were Verified or Trusted for a week and then presented an invalid certificate or no TLS, each once a day.',
    labels: {},
  },
  outcomesLost: {
    name: 'outbound_tls_outcomes_lost_total',
    help: 'Outcomes that could not be written to the store, and are missing in TLS reports.',
    labels: {},
  },
  reports: {
    name: 'outbound_tls_reports_total',
    help: 'TLS reports of ours that came to an end.',
    labels: { state: ['sent', 'given-up', 'not-wanted'] },
  },
  reportAttempts: {
    name: 'outbound_tls_report_attempts_total',
    help: 'Attempts to hand a TLS report to one of its destinations.',
    labels: { scheme: ['mailto', 'https'], result: ['accepted', 'queued', 'failed'] },
  },
  reportsReceived: {
    name: 'outbound_tls_reports_received_total',
    help: 'TLS reports that others sent to us.',
    labels: { result: ['accepted', 'unverified', 'duplicate', 'foreign', 'invalid'] },
  },
  reportedFailures: {
    name: 'outbound_tls_reported_failures_total',
    help: 'Failures in the TLS reports of others that count, by result type; our_domain_known: whether they are about a domain of ours.',
    labels: { result_type: [...Object.keys(results), WITHOUT_DETAILS], our_domain_known: ['true', 'false'] },
  },
} as const satisfies Readonly<Record<string, Meter>>

export type MeterName = keyof typeof METERS
export type MeterLabels<Name extends MeterName> = Readonly<
  Record<keyof (typeof METERS)[Name]['labels'] & string, string>
>

/** One number of a meter, as it is stored. */
export interface Amount {
  readonly meter: string
  /** JSON of label → value; of histograms with `le` (the bucket alone, not summed up), or `le` = `sum` */
  readonly labels: string
  readonly value: number
}

/** The labels of one number, every value within its list. */
export function seriesOf(name: MeterName, labels: Readonly<Record<string, string>>, le?: string): string {
  const allowed: Meter['labels'] = METERS[name].labels
  let series = ''
  for (const label of Object.keys(allowed)) series += `,"${label}":"${valueWithin(allowed[label], labels[label])}"`
  return `{${(le === undefined ? series : `${series},"le":"${le}"`).slice(1)}}`
}

function valueWithin(allowed: readonly string[] | undefined, value = 'other'): string {
  return allowed?.includes(value) === true ? value : 'other'
}

/** The bucket of a histogram that a number of seconds belongs to. */
export function bucketOf(name: MeterName, seconds: number): string {
  const { buckets = [] }: Meter = METERS[name]
  return String(buckets.find((limit) => seconds <= limit) ?? '+Inf')
}
