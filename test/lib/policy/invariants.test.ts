import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decideDomain, decideHost, type HostQuestion, type Verdict } from '../../../dist/lib/policy/index.js'
import { describe as show, everyQuestion, underAudit } from './every-question.ts'
import { demandOf } from './table.ts'

/** What must hold for every question. */
type Rule = (question: HostQuestion, verdict: Verdict) => boolean

/** For each rule the first question that breaks it, with its verdict; all in one pass, since there are very many. */
function findBreaches(
  rules: readonly (readonly [string, Rule])[],
  ask: (question: HostQuestion) => HostQuestion,
): ReadonlyMap<string, string> {
  const breaches = new Map<string, string>()
  for (const one of everyQuestion()) {
    const question = ask(one)
    const verdict = decideHost(question)
    for (const [name, rule] of rules) {
      if (breaches.has(name) || rule(question, verdict)) continue
      breaches.set(name, `${show(question)}\n→ ${JSON.stringify({ ...verdict, settings: 0, applied: 0 })}`)
    }
  }
  return breaches
}

const allowsClear = (verdict: Verdict): boolean =>
  verdict.action === 'attempt' &&
  (verdict.tls === 'none' || verdict.clearTextWithoutStarttls || verdict.clearTextAfterFailure)

const strict: readonly (readonly [string, Rule])[] = [
  [
    'every verdict is the one that the rows of the table come to',
    (question, verdict) => {
      const demand = demandOf(question)
      if (verdict.action === 'skip') return demand.skip.includes(verdict.because.code)
      return (
        demand.skip.length === 0 &&
        verdict.tls === demand.tls &&
        verdict.proofs.join() === demand.proofs.join() &&
        verdict.isWaivedNext === demand.waivedNext &&
        verdict.clearTextWithoutStarttls === demand.clearWithoutStarttls &&
        verdict.clearTextAfterFailure === demand.clearAfterFailure
      )
    },
  ],
  [
    'D14, D35: no clear text where a secure TLSA record stands behind a secure MX record',
    ({ domain, host, settings }, verdict) => {
      const protectedByDane =
        settings.dane !== 'disable' && host.tlsa.status === 'found' && domain.mxSecurity === 'secure'
      return !protectedByDane || !allowsClear(verdict)
    },
  ],
  [
    'D40: usable TLSA behind a secure MX record must match',
    ({ domain, host, settings }, verdict) => {
      const usable = settings.dane !== 'disable' && host.tlsa.status === 'found' && host.tlsa.usable.length > 0
      if (!usable || domain.mxSecurity === 'insecure' || verdict.action === 'skip') return true
      return verdict.proofs.includes('dane')
    },
  ],
  [
    'D8: a host whose TLSA lookup failed is never tried',
    ({ host, settings }, verdict) =>
      host.tlsa.status !== 'failed' || settings.dane === 'disable' || verdict.action === 'skip',
  ],
  [
    'T25: without DANE, no mail under STS enforce to a host that is not listed, in clear text, or without PKIX',
    ({ domain, host, settings }, verdict) => {
      const policy = settings.mtaSts === 'disable' ? undefined : domain.sts?.policy
      if (policy?.mode !== 'enforce' || host.tlsa.status === 'found' || verdict.action === 'skip') return true
      return policy.mx.includes(host.name) && verdict.proofs.join() === 'pkix' && !allowsClear(verdict)
    },
  ],
  [
    'T31: an insecure MX record never lets DANE stand in for an enforced policy',
    ({ domain, settings }, verdict) => {
      const enforced = settings.mtaSts !== 'disable' && domain.sts?.policy?.mode === 'enforce'
      if (!enforced || domain.mxSecurity !== 'insecure' || verdict.action === 'skip') return true
      return verdict.proofs.includes('pkix')
    },
  ],
  [
    'credentials are shown only to who proved who he is, but where a rule turned STARTTLS off',
    ({ attempt, settings }, verdict) => {
      if (!attempt.credentials || verdict.action === 'skip') return true
      const byRule = settings.starttls === 'disable' && settings.setBy.starttls.section.startsWith('[rule:')
      return byRule || (verdict.proofs.length > 0 && verdict.tls === 'required' && !allowsClear(verdict))
    },
  ],
  [
    '`dane = require`: nothing but a DANE-proved host behind a secure name',
    ({ settings, domain }, verdict) => {
      if (settings.dane !== 'require' || verdict.action === 'skip') return true
      return domain.mxSecurity !== 'insecure' && verdict.proofs.includes('dane')
    },
  ],
  [
    '`mta-sts = require`: nothing but a host of a valid policy, with PKIX',
    ({ settings, domain, host }, verdict) => {
      if (settings.mtaSts !== 'require' || domain.route === 'static' || verdict.action === 'skip') return true
      const listed = domain.sts?.policy?.mode !== 'none' && domain.sts?.policy?.mx.includes(host.name) === true
      return listed && verdict.proofs.includes('pkix')
    },
  ],
  [
    '`starttls = require`: never clear text',
    ({ settings }, verdict) => settings.starttls !== 'require' || !allowsClear(verdict),
  ],
  [
    '`starttls = disable`: never TLS',
    ({ settings }, verdict) => settings.starttls !== 'disable' || verdict.action === 'skip' || verdict.tls === 'none',
  ],
  [
    'what opportunistic TLS may do without, required TLS never does',
    (_, verdict) => verdict.action === 'skip' || verdict.tls !== 'required' || !allowsClear(verdict),
  ],
  [
    'a proof is waived by name: allow-invalid-certs, relax-after-tls-failure or static-route',
    (_, verdict) =>
      verdict.action === 'skip' ||
      verdict.tls === 'none' ||
      (verdict.proofs.length === 0) === (verdict.leniency !== undefined),
  ],
  [
    'D24: behind an insecure MX record only a host that an enforced policy lists proves the domain',
    ({ domain, host, settings }, verdict) => {
      if (domain.mxSecurity !== 'insecure' || verdict.action === 'skip' || verdict.proves === 'host') return true
      return settings.mtaSts !== 'disable' && domain.sts?.policy?.mx.includes(host.name) === true
    },
  ],
  [
    'every reason has a section, a text, and a temporary status',
    (_, { because }) =>
      because.text !== '' && because.source.startsWith('RFC ') && /^4\.(7\.[45]|4\.3)$/.test(because.status),
  ],
]

const audited: readonly (readonly [string, Rule])[] = [
  [
    'D49: an audit skips no host for reasons of TLS, unless credentials are at stake',
    ({ attempt }, verdict) => attempt.credentials || verdict.action === 'attempt',
  ],
  [
    'an audit names what would have been refused before connecting',
    (question, verdict) => {
      if (question.attempt.credentials || verdict.action === 'skip') return true
      const { skip } = demandOf(question)
      return skip.length === 0 ? verdict.wouldSkip === undefined : skip.includes(verdict.wouldSkip?.code ?? 'timeout')
    },
  ],
  [
    'an audit allows clear text for all but credentials',
    ({ attempt }, verdict) =>
      verdict.action === 'skip' ||
      attempt.credentials !== (verdict.clearTextWithoutStarttls && verdict.clearTextAfterFailure) ||
      verdict.tls === 'none',
  ],
]

describe('of every question there is', () => {
  const breaches = findBreaches(strict, (question) => question)
  for (const [name] of strict) test(name, () => assert.equal(breaches.get(name), undefined))

  const breachesOfAudit = findBreaches(audited, underAudit)
  for (const [name] of audited) test(name, () => assert.equal(breachesOfAudit.get(name), undefined))

  test('a domain that is deferred has no host that would be tried', () => {
    for (const question of everyQuestion()) {
      const verdict = decideDomain(question.settings, question.domain)
      if (verdict.action === 'proceed') continue
      assert.equal(verdict.because.status, '4.7.5')
      assert.equal(decideHost(question).action, 'skip', show(question))
    }
  })
})
