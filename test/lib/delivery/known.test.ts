import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seenCertificate, type KnownCertificate } from '../../../dist/lib/certificates/index.js'
import { acceptKnown, judgePeer, type TlsPeer } from '../../../dist/lib/delivery/index.js'
import { decideHost } from '../../../dist/lib/policy/index.js'
import { issue, selfSigned } from '../../support/certificates.ts'
import { HOST, question, settings, sts, tlsa, type Changes } from '../policy/question.ts'
import { world } from './client.ts'

/** How a situation deals with a certificate that is not valid. */
type Dealing =
  /** refused at a first attempt, unless it is known; accepted by any later one */
  | 'relaxed'
  /** the same, but nothing is ever known */
  | 'relaxed, never known'
  | 'refused'
  /** whatever it is, and nothing is looked up or kept */
  | 'passed over'

const route = { domain: { route: 'static', mxSecurity: 'not-looked-up', sts: undefined } } as const
const situations: Readonly<Record<string, readonly [Changes, Dealing]>> = {
  'no policy': [{}, 'relaxed'],
  DANE: [{ host: { tlsa: tlsa('usable') } }, 'refused'],
  'TLSA that is all unusable (D14)': [{ host: { tlsa: tlsa('unusable') } }, 'relaxed'],
  'insecure-mx = encrypt': [
    {
      host: { tlsa: tlsa('usable') },
      domain: { mxSecurity: 'insecure' },
      settings: settings({ insecureMx: 'encrypt' }),
    },
    'relaxed',
  ],
  'STS enforce': [{ domain: { sts: sts('enforce') } }, 'refused'],
  'STS testing': [{ domain: { sts: sts('testing') } }, 'relaxed'],
  REQUIRETLS: [{ attempt: { request: 'requiretls' } }, 'refused'],
  'TLS-Required: No': [{ attempt: { request: 'tls-required-no' } }, 'passed over'],
  'a TLS report of ours': [{ attempt: { request: 'tls-report' } }, 'passed over'],
  'starttls = require': [{ settings: settings({ starttls: 'require' }) }, 'refused'],
  credentials: [{ attempt: { credentials: true } }, 'refused'],
  audit: [{ settings: settings({ audit: true }) }, 'passed over'],
  'allow-invalid-certs': [{ settings: settings({ allowInvalidCerts: true }) }, 'passed over'],
  'a static route whose rule asks for a valid certificate': [route, 'relaxed, never known'],
  'relax-after-tls-failure = false': [{ settings: settings({ relaxAfterTlsFailure: false }) }, 'refused'],
}

const invalid = selfSigned({ dnsNames: [HOST] })
const valid = issue(world.root, { dnsNames: [HOST] })
const { spki, names, flaw } = seenCertificate(HOST, invalid.der, 'self-signed')
const known: KnownCertificate = { spki, names, flaw, firstSeen: 1000 }
const stores = {
  'a known key': [known],
  'a new key': [{ ...known, spki: 'another' }],
  'a host that is not known': [],
  'a store that is away': undefined,
} as const
/** what decides is whether it is the first of several */
const attempts = { first: false, retry: true, last: true, only: true } as const

async function judge(
  changes: Changes,
  mayRelax: boolean,
  found: readonly KnownCertificate[] | undefined,
  isValid: boolean,
) {
  const asked = question({ ...changes, attempt: { ...changes.attempt, mayRelax } })
  const verdict = decideHost(asked)
  assert.ok(verdict.action === 'attempt')
  const { der } = isValid ? valid : invalid
  const peer: TlsPeer = {
    ...{ leaf: der, chain: () => [der], chainError: isValid ? undefined : 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    ...{ protocol: 'TLSv1.3', cipher: 'X', keyExchange: undefined },
  }
  let lookups = 0
  const findKnown = () => {
    lookups++
    return Promise.resolve(found)
  }
  const usable = verdict.proofs.includes('dane') ? (verdict.applied.tlsa?.usable ?? []) : []
  const target = { host: { name: HOST, port: 25 }, domain: asked.domain, verdict } as never
  const judgement = await acceptKnown(findKnown, target, peer, judgePeer(verdict, HOST, peer, usable, new Date()))
  return { isAccepted: judgement.refusal === undefined || verdict.audit, lookups, judgement }
}

describe('a certificate that is not valid', () => {
  for (const [situation, [changes, dealing]] of Object.entries(situations))
    for (const [attempt, mayRelax] of Object.entries(attempts))
      for (const [store, found] of Object.entries(stores)) {
        const isRelaxed = dealing.startsWith('relaxed') && mayRelax
        const isKnown = dealing === 'relaxed' && store === 'a known key'
        const isAccepted = dealing === 'passed over' || isRelaxed || isKnown
        test(`is ${isAccepted ? 'accepted' : 'refused'}: ${situation}, ${attempt} attempt, ${store}`, async () => {
          const judged = await judge(changes, mayRelax, found, false)
          assert.equal(judged.isAccepted, isAccepted)
          assert.equal(judged.lookups, dealing === 'relaxed' && !mayRelax ? 1 : 0)
          assert.equal(judged.judgement.level, 'Untrusted', 'a leniency, never a proof')
        })
      }
})

describe('a valid certificate', () => {
  for (const [situation, [changes]] of Object.entries(situations).filter(([name]) => name !== 'DANE'))
    for (const [attempt, mayRelax] of Object.entries(attempts))
      test(`is accepted, and nothing is looked up: ${situation}, ${attempt} attempt`, async () => {
        const { isAccepted, lookups } = await judge(changes, mayRelax, [known], true)
        assert.deepEqual([isAccepted, lookups], [true, 0])
      })
})
