import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decideHost, type HostQuestion, type Verdict } from '../../../dist/lib/policy/index.js'
import type { HostSettings } from '../../../dist/lib/settings/index.js'
import { describe as show, DOMAINS, STARTTLS, TLSA } from './every-question.ts'
import { host, settings } from './question.ts'
import { runs } from '../../support/runs.ts'

const RUNS = runs(3000, 20_000)
const level = fc.constantFrom('disable', 'optional', 'require')
const flag = fc.boolean()

const anySettings = fc
  .record({
    starttls: fc.constantFrom(...STARTTLS),
    dane: level,
    mtaSts: level,
    insecureMx: fc.constantFrom('dane', 'encrypt', 'may'),
    daneAndMtaSts: fc.constantFrom('dane', 'both'),
    allowInvalidCerts: flag,
    relaxAfterTlsFailure: flag,
    plaintextFallback: flag,
    audit: flag,
    harakaTls: fc.constantFrom('none' as const, undefined),
  })
  .map(({ starttls, ...rest }) => settings({ ...rest, starttls: starttls.starttls, setBy: starttls.setBy }))

const anyQuestion: fc.Arbitrary<HostQuestion> = fc.record({
  settings: anySettings,
  domain: fc.constantFrom(...DOMAINS),
  host: fc.constantFrom(...TLSA.map((tlsa) => host({ tlsa }))),
  attempt: fc.record({ credentials: flag, mayRelax: flag }),
})

const TLS = ['none', 'opportunistic', 'required', 'skip']

/** How strict a verdict is, in each of its dimensions. DANE and PKIX are equally good proofs. */
function strictness(verdict: Verdict): readonly number[] {
  if (verdict.action === 'skip') return [3, 2, 1, 1, 1]
  if (verdict.audit) return [0, 0, 0, 0, 0] // it refuses nothing, whatever it looks at
  return [
    TLS.indexOf(verdict.tls),
    verdict.proofs.length,
    verdict.clearTextWithoutStarttls ? 0 : 1,
    verdict.clearTextAfterFailure || verdict.tls === 'none' ? 0 : 1,
    1,
  ]
}

function mustNotBeLaxer(before: HostQuestion, after: HostQuestion): void {
  const [a, b] = [strictness(decideHost(before)), strictness(decideHost(after))]
  const laxer = a.some((value, index) => (b[index] ?? 0) < value)
  assert.ok(!laxer, `${show(before)} ${a.join()}\n→ ${show(after)} ${b.join()}`)
}

const setting = (changes: Partial<HostSettings>) => (question: HostQuestion) => ({
  ...question,
  settings: { ...question.settings, ...changes },
})

const always = () => true
type Step = readonly [string, (question: HostQuestion) => boolean, (question: HostQuestion) => HostQuestion]

const steps: readonly Step[] = [
  // from `disable` it may be laxer: DANE then decides in place of a policy, as the last row of the table has it
  [
    'dane = require, where it was optional',
    ({ settings: { dane } }) => dane === 'optional',
    setting({ dane: 'require' }),
  ],
  ['mta-sts = require', always, setting({ mtaSts: 'require' })],
  ['mta-sts = optional', ({ settings: { mtaSts } }) => mtaSts === 'disable', setting({ mtaSts: 'optional' })],
  [
    'starttls = require, where it was optional',
    ({ settings: { starttls } }) => starttls === 'optional',
    setting({ starttls: 'require' }),
  ],
  ['allow-invalid-certs = false', always, setting({ allowInvalidCerts: false })],
  ['relax-after-tls-failure = false', always, setting({ relaxAfterTlsFailure: false })],
  ['plaintext-fallback = false', always, setting({ plaintextFallback: false })],
  ['dane-and-mta-sts = both', always, setting({ daneAndMtaSts: 'both' })],
  ['audit = false', always, setting({ audit: false })],
  ['a host no longer in no_tls_hosts', always, setting({ harakaTls: undefined })],
  [
    'insecure-mx = encrypt, where it was may',
    ({ settings: { insecureMx } }) => insecureMx === 'may',
    setting({ insecureMx: 'encrypt' }),
  ],
  ['insecure-mx = dane', always, setting({ insecureMx: 'dane' })],
  ['credentials', always, (question) => ({ ...question, attempt: { ...question.attempt, credentials: true } })],
  ['no retry', always, (question) => ({ ...question, attempt: { ...question.attempt, mayRelax: false } })],
  [
    'TLSA records where there were none, unless DANE then decides in place of a policy',
    ({ host: { tlsa }, settings: { dane, daneAndMtaSts } }) =>
      tlsa.status === 'none' && dane !== 'require' && daneAndMtaSts === 'both',
    (question) => ({ ...question, host: host({ tlsa: TLSA[1] ?? question.host.tlsa }) }),
  ],
]

describe('what is stricter never makes a verdict laxer', () => {
  for (const [name, applies, change] of steps) {
    test(name, () => {
      fc.assert(
        fc.property(anyQuestion.filter(applies), (question) => mustNotBeLaxer(question, change(question))),
        { numRuns: RUNS },
      )
    })
  }
})
