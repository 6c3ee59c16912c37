/**
 * The destinations of which two mail servers, this one and Postfix, say what they make of them.
 *
 * @module
 */
import type { Behaviour } from '../internet/behaviour.ts'
import type { Presented } from '../internet/certificates.ts'
import type { Signing } from './zones.ts'

/** Postfix's word for a connection that would get the mail; `refused`: none does, and it waits. */
export type Word = 'Verified' | 'Trusted' | 'Untrusted' | 'refused'

export interface HostWish extends Partial<Pick<Behaviour, 'offersTls' | 'maxVersion'>> {
  /** default: leaf */
  readonly certificate?: Presented
  /** "3 1 1", "2 0 1 of root", as in the private internet; of a host that is an alias: of what is behind it */
  readonly tlsa?: readonly string[]
  /** the host is an alias of this one */
  readonly cname?: string
}

export interface ZoneWish {
  /** the MX host names in the order of preference; one without a dot is in this zone. Default: mx */
  readonly mx?: readonly string[]
  /** default: mx, as it should be, without TLSA records */
  readonly hosts?: Readonly<Record<string, HostWish>>
  /** default: nsec */
  readonly signing?: Signing
  readonly corrupted?: readonly string[]
  /** its name server has lost it: SERVFAIL */
  readonly lost?: boolean
  readonly records?: readonly string[]
}

export interface Scenario {
  readonly id: string
  readonly says: string
  /** by name, without ".test". The first one is the recipient domain. */
  readonly zones: Readonly<Record<string, ZoneWish>>
  readonly word: Word
  /** where Postfix has another word: which, and why that is as it should be */
  readonly postfix?: { readonly word: Word; readonly because: string }
  /** what the log says of the refusal */
  readonly log?: RegExp
}

const lookedUpInsecurely = {
  word: 'Verified',
  because:
    'posttls-finger judges the name whoever told it; a name from an unsigned MX record proves nothing to us (D24)',
} as const

/** A zone with one host. */
function host(wish: HostWish, zone: ZoneWish = {}): ZoneWish {
  return { hosts: { mx: wish }, ...zone }
}

const ee = { tlsa: ['3 1 1'] }

export const scenarios: readonly Scenario[] = [
  {
    id: 'D13',
    says: 'a certificate that a DANE-EE record matches',
    zones: { secure: host(ee) },
    word: 'Verified',
  },
  {
    id: 'D13',
    says: 'a certificate that no TLSA record matches',
    zones: { mismatch: host({ tlsa: ['3 1 1 of other'] }) },
    word: 'refused',
    log: /none of 1 TLSA record matches its certificate/,
  },
  {
    id: 'D13',
    says: 'a first host that no TLSA record matches, and a second one',
    zones: { second: { mx: ['mx1', 'mx2'], hosts: { mx1: { tlsa: ['3 1 1 of other'] }, mx2: ee } } },
    word: 'Verified',
    postfix: {
      word: 'refused',
      because: 'posttls-finger stops at the first host that speaks TLS, where Postfix goes on',
    },
  },
  {
    id: 'D35',
    says: 'TLSA records, and no STARTTLS',
    zones: { stripped: host({ ...ee, offersTls: false }) },
    word: 'refused',
    log: /STARTTLS is not offered/,
  },
  {
    id: 'D37',
    says: 'DANE-EE and a certificate that has expired',
    zones: { expired: host({ ...ee, certificate: 'expired' }) },
    word: 'Verified',
  },
  {
    id: 'D37',
    says: 'DANE-EE and a certificate for another name',
    zones: { 'other-name': host({ ...ee, certificate: 'other-name' }) },
    word: 'Verified',
  },
  {
    id: 'D41',
    says: 'DANE-TA with the whole chain',
    zones: { 'dane-ta': host({ certificate: 'with-root', tlsa: ['2 0 1 of root'] }) },
    word: 'Verified',
  },
  {
    id: 'D41',
    says: 'DANE-TA and a certificate for another name',
    zones: { 'dane-ta-name': host({ certificate: 'other-name', tlsa: ['2 1 1 of intermediate'] }) },
    word: 'refused',
    log: /certificate is for somewhere-else\.test/,
  },
  {
    id: 'D41',
    says: 'DANE-TA and a certificate that has expired',
    zones: { 'dane-ta-expired': host({ certificate: 'expired', tlsa: ['2 1 1 of intermediate'] }) },
    word: 'refused',
    log: /refused mx/,
  },
  {
    id: 'K8',
    says: 'DANE-TA with a trust anchor that is only in DNS',
    zones: { 'dane-ta-dns': host({ tlsa: ['2 0 0 of root'] }) },
    word: 'Verified',
  },
  {
    id: 'K8',
    says: "DANE-TA with a trust anchor's digest, and a chain without it",
    zones: { 'dane-ta-absent': host({ tlsa: ['2 0 1 of root'] }) },
    word: 'refused',
    log: /refused mx/,
  },
  {
    id: 'D14',
    says: 'only unusable TLSA records, and a certificate that is valid',
    zones: { unusable: host({ tlsa: ['1 1 1', '3 1 1 00ff'] }) },
    word: 'Verified',
    postfix: { word: 'Trusted', because: 'Postfix asks for no name here; we do, unless allow-invalid-certs is set' },
  },
  {
    id: 'D14',
    says: 'only unusable TLSA records, and no STARTTLS',
    zones: { 'unusable-clear': host({ tlsa: ['1 1 1'], offersTls: false }) },
    word: 'refused',
    log: /STARTTLS is not offered/,
  },
  {
    id: 'D14',
    says: 'only unusable TLSA records, and a self-signed certificate',
    zones: { 'unusable-self': host({ tlsa: ['1 1 1'], certificate: 'self-signed' }) },
    word: 'refused',
    log: /does not validate/,
    postfix: {
      word: 'Untrusted',
      because: 'Postfix asks for no authentication here; we do, unless allow-invalid-certs is set',
    },
  },
  {
    id: 'K11',
    says: 'a SHA2-256 record that matches beside a SHA2-512 record that does not',
    zones: { agility: host({ tlsa: ['3 1 1', '3 1 2 of other'] }) },
    word: 'refused',
    log: /matches, but does not count beside 3 1 2/,
  },
  {
    id: 'K1',
    says: 'a malformed TLSA record beside one that matches',
    zones: { malformed: host({ tlsa: ['3 1 1 00ff', '3 1 1'] }) },
    word: 'Verified',
  },
  {
    id: 'D31',
    says: 'TLSA records whose signature is wrong',
    zones: { 'bogus-tlsa': host(ee, { corrupted: ['TLSA'] }) },
    word: 'refused',
    log: /DNSSEC bogus/,
  },
  {
    id: 'D31',
    says: 'addresses whose signature is wrong',
    zones: { 'bogus-address': host(ee, { corrupted: ['A'] }) },
    word: 'refused',
    log: /DNSSEC bogus/,
  },
  {
    id: 'D6',
    says: 'MX records whose signature is wrong',
    zones: { 'bogus-mx': host(ee, { corrupted: ['MX'] }) },
    word: 'refused',
    log: /DNSSEC bogus/,
  },
  {
    id: 'D6',
    says: 'a zone whose signatures have expired',
    zones: { 'expired-zone': host(ee, { signing: 'expired' }) },
    word: 'refused',
    log: /lookup failed .*EDE/,
  },
  {
    id: 'D15',
    says: 'an unsigned zone, and TLSA records that do not match',
    zones: { insecure: host({ tlsa: ['3 1 1 of other'] }, { signing: 'insecure' }) },
    word: 'Trusted',
    postfix: lookedUpInsecurely,
  },
  {
    id: 'D15',
    says: 'a signed zone without TLSA records',
    zones: { 'no-tlsa': host({}) },
    word: 'Verified',
  },
  {
    id: 'D5',
    says: 'a zone signed with NSEC3, without TLSA records',
    zones: { 'no-tlsa-nsec3': host({}, { signing: 'nsec3' }) },
    word: 'Verified',
  },
  {
    id: 'D5',
    says: 'a zone signed with NSEC3, whose denial is signed wrongly',
    zones: { 'bogus-nsec3': host({}, { signing: 'nsec3', corrupted: ['NSEC3'] }) },
    word: 'refused',
  },
  {
    id: 'D29',
    says: 'an MX host that is a secure alias, with TLSA records at what it is an alias of',
    zones: {
      alias: host({ cname: 'mx.alias-target.test' }),
      'alias-target': host(ee),
    },
    word: 'Verified',
  },
  {
    id: 'D36',
    says: 'an MX host that is a secure alias, with TLSA records at its own name only',
    zones: {
      'alias-own': host({ cname: 'mx.alias-bare.test', tlsa: ['3 1 1'] }),
      'alias-bare': host({}),
    },
    word: 'Verified',
  },
  {
    id: 'D29',
    says: 'an MX host that is an alias of an insecure name, with TLSA records at its own name',
    zones: {
      'alias-out': host({ cname: 'mx.alias-insecure.test', tlsa: ['3 1 1'] }),
      'alias-insecure': host({}, { signing: 'insecure' }),
    },
    word: 'Verified',
  },
  {
    id: 'D33',
    says: 'a TLSA name that is a secure alias',
    zones: {
      'tlsa-alias': host({}, { records: ['{tlsa mx} CNAME {tlsa mx.tlsa-alias-target.test}'] }),
      'tlsa-alias-target': host({ tlsa: ['3 1 1 of other'] }),
    },
    word: 'refused',
    log: /matches its certificate/,
  },
  {
    id: 'D22',
    says: 'an unsigned MX record, and a signed host with TLSA records',
    zones: {
      'mx-insecure': { mx: ['mx.mx-signed.test'], hosts: {}, signing: 'insecure' },
      'mx-signed': host(ee),
    },
    word: 'Trusted',
  },
  {
    id: 'D13',
    says: 'an unsigned MX record, and a signed host whose TLSA records do not match',
    zones: {
      'mx-insecure-mismatch': { mx: ['mx.mx-signed-mismatch.test'], hosts: {}, signing: 'insecure' },
      'mx-signed-mismatch': host({ tlsa: ['3 1 1 of other'] }),
    },
    word: 'refused',
    log: /matches its certificate/,
  },
  {
    id: 'D8',
    says: 'TLSA records on a name server that fails',
    zones: { 'lost-tlsa': host({}), '_tcp.mx.lost-tlsa': { lost: true } },
    word: 'refused',
    log: /TLSA lookup failed .*SERVFAIL/,
  },
  {
    id: 'D28',
    says: 'an insecure host whose TLSA name server fails: nobody asks it',
    zones: {
      'lost-insecure': host({}, { signing: 'insecure' }),
      '_tcp.mx.lost-insecure': { lost: true, signing: 'insecure' },
    },
    word: 'Trusted',
    postfix: lookedUpInsecurely,
  },
  {
    id: 'D6',
    says: 'a domain whose name server fails',
    zones: { lost: { lost: true } },
    word: 'refused',
    log: /MX lookup failed .*SERVFAIL/,
  },
]
