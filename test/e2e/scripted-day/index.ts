/**
 * A day of mail to destinations of every kind, and what a report on each of them must say: written from the table of situations in the README
 * and from RFC 8460, with nothing of the code that composes reports.
 *
 * @module
 */
import type { PrivateInternet } from '../../internet/index.ts'
import type { Ini } from '../instance.ts'
import { dane, daneFails } from './dane.ts'
import { mtaSts } from './mta-sts.ts'
import { DAYS, entry, failure, none, sts, tlsa } from './parts.ts'
import type { Situation } from './situation.ts'

export type { Situation } from './situation.ts'

const both: readonly Situation[] = [
  {
    domain: 'both.test',
    is: { signed: true, sts: { maxAge: DAYS } },
    hosts: { mx1: { tlsa: '3 1 1' } },
    expect: ({ net, count }) => [
      entry(tlsa(net, 'mx1.both.test', '3 1 1'), count),
      entry(sts('both.test', ['mx1.both.test']), count),
    ],
  },
  {
    domain: 'dane-alone-fails.test',
    is: { signed: true, sts: { maxAge: DAYS } },
    hosts: { mx1: { tlsa: '3 1 1 of other' } },
    expect: ({ net, count }) => [
      entry(
        tlsa(net, 'mx1.dane-alone-fails.test', '3 1 1 of other'),
        0,
        failure(net, 'mx1.dane-alone-fails.test', count, 'validation-failure', 'dane-no-match'),
      ),
      entry(sts('dane-alone-fails.test', ['mx1.dane-alone-fails.test']), count),
    ],
  },
  {
    domain: 'dane-decides.test',
    is: { signed: true, sts: { maxAge: DAYS, mx: ['mail.test'] } },
    hosts: { mx1: { tlsa: '3 1 1' } },
    expect: ({ net, count }) => [
      entry(tlsa(net, 'mx1.dane-decides.test', '3 1 1'), count),
      entry(
        sts('dane-decides.test', ['mail.test']),
        0,
        failure(net, 'mx1.dane-decides.test', count, 'validation-failure', 'sts-policy-mx-mismatch'),
      ),
    ],
  },
]

const withoutPolicy: readonly Situation[] = [
  { domain: 'crowd.test', late: 42, expect: ({ count }) => [entry(none('crowd.test'), count)] },
  { domain: 'xn--bcher-kva.test', expect: ({ count }) => [entry(none('xn--bcher-kva.test'), count)] },
  {
    domain: 'plain.test',
    hosts: { mx1: { offersTls: false } },
    expect: ({ net, count }) => [
      entry(
        none('plain.test'),
        0,
        failure(net, 'mx1.plain.test', count, 'starttls-not-supported', 'starttls-not-offered'),
      ),
    ],
  },
  {
    domain: 'retried-in-clear.test',
    hosts: { mx1: { handshake: 'reset' } },
    expect: ({ net, count }) => [
      entry(
        none('retried-in-clear.test'),
        0,
        failure(net, 'mx1.retried-in-clear.test', count, 'validation-failure', 'handshake-failed'),
      ),
    ],
  },
  {
    domain: 'relaxed.test',
    hosts: { mx1: { certificate: 'self-signed' } },
    isRetried: true,
    expect: ({ net, count }) => [
      entry(
        none('relaxed.test'),
        count,
        failure(net, 'mx1.relaxed.test', count, 'certificate-not-trusted', 'self-signed'),
      ),
    ],
  },
  {
    domain: 'waived.test',
    hosts: { mx1: { certificate: 'expired' } },
    rule: { 'allow-invalid-certs': true },
    expect: ({ count }) => [entry(none('waived.test'), count)],
  },
  { domain: 'unwanted.test', rule: { starttls: 'disable' } },
  { domain: 'unwelcome.test', hosts: { mx1: { greeting: '554 5.7.1 go away' } } },
]

const leniency: readonly Situation[] = [
  {
    domain: 'waived-testing.test',
    is: { sts: { maxAge: DAYS, mode: 'testing' } },
    hosts: { mx1: { certificate: 'expired' } },
    rule: { 'allow-invalid-certs': true },
    expect: ({ net, count }) => [
      entry(
        sts('waived-testing.test', ['mx1.waived-testing.test'], 'testing'),
        0,
        failure(net, 'mx1.waived-testing.test', count, 'certificate-expired'),
      ),
    ],
  },
  {
    ...daneFails('audited.test', { tlsa: '3 1 1 of other' }, 'validation-failure', 'dane-no-match'),
    rule: { audit: true },
  },
  {
    ...daneFails('not-required.test', { tlsa: '3 1 1 of other' }, 'validation-failure', 'dane-no-match'),
    header: { 'TLS-Required': 'No' },
  },
  { domain: 'routed.test', about: 'relay.test', expect: ({ count }) => [entry(none('relay.test'), count)] },
]

const SHARED = 'mx.shared.test'
const shared = ['twin1.test', 'twin2.test'].map((domain): Situation => ({
  domain,
  is: { signed: true, mx: [SHARED] },
  expect: ({ net, count }) => [entry(tlsa(net, SHARED, '3 1 1'), count)],
}))

/** Hosts that belong to no situation by its name. */
export function declareOthers(net: PrivateInternet): void {
  net.dns.declare('shared.test', { security: 'secure' })
  net.server(SHARED, { tlsa: '3 1 1' })
  net.server('relay.test', {})
}

/** What the plugin static-routes answers. */
export function routes(net: PrivateInternet) {
  return { 'routed.test': [{ exchange: 'relay.test', port: net.smtpPort }] }
}

export const situations: readonly Situation[] = [...dane, ...mtaSts, ...both, ...withoutPolicy, ...leniency, ...shared]

/** The rules of outbound-tls.ini. */
export const rules: Ini = Object.fromEntries(
  situations.flatMap(({ domain, rule }) =>
    rule === undefined ? [] : [[`rule:${domain}`, { 'if-rcpt-domain': [domain], ...rule }]],
  ),
)
