/**
 * Destinations with an MTA-STS policy (RFC 8461).
 *
 * @module
 */
import type { ResultType } from '../../../dist/lib/tlsrpt/format/index.js'
import type { DomainOptions } from '../../internet/domains.ts'
import type { ServerOptions } from '../../internet/mail-servers.ts'
import { DAYS, entry, failure, fetchFailure, none, refusal, sts, unknownSts } from './parts.ts'
import type { Situation } from './situation.ts'

/** One host, mx1, whose every session fails under MTA-STS in one way. */
function stsFails(domain: string, options: ServerOptions, type: ResultType, reason?: string): Situation {
  const host = `mx1.${domain}`
  return {
    domain,
    is: { sts: { maxAge: DAYS } },
    hosts: { mx1: options },
    expect: ({ net, count }) => [entry(sts(domain, [host]), 0, failure(net, host, count, type, reason))],
  }
}

/** A policy that is of no use: the sessions have none. */
function policyFails(domain: string, options: NonNullable<DomainOptions['sts']>, type: ResultType): Situation {
  return {
    domain,
    is: { sts: options },
    expect: ({ count, rounds }) => [
      entry(none(domain), count),
      entry(unknownSts(domain), 0, fetchFailure(rounds, type)),
    ],
  }
}

export const mtaSts: readonly Situation[] = [
  {
    domain: 'sts.test',
    is: { sts: { maxAge: DAYS } },
    expect: ({ count }) => [entry(sts('sts.test', ['mx1.sts.test']), count)],
  },
  {
    domain: 'sts-unlisted.test',
    is: { sts: { maxAge: DAYS, mx: ['*.mail.test'] } },
    expect: ({ count }) => [
      entry(
        sts('sts-unlisted.test', ['*.mail.test']),
        0,
        refusal('mx1.sts-unlisted.test', count, 'validation-failure', 'sts-policy-mx-mismatch'),
      ),
    ],
  },
  stsFails('sts-expired.test', { certificate: 'expired' }, 'certificate-expired'),
  stsFails('sts-name.test', { certificate: 'other-name' }, 'certificate-host-mismatch'),
  stsFails('sts-self-signed.test', { certificate: 'self-signed' }, 'certificate-not-trusted', 'self-signed'),
  stsFails('sts-foreign.test', { certificate: 'foreign' }, 'certificate-not-trusted', 'unknown-issuer'),
  stsFails('sts-stripped.test', { offersTls: false }, 'starttls-not-supported', 'starttls-not-offered'),
  {
    domain: 'sts-testing.test',
    is: { sts: { maxAge: DAYS, mode: 'testing' } },
    hosts: { mx1: { offersTls: false } },
    expect: ({ net, count }) => [
      entry(
        sts('sts-testing.test', ['mx1.sts-testing.test'], 'testing'),
        0,
        failure(net, 'mx1.sts-testing.test', count, 'starttls-not-supported', 'starttls-not-offered'),
      ),
    ],
  },
  policyFails('sts-missing.test', { status: 404 }, 'sts-policy-fetch-error'),
  policyFails('sts-nonsense.test', { text: 'version: STSv1\r\nmode: perhaps\r\n' }, 'sts-policy-invalid'),
  policyFails('sts-unproved.test', { certificate: 'self-signed' }, 'sts-webpki-invalid'),
  {
    domain: 'sts-cached.test',
    is: { sts: { maxAge: DAYS, id: '1' } },
    late: 6,
    then: (net) => net.sts('sts-cached.test', { id: '2', status: 500 }),
    expect: ({ count }) => [
      entry(sts('sts-cached.test', ['mx1.sts-cached.test']), count),
      entry(unknownSts('sts-cached.test'), 0, fetchFailure(1, 'sts-policy-fetch-error')),
    ],
  },
]
