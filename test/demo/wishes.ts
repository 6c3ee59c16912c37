/**
 * The destinations of the demo that are sent a message with a word of its own (RFC 8689).
 *
 * @module
 */
import type { ServerOptions } from '../internet/mail-servers.ts'
import type { Scenario } from './scenarios.ts'

const REQUIRETLS: ServerOptions = { capabilitiesOnTls: ['REQUIRETLS'] }

export const wishes: readonly Scenario[] = [
  {
    domain: 'require.test',
    special: 'REQUIRETLS, and the host offers it: signed MX record, valid certificate',
    wish: 'requiretls',
    is: { signed: true },
    hosts: { mx1: REQUIRETLS },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'certificate valid for mx1, REQUIRETLS' }],
  },
  {
    domain: 'require-second.test',
    special: 'REQUIRETLS, which only the second host of the policy offers',
    wish: 'requiretls',
    is: { mx: ['mx1', 'mx2'], sts: {} },
    hosts: { mx2: REQUIRETLS },
    expect: [{ delivered: 'mx2', level: 'Verified', because: 'certificate valid for mx2, REQUIRETLS' }],
  },
  {
    domain: 'require-none.test',
    special: 'REQUIRETLS, which its only host does not offer',
    wish: 'requiretls',
    is: { signed: true },
    hosts: { mx1: { tlsa: '3 1 1' } },
    expect: [{ bounced: '5.7.30', because: 'REQUIRETLS is not offered over TLS' }],
  },
  {
    domain: 'require-forged.test',
    special: 'REQUIRETLS, but who says that this is its host? No DNSSEC, no policy',
    wish: 'requiretls',
    hosts: { mx1: REQUIRETLS },
    expect: [{ bounced: '5.7.30', because: 'is not signed, and no enforced MTA-STS policy lists mx1' }],
  },
  {
    domain: 'require-wrong.test',
    special: 'REQUIRETLS, and a certificate that proves nothing',
    wish: 'requiretls',
    is: { signed: true },
    hosts: { mx1: { ...REQUIRETLS, certificate: 'self-signed' } },
    expect: [{ bounced: '5.7.10', because: 'does not validate' }],
  },
  {
    domain: 'require-silent.test',
    special: 'REQUIRETLS, and the lookup of the TLSA record fails: not for good',
    wish: 'requiretls',
    is: { signed: true },
    hosts: { mx1: { ...REQUIRETLS, tlsaDns: { trouble: 'servfail' } } },
    expect: [{ deferred: '4.7.5', because: 'TLSA lookup failed' }],
  },
  {
    domain: 'freed.test',
    special: '"TLS-Required: No", so that its postmaster hears that his TLSA record is wrong',
    wish: 'tls-required-no',
    is: { signed: true },
    hosts: { mx1: { certificate: 'self-signed', tlsa: '3 1 1 of leaf' } },
    expect: [{ delivered: 'mx1', level: 'Untrusted', because: 'TLS-Required: No: would have been refused' }],
  },
  {
    domain: 'freed-plain.test',
    special: '"TLS-Required: No", past a policy that somebody without STARTTLS fails',
    wish: 'tls-required-no',
    is: { sts: {} },
    hosts: { mx1: { offersTls: false } },
    expect: [{ delivered: 'mx1', level: 'clear text', because: 'TLS-Required: No: would have been refused' }],
  },
  {
    domain: 'freed-partner.test',
    special: '"TLS-Required: No", but a rule here says starttls = require',
    wish: 'tls-required-no',
    hosts: { mx1: { offersTls: false } },
    rule: { starttls: 'require' },
    expect: [{ deferred: '4.7.4', because: '[rule:freed-partner.test]' }],
  },
]
