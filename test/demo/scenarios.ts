/**
 * The destinations of the demo: what each is like, and what must become of a message to it. Plain data; to add one, add it here.
 *
 * @module
 */
import type { Ini } from '../e2e/instance.ts'
import type { DomainOptions } from '../internet/domains.ts'
import { hangUp } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { wishes } from './wishes.ts'

/** What one attempt must come to. `because` is part of what the log or the bounce gives as the reason. */
export type Expectation = Fate & {
  /** of another message, not of a retry */
  readonly again?: true
  /** hosts as they are from then on */
  readonly changed?: Scenario['hosts']
}

type Fate =
  | {
      readonly delivered: string
      readonly level: 'Verified' | 'Trusted' | 'Untrusted' | 'clear text'
      readonly because: string
    }
  | { readonly deferred: string; readonly because: string }
  | { readonly bounced: string; readonly because: string }

export interface Scenario {
  /** the recipient domain */
  readonly domain: string
  readonly special: string
  /** how the domain is declared; default: insecure, with mx1 as its only host */
  readonly is?: DomainOptions
  /** its hosts, by name below the domain, where they are not as they should be */
  readonly hosts?: Readonly<Record<string, ServerOptions>>
  /** the servers behind the addresses of mx1, in their order; default: one */
  readonly addresses?: readonly ServerOptions[]
  /** what a rule for this domain sets in outbound-tls.ini */
  readonly rule?: Ini[string]
  /** another plugin sends its mail to this host below the domain, as smtp_forward would */
  readonly relay?: { readonly host: string; readonly user: string; readonly password: string }
  /** what the message itself asks for (RFC 8689): the parameter REQUIRETLS, or the header TLS-Required: No */
  readonly wish?: 'requiretls' | 'tls-required-no'
  /** the first attempt and, where there is more, its retries */
  readonly expect: readonly Expectation[]
}

export interface Chapter {
  readonly title: string
  readonly scenarios: readonly Scenario[]
}

const dane: readonly Scenario[] = [
  {
    domain: 'dane.test',
    special: 'TLSA record of its key, in a signed zone',
    is: { signed: true },
    hosts: { mx1: { tlsa: '3 1 1' } },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'matched DANE-EE 3 1 1' }],
  },
  {
    domain: 'dane-expired.test',
    special: 'certificate has expired; for DANE-EE only the key counts',
    is: { signed: true },
    hosts: { mx1: { certificate: 'expired', tlsa: '3 1 1' } },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'matched DANE-EE 3 1 1' }],
  },
  {
    domain: 'dane-name.test',
    special: 'certificate has another name; no matter either',
    is: { signed: true },
    hosts: { mx1: { certificate: 'other-name', tlsa: '3 1 1' } },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'matched DANE-EE 3 1 1' }],
  },
  {
    domain: 'dane-ta.test',
    special: 'TLSA record of the authority, which nobody else trusts',
    is: { signed: true },
    hosts: { mx1: { certificate: 'foreign', tlsa: '2 0 0 of foreign-root' } },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'matched DANE-TA 2 0 0' }],
  },
  {
    domain: 'dane-second.test',
    special: 'first host has the wrong key, second the right one',
    is: { signed: true, mx: ['mx1', 'mx2'] },
    hosts: { mx1: { certificate: 'other', tlsa: '3 1 1 of leaf' }, mx2: { tlsa: '3 1 1' } },
    expect: [{ delivered: 'mx2', level: 'Verified', because: 'matched DANE-EE 3 1 1' }],
  },
  {
    domain: 'dane-wrong.test',
    special: 'its only host has the wrong key',
    is: { signed: true },
    hosts: { mx1: { certificate: 'other', tlsa: '3 1 1 of leaf' } },
    expect: [{ deferred: '4.7.5', because: 'none of 1 TLSA record matches its certificate' }],
  },
  {
    domain: 'dane-stripped.test',
    special: 'TLSA record, but somebody removed STARTTLS',
    is: { signed: true },
    hosts: { mx1: { tlsa: '3 1 1', offersTls: false } },
    expect: [{ deferred: '4.7.4', because: 'STARTTLS is not offered' }],
  },
  {
    domain: 'dane-injected.test',
    special: 'somebody added a line behind the reply to STARTTLS',
    is: { signed: true },
    hosts: { mx1: { tlsa: '3 1 1', starttls: '220 go ahead\n250 believe me' } },
    expect: [{ deferred: '4.7.5', because: 'an injection' }],
  },
  {
    domain: 'tlsa-bogus.test',
    special: 'signature of its TLSA record is invalid',
    is: { signed: true },
    hosts: { mx1: { tlsa: '3 1 1', tlsaDns: { security: 'bogus' } } },
    expect: [{ deferred: '4.7.5', because: 'TLSA lookup failed' }],
  },
  {
    domain: 'tlsa-silent.test',
    special: 'lookup of its TLSA record fails: who knows what it says',
    is: { signed: true },
    hosts: { mx1: { tlsaDns: { trouble: 'servfail' } } },
    expect: [{ deferred: '4.7.5', because: 'TLSA lookup failed' }],
  },
  {
    domain: 'mx-bogus.test',
    special: 'signature of its MX record is invalid',
    is: { security: 'bogus' },
    expect: [{ deferred: '4.4.3', because: 'MX lookup failed' }],
  },
  {
    domain: 'tlsa-unusable.test',
    special: 'TLSA records of a kind that SMTP does not use: TLS all the same',
    is: { signed: true },
    hosts: { mx1: { tlsa: ['0 0 1', '1 1 1'] } },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'certificate valid for mx1' }],
  },
  {
    domain: 'mx-unsigned.test',
    special: 'host is signed and has a TLSA record, the MX record is not',
    is: { signed: false },
    hosts: { mx1: { signed: true, tlsa: '3 1 1' } },
    expect: [{ delivered: 'mx1', level: 'Trusted', because: 'matched DANE-EE 3 1 1' }],
  },
]

const mtaSts: readonly Scenario[] = [
  {
    domain: 'sts.test',
    special: 'policy in mode enforce, valid certificate',
    is: { sts: {} },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'certificate valid for mx1' }],
  },
  {
    domain: 'sts-expired.test',
    special: 'policy in mode enforce, certificate has expired',
    is: { sts: {} },
    hosts: { mx1: { certificate: 'expired' } },
    expect: [{ deferred: '4.7.5', because: 'CERT_HAS_EXPIRED' }],
  },
  {
    domain: 'sts-stripped.test',
    special: 'policy in mode enforce, but somebody removed STARTTLS',
    is: { sts: {} },
    hosts: { mx1: { offersTls: false } },
    expect: [{ deferred: '4.7.4', because: 'STARTTLS is not offered' }],
  },
  {
    domain: 'sts-forged.test',
    special: 'forged MX record: perfect DANE, but not a host of the policy',
    is: { sts: { mx: ['mail.sts-forged.test'] } },
    hosts: { mx1: { signed: true, tlsa: '3 1 1' } },
    expect: [{ deferred: '4.7.5', because: 'does not list mx1' }],
  },
  {
    domain: 'sts-testing.test',
    special: 'policy in mode testing, no STARTTLS: only reported',
    is: { sts: { mode: 'testing' } },
    hosts: { mx1: { offersTls: false } },
    expect: [{ delivered: 'mx1', level: 'clear text', because: 'STARTTLS is not offered' }],
  },
  {
    domain: 'sts-unproved.test',
    special: 'policy host has a self-signed certificate: as without a policy',
    is: { sts: { certificate: 'self-signed', mx: ['mail.sts-unproved.test'] } },
    expect: [{ delivered: 'mx1', level: 'Trusted', because: 'certificate valid for mx1' }],
  },
  {
    domain: 'dane-and-sts.test',
    special: 'DANE holds, the policy lists other hosts: DANE decides',
    is: { signed: true, sts: { mx: ['mail.dane-and-sts.test'] } },
    hosts: { mx1: { tlsa: '3 1 1' } },
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'matched DANE-EE 3 1 1' }],
  },
]

const withoutPolicy: readonly Scenario[] = [
  {
    domain: 'valid.test',
    special: 'certificate is valid',
    expect: [{ delivered: 'mx1', level: 'Trusted', because: 'certificate valid for mx1' }],
  },
  {
    domain: 'self-signed.test',
    special: 'certificate is self-signed: refused once, the retry accepts it, and the next message goes at once',
    hosts: { mx1: { certificate: 'self-signed' } },
    expect: [
      { deferred: '4.7.5', because: 'refused at a first attempt' },
      { delivered: 'mx1', level: 'Untrusted', because: 'relax-after-tls-failure' },
      { again: true, delivered: 'mx1', level: 'Untrusted', because: 'accepted: known since' },
    ],
  },
  {
    domain: 'new-key.test',
    special: 'the same, and then another certificate that is not valid either',
    hosts: { mx1: { certificate: 'self-signed' } },
    expect: [
      { deferred: '4.7.5', because: 'refused at a first attempt' },
      { delivered: 'mx1', level: 'Untrusted', because: 'relax-after-tls-failure' },
      {
        ...{ again: true, changed: { mx1: { certificate: 'foreign' } } },
        ...{ deferred: '4.7.5', because: 'presents another invalid certificate than the one known since' },
      },
    ],
  },
  {
    domain: 'plain.test',
    special: 'has no STARTTLS',
    hosts: { mx1: { offersTls: false } },
    expect: [{ delivered: 'mx1', level: 'clear text', because: 'STARTTLS is not offered' }],
  },
  {
    domain: 'broken-tls.test',
    special: 'STARTTLS ends in a broken connection',
    hosts: { mx1: { handshake: 'reset' } },
    expect: [{ delivered: 'mx1', level: 'clear text', because: 'plaintext-fallback' }],
  },
  {
    domain: 'second-address.test',
    special: 'its enforced policy is kept at the second of its addresses',
    is: { sts: {} },
    addresses: [{ offersTls: false }, {}],
    expect: [{ delivered: 'mx1', level: 'Verified', because: 'certificate valid for mx1' }],
  },
  {
    domain: 'second-host.test',
    special: 'first host hangs up, second is fine',
    is: { mx: ['mx1', 'mx2'] },
    hosts: { mx1: { greeting: hangUp } },
    expect: [{ delivered: 'mx2', level: 'Trusted', because: 'certificate valid for mx2' }],
  },
]

const rulesAndRoutes: readonly Scenario[] = [
  {
    domain: 'partner.test',
    special: 'has no STARTTLS, but a rule says starttls = require',
    hosts: { mx1: { offersTls: false } },
    rule: { starttls: 'require', reason: 'contract of 2026' },
    expect: [{ deferred: '4.7.4', because: '[rule:partner.test]: contract of 2026' }],
  },
  {
    domain: 'audited.test',
    special: 'no TLSA record matches, but a rule says audit = true',
    is: { signed: true },
    hosts: { mx1: { certificate: 'self-signed', tlsa: '3 1 1 of leaf' } },
    rule: { audit: true },
    expect: [{ delivered: 'mx1', level: 'Untrusted', because: 'audit: would have been refused' }],
  },
  {
    domain: 'relayed.test',
    special: 'relay with a password, but without STARTTLS',
    hosts: { relay: { offersTls: false, offersAuth: 'always' } },
    relay: { host: 'relay', user: 'demo', password: 'secret' },
    expect: [{ deferred: '4.7.4', because: 'credentials' }],
  },
]

export const chapters: readonly Chapter[] = [
  { title: 'DANE (RFC 7672)', scenarios: dane },
  { title: 'MTA-STS (RFC 8461)', scenarios: mtaSts },
  { title: 'No policy: as good as it gets', scenarios: withoutPolicy },
  { title: 'Rules and routes', scenarios: rulesAndRoutes },
  { title: "The sender's own word (RFC 8689)", scenarios: wishes },
]
