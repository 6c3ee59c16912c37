import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decideHost, type ReasonCode, type TlsLevel } from '../../../dist/lib/policy/index.js'
import { FAILED_STS, byRule, question, settings, sts, tlsa, type Changes } from './question.ts'

/** What a verdict comes to, short enough to be compared at a glance. */
type Proofs = 'no proof' | 'pkix' | 'dane' | 'dane and pkix'
type Summary = readonly ['skip', ReasonCode, string] | readonly [TlsLevel, Proofs, 'clear text' | 'never clear text']

function summary(changes: Changes): Summary {
  const verdict = decideHost(question(changes))
  if (verdict.action === 'skip') return ['skip', verdict.because.code, verdict.because.status]
  const clear = verdict.clearTextWithoutStarttls || verdict.clearTextAfterFailure
  const proofs = verdict.proofs.join(' and ') || 'no proof'
  return [verdict.tls, proofs as Proofs, clear ? 'clear text' : 'never clear text']
}

const usable = { host: { tlsa: tlsa('usable') } }
const unusable = { host: { tlsa: tlsa('unusable') } }
const relay = { route: 'static', mxSecurity: 'not-looked-up' } as const
const insecure = { mxSecurity: 'insecure' } as const
const enforced = { domain: { sts: sts('enforce') } }
const unlisted = { domain: { sts: sts('enforce', false) } }
const lenient = settings({ allowInvalidCerts: true })

const pkix = ['required', 'pkix', 'never clear text'] as const
const dane = ['required', 'dane', 'never clear text'] as const
const both = ['required', 'dane and pkix', 'never clear text'] as const
const asWithout = ['opportunistic', 'pkix', 'clear text'] as const
const encrypted = ['required', 'no proof', 'never clear text'] as const

const rows: readonly (readonly [string, Changes, Summary])[] = [
  // lookup of MX, address or TLSA failed or bogus
  [
    'D31: an address lookup that failed: skipped',
    { host: { addresses: { status: 'failed', text: 'SERVFAIL', bogus: false } } },
    ['skip', 'address-lookup-failed', '4.4.3'],
  ],
  [
    'D27: a host without addresses: skipped',
    { host: { addresses: { status: 'absent', text: 'no such name' } } },
    ['skip', 'no-address', '4.4.3'],
  ],
  ['D8, D16: TLSA lookup failed: skipped', { host: { tlsa: tlsa('failed') } }, ['skip', 'tlsa-lookup-failed', '4.7.5']],
  ['D8: TLSA lookup bogus: skipped', { host: { tlsa: tlsa('bogus') } }, ['skip', 'tlsa-lookup-failed', '4.7.5']],
  [
    'decision 2: TLSA lookup failed, and STS enforce would be satisfied: skipped all the same (D8, T31)',
    { ...enforced, host: { tlsa: tlsa('failed') } },
    ['skip', 'tlsa-lookup-failed', '4.7.5'],
  ],
  // secure TLSA
  ['D13, D40: secure TLSA, one usable: DANE', usable, dane],
  ['D13: allow-invalid-certs is no way around DANE', { ...usable, settings: lenient }, dane],
  ['D14, K13: secure TLSA, none usable: TLS, PKIX', unusable, pkix],
  ['D14: secure TLSA, none usable, allow-invalid-certs: TLS', { ...unusable, settings: lenient }, encrypted],
  [
    'decision 3: secure TLSA, none usable, STS enforce: PKIX, whatever allow-invalid-certs says',
    { ...unusable, ...enforced, settings: lenient },
    pkix,
  ],
  [
    'D14: secure TLSA, none usable, a retry: TLS, and any certificate',
    { ...unusable, attempt: { mayRelax: true } },
    encrypted,
  ],
  [
    'D14: secure TLSA, none usable, a retry with credentials: PKIX',
    { ...unusable, attempt: { mayRelax: true, credentials: true } },
    pkix,
  ],
  // dane = require
  [
    'D21: dane = require, MX record insecure: skipped',
    { ...usable, domain: insecure, settings: settings({ dane: 'require' }) },
    ['skip', 'dane-required', '4.7.5'],
  ],
  [
    'D46: dane = require, none usable: skipped',
    { ...unusable, settings: settings({ dane: 'require' }) },
    ['skip', 'dane-required', '4.7.5'],
  ],
  [
    'D17: dane = require, no TLSA: skipped',
    { settings: settings({ dane: 'require' }) },
    ['skip', 'dane-required', '4.7.5'],
  ],
  [
    'dane = require is not satisfied by STS',
    { ...enforced, settings: settings({ dane: 'require' }) },
    ['skip', 'dane-required', '4.7.5'],
  ],
  ['dane = require, usable: DANE', { ...usable, settings: settings({ dane: 'require' }) }, dane],
  [
    'dane = require for a static route: its own TLSA will do (D30)',
    { ...usable, domain: { mxSecurity: 'not-looked-up', route: 'static' }, settings: settings({ dane: 'require' }) },
    dane,
  ],
  // dane = disable
  [
    'dane = disable: records that somebody found all the same count for nothing',
    { ...usable, settings: settings({ dane: 'disable' }) },
    asWithout,
  ],
  [
    'dane = disable: nor does a lookup that failed',
    { host: { tlsa: tlsa('failed') }, settings: settings({ dane: 'disable' }) },
    asWithout,
  ],
  // insecure-mx
  ['D22: insecure-mx = dane: DANE', { ...usable, domain: insecure }, dane],
  [
    'insecure-mx = dane, none usable: TLS',
    { ...unusable, domain: insecure, settings: settings({ allowInvalidCerts: true }) },
    encrypted,
  ],
  [
    'D22: insecure-mx = encrypt: TLS, PKIX as without TLSA',
    { ...usable, domain: insecure, settings: settings({ insecureMx: 'encrypt' }) },
    pkix,
  ],
  [
    'insecure-mx = encrypt, a retry: TLS, and any certificate',
    { ...usable, domain: insecure, settings: settings({ insecureMx: 'encrypt' }), attempt: { mayRelax: true } },
    encrypted,
  ],
  [
    'insecure-mx = encrypt with allow-invalid-certs: TLS',
    { ...usable, domain: insecure, settings: settings({ insecureMx: 'encrypt', allowInvalidCerts: true }) },
    encrypted,
  ],
  [
    'D22: insecure-mx = may: as without TLSA',
    { ...usable, domain: insecure, settings: settings({ insecureMx: 'may' }) },
    asWithout,
  ],
  // one of A and AAAA, addresses as hosts
  [
    'D18: an IP address as MX host: like any host',
    { host: { name: '192.0.2.1', tlsa: { status: 'none', why: 'ip-address' } } },
    asWithout,
  ],
  [
    'T23: an IP address as MX host is in no STS policy',
    { ...enforced, host: { name: '192.0.2.1', tlsa: { status: 'none', why: 'ip-address' } } },
    ['skip', 'sts-policy-mx-mismatch', '4.7.5'],
  ],
  // STS
  ['T25: STS enforce, not listed: skipped', unlisted, ['skip', 'sts-policy-mx-mismatch', '4.7.5']],
  ['T25: STS enforce, listed: PKIX', enforced, pkix],
  ['T25: STS enforce, listed: PKIX whatever allow-invalid-certs says', { ...enforced, settings: lenient }, pkix],
  ['T25: STS enforce: no retry is relaxed', { ...enforced, attempt: { mayRelax: true } }, pkix],
  ['T26: STS testing: as without', { domain: { sts: sts('testing') } }, ['opportunistic', 'pkix', 'clear text']],
  ['T26: STS testing, not listed: as without', { domain: { sts: sts('testing', false) } }, asWithout],
  ['T26: STS none: as without', { domain: { sts: sts('none') } }, ['opportunistic', 'pkix', 'clear text']],
  [
    'mta-sts = disable: a policy that somebody found counts for nothing',
    { ...unlisted, settings: settings({ mtaSts: 'disable' }) },
    asWithout,
  ],
  [
    'mta-sts = require: testing is applied like enforce',
    { domain: { sts: sts('testing') }, settings: settings({ mtaSts: 'require' }) },
    pkix,
  ],
  [
    'mta-sts = require: testing, not listed: skipped',
    { domain: { sts: sts('testing', false) }, settings: settings({ mtaSts: 'require' }) },
    ['skip', 'sts-policy-mx-mismatch', '4.7.5'],
  ],
  [
    'mta-sts = require is a veto: where DANE holds, the policy must be satisfied, too',
    { ...usable, ...enforced, settings: settings({ mtaSts: 'require' }) },
    both,
  ],
  [
    'mta-sts = require is a veto: DANE does not open a host that is not listed',
    { ...usable, ...unlisted, settings: settings({ mtaSts: 'require' }) },
    ['skip', 'sts-policy-mx-mismatch', '4.7.5'],
  ],
  [
    'mta-sts = require, no policy: no host is tried, whatever rules for hosts say',
    { settings: settings({ mtaSts: 'require' }) },
    ['skip', 'sts-required', '4.7.5'],
  ],
  [
    'mta-sts = require for a static route, by a rule of its own, no policy: skipped',
    { settings: settings({ mtaSts: 'require' }), domain: { ...relay, sts: undefined } },
    ['skip', 'sts-required', '4.7.5'],
  ],
  ['RFC 8461 3.4: a relay, STS enforce, listed: PKIX', { domain: { ...relay, sts: sts('enforce') } }, pkix],
  [
    'RFC 8461 3.4: a relay, STS enforce, not listed: skipped',
    { domain: { ...relay, sts: sts('enforce', false) } },
    ['skip', 'sts-policy-mx-mismatch', '4.7.5'],
  ],
  ['a relay whose policy cannot be known: as without', { domain: { ...relay, sts: FAILED_STS } }, asWithout],
  // none of these
  ['starttls = require: TLS, PKIX', { settings: settings({ starttls: 'require' }) }, pkix],
  [
    'starttls = require, allow-invalid-certs: TLS',
    { settings: settings({ starttls: 'require', allowInvalidCerts: true }) },
    encrypted,
  ],
  [
    'starttls = require: no retry is relaxed',
    { settings: settings({ starttls: 'require' }), attempt: { mayRelax: true } },
    pkix,
  ],
  ['D15: starttls = optional: opportunistic, PKIX', {}, ['opportunistic', 'pkix', 'clear text']],
  [
    'starttls = optional, allow-invalid-certs: opportunistic',
    { settings: lenient },
    ['opportunistic', 'no proof', 'clear text'],
  ],
  [
    'starttls = optional, a retry: relaxed',
    { attempt: { mayRelax: true } },
    ['opportunistic', 'no proof', 'clear text'],
  ],
  [
    'relax-after-tls-failure = false: never relaxed',
    { settings: settings({ relaxAfterTlsFailure: false }), attempt: { mayRelax: true } },
    asWithout,
  ],
  // starttls = disable
  ['starttls = disable: no TLS', { settings: settings({ starttls: 'disable' }) }, ['none', 'no proof', 'clear text']],
  [
    'starttls = disable where DANE applies: skipped, 4.7.4',
    { ...usable, settings: settings({ starttls: 'disable' }) },
    ['skip', 'starttls-disabled', '4.7.4'],
  ],
  [
    'starttls = disable where TLSA is unusable: skipped, 4.7.4 (D35)',
    { ...unusable, settings: settings({ starttls: 'disable' }) },
    ['skip', 'starttls-disabled', '4.7.4'],
  ],
  [
    'starttls = disable where STS enforce applies: skipped, 4.7.4',
    { ...enforced, settings: settings({ starttls: 'disable' }) },
    ['skip', 'starttls-disabled', '4.7.4'],
  ],
  [
    'starttls = disable, and the rules disable DANE, too: no TLS',
    { ...usable, settings: settings({ starttls: 'disable', dane: 'disable' }) },
    ['none', 'no proof', 'clear text'],
  ],
  [
    'starttls = disable, and the rules disable STS, too: no TLS',
    { ...enforced, settings: settings({ starttls: 'disable', mtaSts: 'disable' }) },
    ['none', 'no proof', 'clear text'],
  ],
  // no_tls_hosts
  [
    'no_tls_hosts: no TLS where no policy applies',
    { settings: settings({ harakaTls: 'none' }) },
    ['none', 'no proof', 'clear text'],
  ],
  ['no_tls_hosts loses to DANE', { ...usable, settings: settings({ harakaTls: 'none' }) }, dane],
  ['no_tls_hosts loses to STS enforce', { ...enforced, settings: settings({ harakaTls: 'none' }) }, pkix],
  [
    'no_tls_hosts loses to starttls = require',
    { settings: settings({ harakaTls: 'none', starttls: 'require' }) },
    pkix,
  ],
  // credentials
  ['credentials: PKIX', { attempt: { credentials: true } }, pkix],
  [
    'credentials: never relaxed, never an invalid certificate',
    { settings: lenient, attempt: { credentials: true, mayRelax: true } },
    pkix,
  ],
  ['credentials where DANE applies: DANE', { ...usable, attempt: { credentials: true } }, dane],
  [
    'credentials where TLSA is unusable: PKIX whatever allow-invalid-certs says',
    { ...unusable, settings: lenient, attempt: { credentials: true } },
    pkix,
  ],
  [
    'credentials and no_tls_hosts: PKIX',
    { settings: settings({ harakaTls: 'none' }), attempt: { credentials: true } },
    pkix,
  ],
  [
    'credentials and starttls = disable in [main]: skipped',
    { settings: settings({ starttls: 'disable' }), attempt: { credentials: true } },
    ['skip', 'starttls-disabled', '4.7.4'],
  ],
  [
    'credentials and starttls = disable in a rule: as the rule says',
    { settings: byRule('starttls', { starttls: 'disable' }), attempt: { credentials: true } },
    ['none', 'no proof', 'clear text'],
  ],
  ['credentials are not audited', { settings: settings({ audit: true }), attempt: { credentials: true } }, pkix],
  // DANE and STS
  ['decision 1: usable TLSA and STS enforce: DANE decides', { ...usable, ...enforced }, dane],
  ['decision 1: DANE decides for a host that the policy does not list', { ...usable, ...unlisted }, dane],
  ['dane-and-mta-sts = both: both', { ...usable, ...enforced, settings: settings({ daneAndMtaSts: 'both' }) }, both],
  [
    'dane-and-mta-sts = both: not listed: skipped',
    { ...usable, ...unlisted, settings: settings({ daneAndMtaSts: 'both' }) },
    ['skip', 'sts-policy-mx-mismatch', '4.7.5'],
  ],
  ['behind an insecure MX record: both', { ...usable, domain: { ...insecure, sts: sts('enforce') } }, both],
  [
    'behind an insecure MX record, not listed: skipped, for a forged MX may point to perfect TLSA',
    { ...usable, domain: { ...insecure, sts: sts('enforce', false) } },
    ['skip', 'sts-policy-mx-mismatch', '4.7.5'],
  ],
]

describe('the table of decisions', () => {
  for (const [name, changes, expected] of rows) test(name, () => assert.deepEqual(summary(changes), expected))
})
