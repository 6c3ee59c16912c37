/**
 * Destinations with TLSA records (RFC 7672).
 *
 * @module
 */
import type { ResultType } from '../../../dist/lib/tlsrpt/format/index.js'
import type { ServerOptions } from '../../internet/mail-servers.ts'
import { entry, failure, fetchFailure, none, refusal, tlsa } from './parts.ts'
import type { Situation } from './situation.ts'

/** One host, mx1, whose every session fails under DANE in one way. */
export function daneFails(
  domain: string,
  options: ServerOptions & { readonly tlsa: string },
  type: ResultType,
  reason?: string,
): Situation {
  const host = `mx1.${domain}`
  return {
    domain,
    is: { signed: true },
    hosts: { mx1: options },
    expect: ({ net, count }) => [entry(tlsa(net, host, options.tlsa), 0, failure(net, host, count, type, reason))],
  }
}

export const dane: readonly Situation[] = [
  {
    domain: 'dane.test',
    is: { signed: true },
    hosts: { mx1: { tlsa: '3 1 1' } },
    expect: ({ net, count }) => [entry(tlsa(net, 'mx1.dane.test', '3 1 1'), count)],
  },
  {
    domain: 'dane-next.test',
    is: { signed: true, mx: ['mx1', 'mx2'] },
    hosts: { mx1: { tlsa: '3 1 1 of other' }, mx2: { tlsa: '3 1 1' } },
    expect: ({ net, count }) => [
      entry(
        tlsa(net, 'mx1.dane-next.test', '3 1 1 of other'),
        0,
        failure(net, 'mx1.dane-next.test', count, 'validation-failure', 'dane-no-match'),
      ),
      entry(tlsa(net, 'mx2.dane-next.test', '3 1 1'), count),
    ],
  },
  {
    domain: 'dane-unsigned-mx.test',
    hosts: { mx1: { signed: true, tlsa: '3 1 1' } },
    expect: ({ net, count }) => [entry(tlsa(net, 'mx1.dane-unsigned-mx.test', '3 1 1'), count)],
  },
  daneFails('ta-expired.test', { certificate: 'expired', tlsa: '2 0 1 of intermediate' }, 'certificate-expired'),
  daneFails('ta-name.test', { certificate: 'other-name', tlsa: '2 0 1 of intermediate' }, 'certificate-host-mismatch'),
  daneFails(
    'ta-stapled.test',
    { certificate: 'stapled-root', tlsa: '2 0 1 of root' },
    'certificate-not-trusted',
    'chain-invalid',
  ),
  daneFails(
    'dane-stripped.test',
    { tlsa: '3 1 1 of leaf', offersTls: false },
    'starttls-not-supported',
    'starttls-not-offered',
  ),
  daneFails(
    'dane-refused.test',
    { tlsa: '3 1 1 of leaf', starttls: '454 4.7.0 no' },
    'starttls-not-supported',
    'starttls-refused',
  ),
  daneFails(
    'dane-injected.test',
    { tlsa: '3 1 1 of leaf', starttls: { send: '220 go\r\n250 ok\r\n' } },
    'validation-failure',
    'starttls-injection',
  ),
  daneFails(
    'dane-broken.test',
    { tlsa: '3 1 1 of leaf', handshake: 'alert' },
    'validation-failure',
    'handshake-failed',
  ),
  {
    domain: 'tlsa-unusable.test',
    is: { signed: true },
    hosts: { mx1: { tlsa: ['0 0 1', '1 1 1'] } },
    expect: ({ net, count }) => [
      entry(
        tlsa(net, 'mx1.tlsa-unusable.test', '0 0 1', '1 1 1'),
        0,
        failure(net, 'mx1.tlsa-unusable.test', count, 'tlsa-invalid', 'tlsa-unusable'),
      ),
      entry(none('tlsa-unusable.test'), count),
    ],
  },
  {
    domain: 'tlsa-bogus.test',
    is: { signed: true },
    hosts: { mx1: { tlsa: '3 1 1', tlsaDns: { security: 'bogus' } } },
    expect: ({ net, count }) => [
      entry(tlsa(net, 'mx1.tlsa-bogus.test'), 0, refusal('mx1.tlsa-bogus.test', count, 'dnssec-invalid')),
    ],
  },
  {
    domain: 'address-bogus.test',
    is: { signed: true },
    hosts: { mx1: { dns: { security: 'bogus' } } },
    expect: ({ net, count }) => [
      entry(tlsa(net, 'mx1.address-bogus.test'), 0, refusal('mx1.address-bogus.test', count, 'dnssec-invalid')),
    ],
  },
  {
    domain: 'mx-bogus.test',
    is: { security: 'bogus' },
    expect: ({ net, count }) => [entry(tlsa(net, 'mx-bogus.test'), 0, fetchFailure(count, 'dnssec-invalid'))],
  },
  {
    domain: 'tlsa-silent.test', // RFC 8460 4.3.4: nobody knows what it says
    is: { signed: true },
    hosts: { mx1: { tlsaDns: { trouble: 'servfail' } } },
  },
  {
    domain: 'dane-required.test',
    is: { signed: true },
    rule: { dane: 'require' },
    expect: ({ net, count }) => [
      entry(
        tlsa(net, 'mx1.dane-required.test'),
        0,
        refusal('mx1.dane-required.test', count, 'dane-required', 'dane-required'),
      ),
    ],
  },
]
