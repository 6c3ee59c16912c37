/** What every engine must be able to do: the same tests for each. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { MonitorStore } from '../../../dist/lib/monitor/index.js'
import { monitorOf } from '../../support/modules.ts'
import type { TestEngine } from '../../support/store.ts'
import { batch, DAY, done, HOUR, message, MINUTE, NOW, refusal, resolver, sighting } from './facts.ts'

export function monitorContract(engine: TestEngine): void {
  /** Two workers' views of one store that was empty. */
  const open = (t: TestContext): readonly [MonitorStore, MonitorStore] => [
    monitorOf(engine.store(t)),
    monitorOf(engine.store(t)),
  ]
  describe(`what there is to look at, in ${engine.name}`, { skip: engine.skip }, () => {
    test('a batch that is written again counts once', async (t) => {
      const [store, other] = open(t)
      const again = batch({ amounts: [{ meter: 'a', labels: '{}', value: 2 }] })
      assert.deepEqual(await done(store.add(again, NOW)), { downgrades: [] })
      assert.equal(await done(other.add(again, NOW)), undefined)
      assert.deepEqual(await done(store.add({ ...again, number: 2 }, NOW)), { downgrades: [] })
      assert.deepEqual(await done(store.amounts('mail1')), [{ meter: 'a', labels: '{}', value: 4 }])
    })

    test('counters of all workers of a machine add up, those of another machine are its own', async (t) => {
      const [store, other] = open(t)
      const amount = { meter: 'a', labels: '{"x":"y"}' }
      await done(store.add(batch({ amounts: [{ ...amount, value: 1 }] }), NOW))
      await done(other.add(batch({ amounts: [{ ...amount, value: 0.25 }] }), NOW))
      await done(other.add(batch({ machine: 'mail2', amounts: [{ ...amount, value: 5 }] }), NOW))
      for (const each of [store, other]) {
        assert.deepEqual(await done(each.amounts('mail1')), [{ ...amount, value: 1.25 }])
        assert.deepEqual(await done(each.amounts('mail2')), [{ ...amount, value: 5 }])
      }
    })

    test('the last word on a host is kept, one refused and one opened', async (t) => {
      const [store] = open(t)
      const [first, second, opened] = [refusal({ at: NOW - 3 }), refusal({ at: NOW - 2, text: 'b' }), sighting()]
      await done(store.add(batch({ connections: [first, second] }), NOW))
      await done(store.add(batch({ connections: [opened, first] }), NOW))
      const known = await done(store.destination('example.org'))
      assert.deepEqual(
        known?.hosts.map(({ at, text }) => [at, text]),
        [
          [NOW, opened.text],
          [NOW - 2, 'b'],
        ],
      )
      assert.equal(known.state, 'recovered')
      assert.equal(known.refused?.text, 'b')
      assert.equal(known.delivered?.text, opened.text)
      assert.equal(await done(store.destination('example.net')), undefined)
    })

    test('what was seen while the clock was far ahead gives way to what is seen now', async (t) => {
      const [store, other] = open(t)
      const later = NOW + 40 * DAY
      await done(store.add(batch({ connections: [refusal({ at: later, host: 'mx9.example.org' })] }), later))
      assert.deepEqual(await done(store.census()), { destinations: 1, failing: 1 })
      await done(other.add(batch({ connections: [sighting()] }), NOW))
      const known = await done(store.destination('example.org'))
      assert.equal(known?.state, 'fine')
      assert.deepEqual(
        known.hosts.map(({ at }) => at),
        [NOW],
      )
      assert.deepEqual(await done(store.census()), { destinations: 1, failing: 0 })
    })

    test('a refusal without a host is one of all hosts', async (t) => {
      const [store] = open(t)
      await done(store.add(batch({ connections: [refusal({ host: undefined })] }), NOW))
      assert.equal((await done(store.destination('example.org')))?.hosts[0]?.host, undefined)
    })

    test('a domain with very many hosts keeps those seen last', async (t) => {
      const [store] = open(t)
      const hosts = Array.from({ length: 100 }, (_, index) => refusal({ host: `mx${index}`, at: NOW + index }))
      for (const host of hosts) await done(store.add(batch({ connections: [host] }), NOW))
      const known = await done(store.destination('example.org'))
      assert.equal(known?.hosts.length, 40)
      assert.equal(known.hosts[0]?.host, 'mx99')
    })

    test('destinations come failures first, the latest of them first, then those that recovered, then the others', async (t) => {
      const [store] = open(t)
      const sightings = [
        sighting({ domain: 'fine-old.test', at: NOW - 9 * MINUTE }),
        sighting({ domain: 'fine-new.test', at: NOW }),
        refusal({ domain: 'recovered.test', at: NOW - 5 * MINUTE }),
        sighting({ domain: 'recovered.test', at: NOW - MINUTE }),
        refusal({ domain: 'fails-now.test', at: NOW - MINUTE }),
        sighting({ domain: 'fails-since.test', at: NOW - DAY }),
        refusal({ domain: 'fails-since.test', at: NOW - 2 * MINUTE }),
      ]
      await done(store.add(batch({ connections: sightings }), NOW))
      const { entries, next } = await done(store.destinations({ search: '', after: undefined, limit: 10 }))
      assert.deepEqual(
        entries.map(({ domain, state }) => [domain, state]),
        [
          ['fails-now.test', 'failing'],
          ['fails-since.test', 'failing'],
          ['recovered.test', 'recovered'],
          ['fine-new.test', 'fine'],
          ['fine-old.test', 'fine'],
        ],
      )
      assert.equal(next, undefined)
      assert.deepEqual(await done(store.census()), { destinations: 5, failing: 2 })
    })

    test('destinations come page by page, each of them once, also where many were seen at the same time', async (t) => {
      const [store] = open(t)
      const domains = Array.from({ length: 57 }, (_, index) => `d${String(index).padStart(2, '0')}.test`)
      for (const [index, domain] of domains.entries())
        await done(store.add(batch({ connections: [sighting({ domain, at: NOW - (index % 3) })] }), NOW))
      for (const search of ['', 'd', '.test']) {
        const seen: string[] = []
        let after: { readonly rank: number; readonly domain: string } | undefined
        do {
          const page = await done(store.destinations({ search, after, limit: 10 }))
          assert.ok(page.entries.length <= 10)
          seen.push(...page.entries.map(({ domain }) => domain))
          after = page.next
        } while (after !== undefined)
        assert.deepEqual(seen.toSorted(), domains)
      }
    })

    test('destinations are found by a part of their name, which means itself', async (t) => {
      const [store] = open(t)
      const domains = ['mail.example.org', 'example.net', 'xn--bcher-kva.example', 'a_b.test', 'axb.test', '%.test']
      await done(store.add(batch({ connections: domains.map((domain) => sighting({ domain })) }), NOW))
      const find = async (search: string) => {
        const { entries } = await done(store.destinations({ search, after: undefined, limit: 10 }))
        return entries.map(({ domain }) => domain).toSorted()
      }
      assert.deepEqual(await find('example'), ['example.net', 'mail.example.org', 'xn--bcher-kva.example'])
      assert.deepEqual(await find('a_b'), ['a_b.test'])
      assert.deepEqual(await find('%'), ['%.test'])
      assert.deepEqual(await find('*'), [])
      assert.deepEqual(await find('nothing'), [])
    })

    test('messages that wait are there until they do not, and keep the time since when they do', async (t) => {
      const [store, other] = open(t)
      const [first, second] = [message(), message({ id: '2', since: NOW - 2 * HOUR, nextAt: NOW + 2 * HOUR })]
      const entries = (...messages: (typeof first)[]) => messages.map((each) => ({ id: each.id, message: each }))
      await done(store.add(batch({ waiting: entries(first, second) }), NOW))
      const later = { ...first, since: NOW, nextAt: NOW + 3 * HOUR, text: 'again', reasons: ['timeout'] }
      await done(other.add(batch({ waiting: entries(later, message({ id: '3', domain: 'example.net' })) }), NOW + 1))

      const { messages, domains } = await done(store.waiting(NOW, 10))
      assert.equal(messages, 3)
      assert.deepEqual(
        domains.find(({ domain }) => domain === 'example.org'),
        {
          ...{ domain: 'example.org', messages: 2, since: NOW - 2 * HOUR, nextAt: NOW + 2 * HOUR },
          ...{ status: '4.7.5', reasons: ['timeout'], text: 'again' },
        },
      )
      assert.deepEqual(await done(store.waitingFor('example.org', NOW, 10)), [second, { ...later, since: first.since }])
      assert.equal((await done(store.waiting(NOW, 1))).domains.length, 1)

      const gone = ['1', '2', '3', 'never there'].map((id) => ({ id, message: undefined }))
      await done(store.add(batch({ waiting: gone }), NOW))
      assert.deepEqual(await done(other.waiting(NOW, 10)), { messages: 0, domains: [] })
    })

    test('a message whose next attempt is long overdue does not wait any more', async (t) => {
      const [store] = open(t)
      await done(store.add(batch({ waiting: [{ id: '1', message: message({ nextAt: NOW }) }] }), NOW))
      assert.equal((await done(store.waiting(NOW + DAY, 10))).messages, 1)
      assert.deepEqual(await done(store.waiting(NOW + DAY + 1, 10)), { messages: 0, domains: [] })
      assert.deepEqual(await done(store.waitingFor('example.org', NOW + DAY + 1, 10)), [])
    })

    test('the resolver of each machine is known as it was last seen', async (t) => {
      const [store, other] = open(t)
      await done(store.add(batch({ resolver: resolver() }), NOW))
      await done(other.add(batch({ resolver: resolver({ at: NOW + 1, validates: false }) }), NOW))
      await done(other.add(batch({ resolver: resolver({ machine: 'mail2' }) }), NOW))
      assert.deepEqual(await done(store.resolvers()), [
        resolver({ at: NOW + 1, validates: false }),
        resolver({ machine: 'mail2' }),
      ])
    })

    test('what is old goes, but counters and what was seen since stay', async (t) => {
      const [store] = open(t)
      const old = NOW - 40 * DAY
      const sightings = [
        refusal({ domain: 'old.test', at: old }),
        refusal({ domain: 'seen.test', at: old }),
        sighting({ domain: 'seen.test', at: NOW }),
      ]
      const amounts = [{ meter: 'a', labels: '{}', value: 1 }]
      const gone = message({ nextAt: NOW - 2 * DAY })
      const waiting = [
        { id: 'gone', message: gone },
        { id: '2', message: message({ id: '2' }) },
      ]
      await done(store.add(batch({ connections: sightings, amounts, waiting, resolver: resolver({ at: old }) }), old))
      await done(store.removeOld(30 * DAY, NOW))
      assert.deepEqual(await done(store.census()), { destinations: 1, failing: 0 })
      assert.equal(await done(store.destination('old.test')), undefined)
      assert.equal((await done(store.destination('seen.test')))?.hosts.length, 2)
      assert.deepEqual(await done(store.amounts('mail1')), amounts)
      assert.equal((await done(store.waiting(0, 10))).messages, 1)
      assert.deepEqual(await done(store.resolvers()), [])
    })

    test('nothing rejects after its end', async (t) => {
      const [store] = open(t)
      store.end()
      assert.equal((await store.add(batch(), NOW)).ok, false)
      assert.equal((await store.destinations({ search: '', after: undefined, limit: 1 })).ok, false)
      assert.equal((await store.removeOld(0, 0)).ok, false)
    })
  })
}
