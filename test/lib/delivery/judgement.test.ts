import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TlsaRecord } from '../../../dist/lib/dane/index.js'
import { judgeTarget, type PeerJudgement, type TlsPeer } from '../../../dist/lib/delivery/index.js'
import type { Lookup } from '../../../dist/lib/dns/index.js'
import { makeCertificate, tlsaOf } from '../../support/certificates.ts'
import { attempt, HOST, settings, tlsa } from '../policy/question.ts'

const [own, ...strangers] = [1, 2, 3].map(() => makeCertificate({ dnsNames: [HOST] }))
const [one, two] = strangers.map((stranger) => tlsaOf(stranger, 2, 1, 1))
assert.ok(own && one && two)
const matching = tlsaOf(own, 3, 1, 1)

/** Judges by some records, while others are found in DNS; and counts how often the chain was looked at. */
async function judge(
  known: readonly TlsaRecord[],
  fresh: readonly TlsaRecord[] | 'insecure denial' | 'secure denial',
  addresses: 'secure' | 'insecure' = 'secure',
) {
  const found = tlsa('usable')
  assert.equal(found.status, 'found')
  const verdict = attempt({ host: { tlsa: { ...found, records: known, usable: known } }, settings: settings({}) })
  const answer = { name: HOST, canonicalName: HOST, aliases: [], security: 'secure', ttl: 1, status: 'found' }
  const ofTlsa =
    typeof fresh === 'string'
      ? { ...answer, status: 'absent', security: fresh.replace(' denial', '') }
      : { ...answer, records: fresh }
  const lookup = ((_: string, type: string) =>
    Promise.resolve(
      type === 'TLSA' ? ofTlsa : { ...answer, security: addresses, records: ['192.0.2.1'] },
    )) as unknown as Lookup
  let looks = 0
  const peer: TlsPeer = {
    leaf: own?.der,
    chain: () => {
      looks++ // for a record of usage 2, once for each judgement by DANE
      return [own?.der ?? Buffer.alloc(0)]
    },
    chainError: undefined,
    protocol: 'TLSv1.3',
    cipher: 'X',
    keyExchange: undefined,
  }
  const judgement: PeerJudgement = await judgeTarget(lookup, { host: { name: HOST, port: 25 }, verdict } as never, peer)
  const { refusal, tlsaWithdrawn } = judgement
  return { code: refusal?.code, looks, ...(tlsaWithdrawn && { tlsaWithdrawn }) }
}

describe('records that are asked for once more', () => {
  test('the same ones, in another order: nothing is judged a second time', async () => {
    assert.deepEqual(await judge([one, two], [two, one]), { code: 'dane-no-match', looks: 1 })
  })

  test('others that do not match either: judged by them', async () => {
    assert.deepEqual(await judge([one], [two]), { code: 'dane-no-match', looks: 2 })
  })

  test('a denial that is signed, behind addresses that are: they are withdrawn', async () => {
    assert.deepEqual(await judge([one], 'secure denial'), { code: 'dane-no-match', looks: 1, tlsaWithdrawn: true })
  })

  test('a denial that is not signed, or behind addresses that are not, proves nothing', async () => {
    for (const [denial, addresses] of [
      ['insecure denial', 'secure'],
      ['secure denial', 'insecure'],
    ] as const)
      assert.deepEqual(await judge([one], denial, addresses), { code: 'dane-no-match', looks: 1 })
  })

  test('a roll-over: others that match', async () => {
    assert.equal((await judge([one], [one, matching])).code, undefined)
  })
})
