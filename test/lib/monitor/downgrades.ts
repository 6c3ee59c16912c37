/** What every engine must be able to do: the same tests for each. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { ConnectionEvent } from '../../../dist/lib/monitor/index.js'
import { monitorOf } from '../../support/modules.ts'
import type { TestEngine } from '../../support/store.ts'
import { batch, DAY, done, HOUR, NOW, refusal, sighting } from './facts.ts'

export function downgradesContract(engine: TestEngine): void {
  describe(`a host that was better before, in ${engine.name}`, { skip: engine.skip }, () => {
    const worse = (at: number, over: Partial<ConnectionEvent> = {}) =>
      sighting({ at, level: 'untrusted', text: 'certificate not valid', ...over })

    /** Two workers on one store. */
    const open = (t: TestContext) => {
      const stores = [monitorOf(engine.store(t)), monitorOf(engine.store(t))] as const
      let turn = 0
      const see = async (...connections: readonly ConnectionEvent[]) => {
        const last = connections.at(-1)
        assert.ok(last)
        const store = stores[turn++ % 2 === 0 ? 0 : 1]
        return (await done(store.add(batch({ connections }), last.at)))?.downgrades ?? []
      }
      const seen = async () => (await done(stores[0].destination('example.org')))?.hosts ?? []
      return { see, seen }
    }

    test('is told of once a day, whichever worker sees it, and marked', async (t) => {
      const { see, seen } = open(t)
      for (let day = 7; day >= 0; day--) assert.deepEqual(await see(sighting({ at: NOW - day * DAY })), [])
      const text = 'certificate not valid'
      const told = { domain: 'example.org', host: 'mx1.example.org', goodSince: NOW - 7 * DAY, goodAt: NOW, text }
      assert.deepEqual(await see(worse(NOW + HOUR)), [told])
      assert.deepEqual(await see(worse(NOW + 2 * HOUR)), [])
      assert.deepEqual(await see(worse(NOW + 24 * HOUR)), [])
      assert.deepEqual(await see(worse(NOW + 25 * HOUR)), [told])
      assert.deepEqual(
        (await seen()).map(({ goodUntil }) => goodUntil),
        [NOW],
      )
    })

    for (const reason of ['starttls-not-offered', 'certificate-expired', 'handshake-failed'])
      test(`also where mail was refused for it: ${reason}`, async (t) => {
        const { see, seen } = open(t)
        await see(sighting({ at: NOW - 8 * DAY }))
        await see(sighting({ at: NOW }))
        assert.equal((await see(refusal({ at: NOW + HOUR, reason }))).length, 1)
        assert.deepEqual(
          (await seen()).map(({ level, goodUntil }) => [level, goodUntil]),
          [
            ['refused', NOW],
            ['verified', undefined],
          ],
        )
      })

    test('is none that was good for less than a week, or never', async (t) => {
      const { see } = open(t)
      await see(sighting({ at: NOW - 6 * DAY }))
      await see(sighting({ at: NOW }))
      assert.deepEqual(await see(worse(NOW + HOUR)), [])
      assert.deepEqual(await see(sighting({ at: NOW + 2 * DAY }), worse(NOW + 2 * DAY + 1)), [])
      assert.deepEqual(await see(worse(NOW, { host: 'mx2.example.org' })), [])
    })

    test('is none that a policy refuses for what the domain publishes', async (t) => {
      const { see } = open(t)
      await see(sighting({ at: NOW - 8 * DAY }))
      await see(sighting({ at: NOW }))
      assert.deepEqual(await see(refusal({ at: NOW + HOUR, reason: 'sts-policy-mx-mismatch' })), [])
    })

    test('is as good as any once it is good again, and must be for a week', async (t) => {
      const { see, seen } = open(t)
      await see(sighting({ at: NOW - 8 * DAY }))
      await see(sighting({ at: NOW }))
      assert.equal((await see(worse(NOW + HOUR))).length, 1)
      await see(sighting({ at: NOW + 2 * HOUR }))
      assert.deepEqual(
        (await seen()).map(({ goodUntil }) => goodUntil),
        [undefined],
      )
      assert.deepEqual(await see(worse(NOW + 3 * DAY)), [])
    })

    test('is remembered for no more hosts of a domain than its list has', async (t) => {
      const { see } = open(t)
      const hosts = Array.from({ length: 100 }, (_, index) => `mx${index}.example.org`)
      await see(...hosts.map((host, index) => sighting({ host, at: NOW - 9 * DAY + index })))
      await see(...hosts.map((host, index) => sighting({ host, at: NOW - DAY + index })))
      const told = await see(...hosts.map((host, index) => worse(NOW + index, { host })))
      assert.ok(told.length > 0 && told.length <= 40, `${told.length}`)
    })
  })
}
