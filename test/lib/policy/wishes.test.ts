import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decideDomain, decideHost, type ReasonCode, type Verdict } from '../../../dist/lib/policy/index.js'
import { describe as show, everyQuestion, underAudit } from './every-question.ts'
import { attempt, byRule, domain, DOMAIN, FAILED_STS, HOST, NO_STS, question, settings, sts, tlsa } from './question.ts'
import type { Changes } from './question.ts'

const usable = { host: { tlsa: tlsa('usable') } }
const insecure = { mxSecurity: 'insecure' } as const
const enforced = { domain: { ...insecure, sts: sts('enforce') } }
const unlisted = { domain: { ...insecure, sts: sts('enforce', false) } }

const requiring = (changes: Changes = {}) => ({
  ...changes,
  attempt: { ...changes.attempt, request: 'requiretls' } as const,
})
const freed = (changes: Changes = {}) => ({
  ...changes,
  attempt: { ...changes.attempt, request: 'tls-required-no' } as const,
})
const report = (changes: Changes = {}) => ({
  ...changes,
  attempt: { ...changes.attempt, request: 'tls-report' } as const,
})

const skipped = (changes: Changes): [ReasonCode, string] => {
  const verdict = decideHost(question(changes))
  assert.ok(verdict.action === 'skip', 'it must not be tried')
  return [verdict.because.code, verdict.because.status]
}

const allowsClear = (verdict: Verdict): boolean =>
  verdict.action === 'attempt' &&
  (verdict.tls === 'none' || verdict.clearTextWithoutStarttls || verdict.clearTextAfterFailure || verdict.audit)

describe('REQUIRETLS', () => {
  test('Q1: an unsigned MX record, and no MTA-STS policy: no host qualifies', () => {
    const failure = ['requiretls-mx-not-validated', '5.7.30']
    assert.deepEqual(skipped(requiring({ domain: insecure })), failure)
    assert.deepEqual(skipped(requiring({ domain: { ...insecure, sts: undefined } })), failure)
  })

  test('Q1: usable TLSA behind an unsigned MX record does not validate the name', () => {
    assert.deepEqual(skipped(requiring({ ...usable, domain: insecure })), ['requiretls-mx-not-validated', '5.7.30'])
  })

  test('Q1: a policy in testing, or of mode none, does not validate the name', () => {
    for (const mode of ['testing', 'none'] as const)
      assert.equal(skipped(requiring({ domain: { ...insecure, sts: sts(mode) } }))[0], 'requiretls-mx-not-validated')
  })

  test('Q1: where mta-sts = require makes a policy in testing an enforced one, it does', () => {
    const required = settings({ mtaSts: 'require' })
    const verdict = attempt(requiring({ settings: required, domain: { ...insecure, sts: sts('testing') } }))
    assert.deepEqual([verdict.tls, verdict.proofs], ['required', ['pkix']])
  })

  test('Q3: an enforced policy that lists the host validates its name', () => {
    const verdict = attempt(requiring(enforced))
    assert.deepEqual([verdict.tls, verdict.proofs, verdict.because.code], ['required', ['pkix'], 'sts-policy-enforced'])
  })

  test('Q3: a host that the enforced policy does not list fails for good', () => {
    assert.deepEqual(skipped(requiring(unlisted)), ['sts-policy-mx-mismatch', '5.7.30'])
  })

  test('Q1: a signed MX record is enough, with PKIX or with DANE', () => {
    const pkix = attempt(requiring())
    assert.deepEqual([pkix.tls, pkix.proofs, pkix.because.code], ['required', ['pkix'], 'requiretls'])
    const dane = attempt(requiring(usable))
    assert.deepEqual([dane.tls, dane.proofs, dane.because.code], ['required', ['dane'], 'dane-match'])
  })

  test('Q3: without an MX record the name is the domain itself', () => {
    const implicit = { ...insecure, isImplicitMx: true }
    assert.deepEqual(attempt(requiring({ domain: implicit, host: { name: DOMAIN } })).proofs, ['pkix'])
  })

  test('Q3: a static route needs no MX record, but a proved certificate, whatever static routes need otherwise', () => {
    const route = { route: 'static', mxSecurity: 'not-looked-up', sts: undefined } as const
    const verdict = attempt(requiring({ domain: route, settings: settings({ allowInvalidCerts: true }) }))
    assert.deepEqual([verdict.tls, verdict.proofs, verdict.leniency], ['required', ['pkix'], undefined])
  })

  test('Q1: TLSA of which none is usable: PKIX', () => {
    const verdict = attempt(requiring({ host: { tlsa: tlsa('unusable') } }))
    assert.deepEqual([verdict.tls, verdict.proofs], ['required', ['pkix']])
  })

  test('no setting relaxes or audits it', () => {
    const lenient = settings({ allowInvalidCerts: true, audit: true, harakaTls: 'none', plaintextFallback: true })
    const verdict = attempt(requiring({ settings: lenient, attempt: { mayRelax: true } }))
    assert.deepEqual([verdict.tls, verdict.proofs, verdict.leniency], ['required', ['pkix'], undefined])
    assert.equal(allowsClear(verdict), false)
    assert.match(verdict.warning ?? '', /no_tls_hosts.*REQUIRETLS/)
  })

  test('a rule that disables STARTTLS keeps the message from the host, for good', () => {
    assert.deepEqual(skipped(requiring({ settings: byRule('starttls', { starttls: 'disable' }) })), [
      'starttls-disabled',
      '5.7.10',
    ])
    const withPolicy = { settings: byRule('starttls', { starttls: 'disable' }), ...usable }
    assert.deepEqual(skipped(requiring(withPolicy)), ['starttls-disabled', '5.7.10'])
  })

  test('T27: nothing fails for good by a policy that could not be looked up or fetched just now', () => {
    for (const why of ['lookup-failed', 'fetch-failed', 'backed-off'] as const) {
      const none = { status: 'none', why, text: 'no MTA-STS policy: nobody answers' } as const
      const failure = ['requiretls-mx-not-validated', '4.7.5']
      assert.deepEqual(skipped(requiring({ domain: { ...insecure, sts: none } })), failure)
      const survives = { why, source: 'cached-after-failure' } as const
      assert.deepEqual(
        skipped(requiring({ domain: { ...insecure, sts: { ...sts('testing'), ...survives } } })),
        failure,
      )
      const other = { ...insecure, sts: { ...sts('enforce', false), ...survives } }
      assert.deepEqual(skipped(requiring({ domain: other })), ['sts-policy-mx-mismatch', '4.7.5'])
    }
    for (const why of ['no-record', 'several-records', 'malformed-record'] as const) {
      const none = { ...NO_STS, why }
      assert.equal(skipped(requiring({ domain: { ...insecure, sts: none } }))[1], '5.7.30')
    }
  })

  test('what may be better tomorrow stays temporary: lookups, and what the administrator requires', () => {
    assert.deepEqual(skipped(requiring({ host: { tlsa: tlsa('failed') } })), ['tlsa-lookup-failed', '4.7.5'])
    assert.deepEqual(skipped(requiring({ settings: settings({ dane: 'require' }) })), ['dane-required', '4.7.5'])
    const addresses = { status: 'failed', text: 'SERVFAIL', bogus: false } as const
    assert.deepEqual(skipped(requiring({ host: { addresses } })), ['address-lookup-failed', '4.4.3'])
  })

  test('what an audit or TLS-Required: No lets pass defers its domain', () => {
    const audit = settings({ audit: true, mtaSts: 'require' })
    assert.equal(decideDomain(audit, domain({ sts: NO_STS }), 'requiretls').action, 'defer')
    assert.equal(decideDomain(settings(), domain({ sts: FAILED_STS }), 'requiretls').action, 'defer')
  })

  test('Q1: of every question there is, none leads to a host without a proved certificate, a validated name, or in clear', () => {
    for (const one of everyQuestion()) {
      const asked = { ...underAudit(one), attempt: { ...one.attempt, request: 'requiretls' as const } }
      const verdict = decideHost(asked)
      if (verdict.action === 'skip') continue
      const { mxSecurity, sts: evidence } = one.domain
      const policy = one.settings.mtaSts === 'disable' ? undefined : evidence?.policy
      const enforces = policy?.mode === 'enforce' || (policy?.mode === 'testing' && one.settings.mtaSts === 'require')
      const validated = mxSecurity !== 'insecure' || (enforces && policy.mx.includes(HOST))
      assert.ok(validated && verdict.tls === 'required' && verdict.proofs.length > 0, show(asked))
      assert.ok(!allowsClear(verdict) && verdict.leniency === undefined, show(asked))
    }
  })
})

describe('TLS-Required: No', () => {
  const open = (verdict: Verdict): void => {
    assert.ok(verdict.action === 'attempt' && verdict.audit)
    assert.ok(verdict.clearTextWithoutStarttls && verdict.clearTextAfterFailure)
    assert.notEqual(verdict.tls, 'none')
  }

  test('Q7: nothing that the domain publishes holds the message back', () => {
    open(attempt(freed(usable)))
    open(attempt(freed({ host: { tlsa: tlsa('unusable') } })))
    open(attempt(freed({ host: { tlsa: tlsa('failed') } })))
    open(attempt(freed(enforced)))
    open(attempt(freed(unlisted)))
  })

  test('Q7: a certificate that does not validate does not hold it back either', () => open(attempt(freed())))

  test('Q8: what would have been refused is named, and what must match goes on being asked for', () => {
    assert.equal(attempt(freed(unlisted)).wouldSkip?.code, 'sts-policy-mx-mismatch')
    const verdict = attempt(freed(usable))
    assert.deepEqual([verdict.proofs, verdict.applied.tlsa?.baseDomain], [['dane'], HOST])
  })

  test('a policy cache that cannot be read defers no such message', () => {
    assert.equal(decideDomain(settings(), domain({ sts: FAILED_STS }), 'tls-required-no').action, 'proceed')
    open(attempt(freed({ domain: { sts: FAILED_STS } })))
  })

  test('what the administrator requires still holds', () => {
    const starttls = attempt(freed({ settings: settings({ starttls: 'require' }) }))
    assert.deepEqual([starttls.tls, starttls.proofs, allowsClear(starttls)], ['required', ['pkix'], false])
    assert.equal(skipped(freed({ settings: settings({ dane: 'require' }) }))[0], 'dane-required')
    const matching = attempt(freed({ ...usable, settings: settings({ dane: 'require' }) }))
    assert.deepEqual([matching.proofs, allowsClear(matching)], [['dane'], false])
    const required = settings({ mtaSts: 'require' })
    assert.equal(decideDomain(required, domain({ sts: NO_STS }), 'tls-required-no').action, 'defer')
    assert.equal(skipped(freed({ ...unlisted, settings: required }))[0], 'sts-policy-mx-mismatch')
  })

  test('where STARTTLS is required, a policy of the domain is passed over, and recorded', () => {
    const verdict = attempt(freed({ ...unlisted, settings: settings({ starttls: 'require' }) }))
    assert.deepEqual([verdict.tls, verdict.proofs], ['required', ['pkix']])
    assert.equal(verdict.wouldSkip?.code, 'sts-policy-mx-mismatch')
    assert.equal(verdict.applied.sts?.mode, 'enforce')
  })

  test('where STARTTLS is disabled, DANE does not keep the message from the host', () => {
    const verdict = attempt(freed({ ...usable, settings: byRule('starttls', { starttls: 'disable' }) }))
    assert.deepEqual([verdict.tls, verdict.wouldSkip?.code], ['none', 'starttls-disabled'])
  })

  test('credentials are shown to nobody who did not prove who he is', () => {
    const verdict = attempt(freed({ attempt: { credentials: true } }))
    assert.deepEqual([verdict.tls, verdict.proofs, allowsClear(verdict)], ['required', ['pkix'], false])
  })

  test('nothing about a host without an address changes', () => {
    const addresses = { status: 'absent', text: 'no such name' } as const
    assert.equal(skipped(freed({ host: { addresses } }))[0], 'no-address')
  })
})

describe('a TLS report of ours (R22)', () => {
  test('goes out whatever fails, also what the administrator requires', () => {
    for (const required of [{ starttls: 'require' }, { dane: 'require' }, { mtaSts: 'require' }] as const) {
      const verdict = attempt(report({ settings: settings(required) }))
      assert.ok(verdict.audit && verdict.clearTextWithoutStarttls && verdict.clearTextAfterFailure)
      assert.equal(decideDomain(settings(required), domain({ sts: FAILED_STS }), 'tls-report').action, 'proceed')
    }
  })

  test('credentials are shown to nobody all the same', () => {
    const verdict = attempt(report({ attempt: { credentials: true } }))
    assert.deepEqual([verdict.tls, verdict.proofs, allowsClear(verdict)], ['required', ['pkix'], false])
  })
})
