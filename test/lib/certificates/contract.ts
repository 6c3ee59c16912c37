/** What every engine must be able to do: the same tests for each. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { knownCertsSql, type SeenCertificate } from '../../../dist/lib/certificates/index.js'
import type { Done } from '../../../dist/lib/store/index.js'
import type { TestEngine } from '../../support/store.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 86_400_000
const LASTS = 30 * DAY

const seen = (over: Partial<SeenCertificate> = {}): SeenCertificate => ({
  ...{ host: 'mx.example.test', spki: 'aa', names: 'DNS:mx.example.test', flaw: 'self-signed' },
  ...over,
})

async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

export function knownCertsContract(engine: TestEngine): void {
  describe(`known certificates, in ${engine.name}`, { skip: engine.skip }, () => {
    const open = (t: TestContext) => engine.store(t).module(knownCertsSql)
    const spkis = async (certs: ReturnType<typeof open>, host = seen().host, now = NOW): Promise<readonly string[]> =>
      (await value(certs.find(host, LASTS, now))).map(({ spki }) => spki)

    test('are found by host, by every process, with the first time that they were seen', async (t) => {
      const [certs, others] = [open(t), open(t)]
      assert.deepEqual(await value(certs.find('mx.example.test', LASTS, NOW)), [])
      await value(certs.keep(seen(), 'example.test', LASTS, NOW - DAY))
      await value(others.keep(seen({ flaw: 'certificate-expired' }), 'example.test', LASTS, NOW))
      await value(others.keep(seen({ host: 'mx.other.test' }), 'example.test', LASTS, NOW))
      const { host, ...facts } = seen({ flaw: 'certificate-expired' })
      assert.deepEqual(await value(certs.find(host, LASTS, NOW)), [{ ...facts, firstSeen: NOW - DAY }])
    })

    test('are kept from the last time that they were seen', async (t) => {
      const certs = open(t)
      await value(certs.keep(seen(), 'example.test', LASTS, NOW))
      await value(certs.keep(seen({ spki: 'bb' }), 'example.test', LASTS, NOW + DAY))
      assert.deepEqual(await spkis(certs, seen().host, NOW + LASTS - 1), ['aa', 'bb'])
      assert.deepEqual(await spkis(certs, seen().host, NOW + LASTS), ['bb'])
      await value(certs.keep(seen(), 'example.test', LASTS, NOW + LASTS + 1))
      assert.deepEqual(await spkis(certs, seen().host, NOW + LASTS + 2), ['bb', 'aa'], 'seen for the first time again')
    })

    test('are at most eight of a host, the one not seen for the longest out first', async (t) => {
      const certs = open(t)
      for (let key = 0; key < 8; key++)
        await value(certs.keep(seen({ spki: `${key}` }), 'example.test', LASTS, NOW + key))
      await value(certs.keep(seen({ spki: '0' }), 'example.test', LASTS, NOW + 8))
      await value(certs.keep(seen({ spki: '8' }), 'example.test', LASTS, NOW + 9))
      assert.deepEqual(await spkis(certs, seen().host, NOW + 10), ['0', '2', '3', '4', '5', '6', '7', '8'])
    })

    test('are of at most 32 hosts for one recipient domain; what another domain brought stays', async (t) => {
      const certs = open(t)
      await value(certs.keep(seen({ host: 'mx.shared.test' }), 'other.test', LASTS, NOW - 1))
      for (let host = 0; host < 34; host++)
        await value(certs.keep(seen({ host: `mx${host}.test` }), 'example.test', LASTS, NOW + host))
      for (const [host, expected] of [
        ['mx0.test', []],
        ['mx1.test', []],
        ['mx2.test', ['aa']],
        ['mx33.test', ['aa']],
        ['mx.shared.test', ['aa']],
      ] as const)
        assert.deepEqual(await spkis(certs, host, NOW + 40), expected, host)
    })

    test('are forgotten together, and since when they were known is told', async (t) => {
      const certs = open(t)
      await value(certs.keep(seen(), 'example.test', LASTS, NOW))
      await value(certs.keep(seen({ spki: 'bb' }), 'example.test', LASTS, NOW + 1))
      assert.equal(await value(certs.forget('mx.other.test')), undefined)
      assert.equal(await value(certs.forget('mx.example.test')), NOW)
      assert.deepEqual(await spkis(certs), [])
      assert.equal(await value(certs.forget('mx.example.test')), undefined)
    })

    test('are a hundred thousand altogether', async (t) => {
      const certs = open(t)
      await value(certs.keep(seen(), 'example.test', LASTS, NOW + 1))
      await engine.change(
        t,
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO known_cert (host, spki, domain, names, flaw, first_seen, last_seen)
         SELECT 'mx' || i, 'aa', 'd' || i, '', '', ${NOW} - i, ${NOW} - i FROM n`,
      )
      await value(certs.keep(seen({ spki: 'bb' }), 'example.test', LASTS, NOW + 2))
      assert.deepEqual(await spkis(certs, seen().host, NOW + 3), ['aa', 'bb'], 'seen last')
      assert.deepEqual(await spkis(certs, 'mx99000'), ['aa'])
      assert.deepEqual(await spkis(certs, 'mx99001'), [], 'the thousand that were not seen for the longest are removed')
    })
  })
}
