import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  judgeBogusMx,
  judgeFetch,
  judgeSession,
  judgeSkip,
  type Negotiation,
  type PolicyResult,
  type SessionFacts,
} from '../../../../dist/lib/tlsrpt/counting/index.js'
import { decideHost, type AppliedPolicies } from '../../../../dist/lib/policy/index.js'
import {
  domain,
  DOMAIN,
  FAILED_STS,
  host,
  HOST,
  question,
  settings,
  sts,
  stsPolicy,
  tlsa,
  type Changes,
} from '../../policy/question.ts'

const at = new Date('2026-12-01T12:00:00Z')
const refusal = {
  code: 'certificate-not-trusted',
  concern: 'tls',
  text: 'x',
  source: 'RFC 9525 6',
  status: '4.7.5',
} as const

const nothing: AppliedPolicies = { tlsa: undefined, sts: undefined, stsListsHost: false, stsRemark: '' }

function found(kind: 'usable' | 'unusable', name = HOST): AppliedPolicies['tlsa'] {
  const evidence = tlsa(kind, name)
  return evidence.status === 'found' ? evidence : undefined
}

const byTlsa: AppliedPolicies = { ...nothing, tlsa: found('usable') }
const bySts: AppliedPolicies = { ...nothing, sts: stsPolicy('enforce'), stsListsHost: true }
const byTesting: AppliedPolicies = { ...bySts, sts: stsPolicy('testing') }
const byBoth: AppliedPolicies = { ...bySts, tlsa: found('usable') }

type Done = Extract<Negotiation, { status: 'done' }>

function done(
  failures: {
    readonly dane?: Done['daneFailure']
    readonly pkix?: Done['pkixFailure']
    readonly flaw?: Done['chainFlaw']
  } = {},
): Negotiation {
  return { status: 'done', daneFailure: failures.dane, pkixFailure: failures.pkix, chainFlaw: failures.flaw }
}

/** "tlsa mx1.example.test: success", one for each policy. */
function judge(applied: AppliedPolicies, negotiation: Negotiation, changes: Partial<SessionFacts> = {}): string[] {
  const outcome = judgeSession({
    at,
    domain: DOMAIN,
    host: HOST,
    sendingAddress: '192.0.2.9',
    receivingAddress: '192.0.2.1',
    level: 'verified',
    tlsVersion: 'TLSv1.3',
    applied,
    negotiation,
    refusal: undefined,
    ...changes,
  })
  return outcome.results.map(present)
}

function present({ policy, failure }: PolicyResult): string {
  const reason = failure?.reason === undefined ? '' : ` (${failure.reason})`
  return `${policy.type} ${policy.domain}: ${failure === undefined ? 'success' : `${failure.type}${reason}`}`
}

/** R11: only this type should have a reason. */
function reasonOf(type: string): string {
  return type === 'certificate-not-trusted' ? ' (chain-invalid)' : ''
}

/** What is recorded of a host that the decision refuses. */
function judgeRefused(changes: Changes): string[] | undefined {
  const asked = question(changes)
  const verdict = decideHost(asked)
  assert.equal(verdict.action, 'skip')
  return judgeSkip(at, asked.domain, asked.host, verdict.because)?.results.map(present)
}

describe('what a session counts as', () => {
  test('DANE matches: tlsa: success', () => {
    assert.deepEqual(judge(byTlsa, done()), ['tlsa mx1.example.test: success'])
  })

  test('DANE matches, and no root vouches for the certificate: tlsa: success, and nothing else', () => {
    assert.deepEqual(judge(byTlsa, done({ pkix: 'certificate-not-trusted' })), ['tlsa mx1.example.test: success'])
  })

  test('no TLSA record matches, the next MX does: a failure of the first, a success of the second', () => {
    const second: AppliedPolicies = { ...nothing, tlsa: found('usable', 'mx2.example.test') }
    assert.deepEqual(judge(byTlsa, done({ dane: 'dane-no-match' })), [
      'tlsa mx1.example.test: validation-failure (dane-no-match)',
    ])
    assert.deepEqual(judge(second, done()), ['tlsa mx2.example.test: success'])
  })

  for (const wrong of ['certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted'] as const)
    test(`R11: DANE-TA, ${wrong}: a failure of this type`, () => {
      assert.deepEqual(judge(byTlsa, done({ dane: wrong })), [`tlsa mx1.example.test: ${wrong}${reasonOf(wrong)}`])
    })

  test('all TLSA unusable: tlsa-invalid, though mail may be delivered; plus no-policy-found as it went', () => {
    const applied = { ...nothing, tlsa: found('unusable') }
    assert.deepEqual(judge(applied, done()), [
      'tlsa mx1.example.test: tlsa-invalid (tlsa-unusable)',
      'no-policy-found example.test: success',
    ])
    assert.deepEqual(judge(applied, { status: 'not-offered' }), [
      'tlsa mx1.example.test: tlsa-invalid (tlsa-unusable)',
      'no-policy-found example.test: starttls-not-supported (starttls-not-offered)',
    ])
  })

  test('all TLSA unusable under an STS policy: tlsa-invalid, plus sts as it went', () => {
    assert.deepEqual(judge({ ...bySts, tlsa: found('unusable') }, done()), [
      'tlsa mx1.example.test: tlsa-invalid (tlsa-unusable)',
      'sts example.test: success',
    ])
  })

  test('R1: TLSA behind an alias: the policy domain is the TLSA base domain', () => {
    const applied = { ...nothing, tlsa: found('usable', 'real.example.net') }
    assert.deepEqual(judge(applied, done()), ['tlsa real.example.net: success'])
  })

  test('STS satisfied: sts: success', () => {
    assert.deepEqual(judge(bySts, done()), ['sts example.test: success'])
  })

  for (const [mode, applied] of [
    ['enforce', bySts],
    ['testing', byTesting],
  ] as const) {
    for (const wrong of ['certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted'] as const)
      test(`T28, decision 5: STS violation, ${mode}: ${wrong}`, () => {
        const recorded = [`sts example.test: ${wrong}${reasonOf(wrong)}`]
        assert.deepEqual(judge(applied, done({ pkix: wrong }), { refusal }), recorded)
      })

    test(`decision 4: STS ${mode}, the MX is not listed: validation-failure, sts-policy-mx-mismatch`, () => {
      assert.deepEqual(judge({ ...applied, stsListsHost: false }, done()), [
        'sts example.test: validation-failure (sts-policy-mx-mismatch)',
      ])
    })

    test(`T28: STS ${mode}, no STARTTLS: starttls-not-supported`, () => {
      assert.deepEqual(judge(applied, { status: 'not-offered' }), [
        'sts example.test: starttls-not-supported (starttls-not-offered)',
      ])
    })
  }

  test('DANE and STS are judged independently: DANE fails with a valid PKIX certificate', () => {
    assert.deepEqual(judge(byBoth, done({ dane: 'dane-no-match' }), { refusal }), [
      'tlsa mx1.example.test: validation-failure (dane-no-match)',
      'sts example.test: success',
    ])
  })

  test('DANE and STS: DANE matches a certificate that no root vouches for', () => {
    assert.deepEqual(judge(byBoth, done({ pkix: 'certificate-not-trusted' })), [
      'tlsa mx1.example.test: success',
      'sts example.test: certificate-not-trusted (chain-invalid)',
    ])
  })

  test('no policy, STARTTLS not offered or refused: starttls-not-supported', () => {
    assert.deepEqual(judge(nothing, { status: 'not-offered' }), [
      'no-policy-found example.test: starttls-not-supported (starttls-not-offered)',
    ])
    assert.deepEqual(judge(nothing, { status: 'refused' }), [
      'no-policy-found example.test: starttls-not-supported (starttls-refused)',
    ])
  })

  test("a failed handshake: the handshake's failure, under each policy that applied", () => {
    const failed = 'validation-failure (handshake-failed)'
    assert.deepEqual(judge(nothing, { status: 'failed', reason: 'handshake-failed' }), [
      `no-policy-found example.test: ${failed}`,
    ])
    assert.deepEqual(judge(byBoth, { status: 'failed', reason: 'handshake-failed' }), [
      `tlsa mx1.example.test: ${failed}`,
      `sts example.test: ${failed}`,
    ])
  })

  test('accepted because of allow-invalid-certs: no-policy-found: success', () => {
    assert.deepEqual(judge(nothing, done({ pkix: 'certificate-expired' })), ['no-policy-found example.test: success'])
  })

  test('accepted because of allow-invalid-certs, under an STS policy in testing: failure', () => {
    assert.deepEqual(judge(byTesting, done({ pkix: 'certificate-expired' })), ['sts example.test: certificate-expired'])
  })

  test('no policy, the certificate was refused, or would have been but for an audit: failure', () => {
    assert.deepEqual(judge(nothing, done({ pkix: 'certificate-expired' }), { refusal }), [
      'no-policy-found example.test: certificate-expired',
    ])
  })

  test('decision 6: no-policy-found names the recipient domain', () => {
    assert.deepEqual(judge(nothing, done()), ['no-policy-found example.test: success'])
  })

  test("relay: the policy domain is the relay's name", () => {
    assert.deepEqual(judge(nothing, done(), { domain: 'relay.test' }), ['no-policy-found relay.test: success'])
  })

  test('two domains behind one MX: each its own', () => {
    assert.deepEqual(judge(bySts, done(), { domain: 'other.test' }), ['sts other.test: success'])
  })

  test('what a peer presented without a certificate is no word of the list: validation-failure', () => {
    assert.deepEqual(judge(bySts, done({ pkix: 'certificate-missing' }), { refusal }), [
      'sts example.test: validation-failure (certificate-missing)',
    ])
  })

  test('every session has one result for each policy that applied, and one at least', () => {
    const results = [nothing, byTlsa, bySts, byBoth].map((applied) => judge(applied, done()).length)
    assert.deepEqual(results, [1, 1, 1, 2])
  })

  test('the facts about the connection are kept, those about the decision are not', () => {
    const outcome = judgeSession({
      ...{ at, domain: DOMAIN, host: HOST, sendingAddress: '192.0.2.9', receivingAddress: '192.0.2.1' },
      ...{ level: 'trusted', tlsVersion: 'TLSv1.2', applied: nothing, negotiation: done(), refusal: undefined },
    })
    assert.deepEqual(Object.keys(outcome).sort(), [
      ...['at', 'domain', 'host', 'level', 'receivingAddress', 'results', 'sendingAddress', 'tlsVersion'],
    ])
  })
})

describe('what a host counts as that was refused before connecting', () => {
  test('TLSA bogus: tlsa: dnssec-invalid', () => {
    assert.deepEqual(judgeRefused({ host: { tlsa: tlsa('bogus') } }), ['tlsa mx1.example.test: dnssec-invalid'])
  })

  test('TLSA server failure: nothing (RFC 8460 4.3.4)', () => {
    assert.equal(judgeRefused({ host: { tlsa: tlsa('failed') } }), undefined)
  })

  test('address bogus: tlsa: dnssec-invalid, policy domain: the name looked up', () => {
    const addresses = { status: 'failed', text: 'bogus', bogus: true } as const
    assert.deepEqual(judgeRefused({ host: { addresses } }), ['tlsa mx1.example.test: dnssec-invalid'])
  })

  test('address lookup failed otherwise, or no address: nothing', () => {
    const addresses = { status: 'failed', text: 'SERVFAIL', bogus: false } as const
    assert.equal(judgeRefused({ host: { addresses } }), undefined)
    assert.equal(judgeRefused({ host: { addresses: { status: 'absent', text: 'nothing there' } } }), undefined)
  })

  test('MX bogus: tlsa: dnssec-invalid, policy domain: the name looked up', () => {
    const { results, host: none } = judgeBogusMx(at, DOMAIN)
    assert.deepEqual(results.map(present), ['tlsa example.test: dnssec-invalid'])
    assert.equal(none, undefined)
  })

  test('`dane = require`, nothing usable: tlsa: dane-required, policy domain: the MX name', () => {
    assert.deepEqual(judgeRefused({ settings: settings({ dane: 'require' }) }), [
      'tlsa mx1.example.test: dane-required (dane-required)',
    ])
  })

  test('STS enforce, MX not listed: sts: validation-failure, sts-policy-mx-mismatch', () => {
    assert.deepEqual(judgeRefused({ domain: { sts: sts('enforce', false) } }), [
      'sts example.test: validation-failure (sts-policy-mx-mismatch)',
    ])
  })

  test('STARTTLS disabled by the administrator, or a policy that cannot be known: nothing', () => {
    const disabled = settings({ starttls: 'disable' })
    assert.equal(judgeRefused({ settings: disabled, host: { tlsa: tlsa('usable') } }), undefined)
    assert.equal(judgeRefused({ domain: { sts: FAILED_STS } }), undefined)
  })

  test('it is a refusal, with nobody connected', () => {
    const outcome = judgeSkip(at, domain(), host(), { ...refusal, code: 'dane-required' })
    assert.deepEqual([outcome?.level, outcome?.host, outcome?.receivingAddress], ['refused', HOST, undefined])
  })
})

describe('a policy that cannot be fetched', () => {
  for (const type of ['sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'] as const)
    test(`R11, T28: ${type}: one failure of the sts entry, of no host`, () => {
      const { results, host: none } = judgeFetch(at, DOMAIN, type)
      assert.deepEqual(results.map(present), [`sts example.test: ${type}`])
      assert.equal(none, undefined)
    })
})
