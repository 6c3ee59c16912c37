import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decideDomain, decideHost } from '../../../dist/lib/policy/index.js'
import { attempt, byRule, domain, DOMAIN, FAILED_STS, HOST, NO_STS, question, RECORD } from './question.ts'
import { settings, sts, tlsa } from './question.ts'

const usable = { host: { tlsa: tlsa('usable') } }
const insecure = { mxSecurity: 'insecure' } as const
const enforced = { domain: { sts: sts('enforce') } }
const unlisted = { domain: { sts: sts('enforce', false) } }

describe('the verdict for a host', () => {
  test('plaintext-fallback = false: clear text where STARTTLS is missing, not where the handshake failed', () => {
    const verdict = attempt({ settings: settings({ plaintextFallback: false }) })
    assert.equal(verdict.clearTextWithoutStarttls, true)
    assert.equal(verdict.clearTextAfterFailure, false)
  })

  test('a static route need not prove its name, and the verdict says why', () => {
    const base = settings({ allowInvalidCerts: true })
    const setBy = { ...base.setBy, allowInvalidCerts: { section: 'static route', key: 'any', explicit: false } }
    const verdict = attempt({ settings: { ...base, setBy }, domain: { route: 'static', mxSecurity: 'not-looked-up' } })
    assert.deepEqual(verdict.proofs, [])
    assert.equal(verdict.leniency, 'static-route')
  })

  test('no_tls_hosts loses with a warning that names the host and the policy', () => {
    const verdict = attempt({ ...usable, settings: settings({ harakaTls: 'none' }) })
    assert.match(verdict.warning ?? '', /no_tls_hosts.*mx1\.example\.test.*DANE/)
    assert.equal(attempt({ settings: settings({ harakaTls: 'none' }) }).warning, undefined)
  })

  test('what is wrong with a hundred unusable records is said in a few words', () => {
    const found = tlsa('unusable')
    assert.ok(found.status === 'found')
    const unusable = Array.from({ length: 100 }, (_, n) => ({ record: RECORD, why: `digest of ${n % 50} octets` }))
    const { text } = attempt({ host: { tlsa: { ...found, unusable } } }).because
    assert.match(text, /digest of 0 octets; .*digest of 4 octets; …\)$/)
  })

  test('D47, T20: SNI is the TLSA base domain where DANE authenticates, else the MX name, never an address', () => {
    const behindAlias = { ...tlsa('usable', 'real.example.net') }
    assert.equal(attempt({ host: { tlsa: behindAlias } }).serverName, 'real.example.net')
    assert.equal(attempt({ host: { tlsa: tlsa('unusable', 'real.example.net') } }).serverName, HOST)
    assert.equal(attempt({ host: { name: '192.0.2.1' } }).serverName, undefined)
  })

  test('D41, D42: base domain, next hop and what it is an alias of may be named behind a secure MX record', () => {
    const names = attempt({ ...usable, domain: { expandedNextHop: 'real.test' } }).referenceIdentifiers
    assert.deepEqual(names, [HOST, DOMAIN, 'real.test'])
  })

  test('D42: behind an insecure MX record the MX name alone may be named', () => {
    assert.deepEqual(attempt({ ...usable, domain: insecure }).referenceIdentifiers, [HOST])
  })

  test('D24: a proof behind an insecure MX record proves the host, not the domain', () => {
    assert.equal(attempt({ ...usable, domain: insecure }).proves, 'host')
    assert.equal(attempt(usable).proves, 'domain')
  })

  test('an enforced policy that lists the host proves the domain behind an insecure MX record, a testing one does not', () => {
    assert.equal(attempt({ domain: { ...insecure, sts: sts('enforce') } }).proves, 'domain')
    assert.equal(attempt({ domain: { ...insecure, sts: sts('testing') } }).proves, 'host')
  })

  test('the policies that applied are kept, whatever decided', () => {
    const { applied } = attempt({ ...usable, ...unlisted })
    assert.equal(applied.tlsa?.baseDomain, HOST)
    assert.equal(applied.sts?.mode, 'enforce')
    assert.equal(applied.stsListsHost, false)
  })

  test('a policy of mode none, or one that is disabled, does not apply', () => {
    assert.equal(attempt({ domain: { sts: sts('none') } }).applied.sts, undefined)
    const off = settings({ mtaSts: 'disable', dane: 'disable' })
    const { applied } = attempt({ ...usable, ...enforced, settings: off })
    assert.deepEqual([applied.sts, applied.tlsa], [undefined, undefined])
  })

  test('a reason names the rule that decided, and what the administrator wrote beside it', () => {
    const verdict = decideHost(question({ settings: byRule('dane', { dane: 'require' }, 'the auditors want it') }))
    assert.match(verdict.because.text, /\[rule:banks\]: the auditors want it/)
  })
})

describe('an audit', () => {
  const audit = settings({ audit: true })

  test('D49: what is refused before connecting is tried opportunistically, and named', () => {
    const verdict = attempt({ ...unlisted, settings: audit })
    assert.equal(verdict.tls, 'opportunistic')
    assert.equal(verdict.wouldSkip?.code, 'sts-policy-mx-mismatch')
    assert.equal(verdict.because.code, 'sts-policy-mx-mismatch')
    assert.ok(verdict.audit && verdict.clearTextWithoutStarttls && verdict.clearTextAfterFailure)
  })

  test('D49: what must match goes on being asked for, so that its failure is seen', () => {
    const verdict = attempt({ ...usable, settings: audit })
    assert.deepEqual([verdict.tls, verdict.proofs, verdict.wouldSkip], ['required', ['dane'], undefined])
    assert.ok(verdict.audit && verdict.clearTextWithoutStarttls && verdict.clearTextAfterFailure)
  })

  test('what would have deferred the domain is named with each of its hosts', () => {
    const required = settings({ audit: true, mtaSts: 'require' })
    assert.equal(decideDomain(required, domain()).action, 'proceed')
    assert.equal(attempt({ settings: required }).wouldSkip?.code, 'sts-required')
    assert.equal(attempt({ settings: audit, domain: { sts: FAILED_STS } }).wouldSkip?.code, 'sts-unavailable')
  })

  test('a host without addresses is skipped: nothing to do with TLS', () => {
    const addresses = { status: 'absent', text: 'no such name' } as const
    assert.equal(decideHost(question({ settings: audit, host: { addresses } })).action, 'skip')
  })
})

describe('the verdict for a domain', () => {
  const required = settings({ mtaSts: 'require' })
  const deferred = (verdict: ReturnType<typeof decideDomain>) =>
    verdict.action === 'defer' ? [verdict.because.code, verdict.because.status] : undefined

  test('mta-sts = require, no policy: deferred, 4.7.5', () => {
    assert.deepEqual(deferred(decideDomain(required, domain({ sts: NO_STS }))), ['sts-required', '4.7.5'])
  })

  test('mta-sts = require, mode none: deferred', () => {
    assert.deepEqual(deferred(decideDomain(required, domain({ sts: sts('none') }))), ['sts-required', '4.7.5'])
  })

  test('mta-sts = require, and nobody looked a policy up (an address literal): deferred', () => {
    assert.deepEqual(deferred(decideDomain(required, domain({ sts: undefined }))), ['sts-required', '4.7.5'])
  })

  test('mta-sts = require, a policy in any other mode: its hosts are judged', () => {
    for (const mode of ['enforce', 'testing'] as const)
      assert.equal(decideDomain(required, domain({ sts: sts(mode) })).action, 'proceed')
  })

  test('the policy cache cannot be read, and live lookup failed: deferred', () => {
    assert.deepEqual(deferred(decideDomain(settings(), domain({ sts: FAILED_STS }))), ['sts-unavailable', '4.7.5'])
  })

  test('the policy cache cannot be read, but mta-sts = disable: goes on', () => {
    assert.equal(decideDomain(settings({ mtaSts: 'disable' }), domain({ sts: FAILED_STS })).action, 'proceed')
  })

  test('T17: a policy that cannot be fetched, none cached: goes on as without one', () => {
    assert.equal(decideDomain(settings(), domain({ sts: NO_STS })).action, 'proceed')
  })
})
