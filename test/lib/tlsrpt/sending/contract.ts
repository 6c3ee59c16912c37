/**
 * What every engine of the ledger must do. Each test gets a store that is empty, and as many openings of it as it asks for.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { ReportLedger } from '../../../../dist/lib/tlsrpt/sending/index.js'
import type { TestEngine } from '../../../support/store.ts'
import { DAY, HOUR, leaseOf, ledgerIn, newReport, NOW, scheduled, START, value } from './ledger-ground.ts'

/** @param store - another opening of the store of this test, as another process would have it */
export function ledgerContract({ name: engine, skip, store }: TestEngine): void {
  const open = (t: TestContext): ReportLedger => ledgerIn(store(t))
  describe(`a ledger of reports in ${engine}: the lease`, { skip }, () => {
    test('is with one holder at a time, who renews it', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one, 'a')
      assert.equal(await value(two.takeLease('b', 60_000, NOW + 59_999)), undefined)
      const renewed = await leaseOf(one, 'a', NOW + 30_000)
      assert.deepEqual(renewed, { holder: 'a', fence: lease.fence, until: NOW + 90_000 })
      assert.equal(await value(two.takeLease('b', 60_000, NOW + 89_999)), undefined)
    })

    test('is taken over when it has run out, under a larger fence', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one, 'a')
      const other = await leaseOf(two, 'b', NOW + 60_000)
      assert.ok(other.fence > lease.fence)
      assert.equal(await value(one.takeLease('a', 60_000, NOW + 60_001)), undefined)
    })

    test('keeps its fence when its holder comes back late and nobody has taken it', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger, 'a')
      assert.equal((await leaseOf(ledger, 'a', NOW + DAY)).fence, lease.fence)
    })

    test('is free at once when it is given back, and then has another fence for another holder', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one, 'a')
      await value(one.giveLeaseBack(lease))
      assert.ok((await leaseOf(two, 'b')).fence > lease.fence)
      await value(one.giveLeaseBack(lease)) // it is not his any more
      assert.equal(await value(one.takeLease('c', 60_000, NOW + 1)), undefined)
    })

    test('that seems to last for years was taken before the clock was set back, and is free', async (t) => {
      const ledger = open(t)
      await leaseOf(ledger, 'a', NOW + 365 * DAY)
      await leaseOf(ledger, 'b', NOW)
    })

    test('is taken by the clock of the store, which all processes share', async (t) => {
      const [one, two] = [open(t), open(t)]
      const [before, lease] = [await value(two.now()), await value(one.takeLease('a', 60_000))]
      assert.ok(lease && lease.until - 60_000 >= before && lease.until - 60_000 <= (await value(two.now())))
      assert.equal(await value(two.takeLease('b', 60_000)), undefined)
    })

    test('goes to one of many that want it at once', async (t) => {
      const ledgers = Array.from({ length: 8 }, () => open(t))
      await Promise.all(ledgers.map((ledger) => value(ledger.timetables()))) // all are open
      const taken = await Promise.all(
        ledgers.map((ledger, index) => value(ledger.takeLease(String(index), 60_000, NOW))),
      )
      assert.equal(taken.filter((lease) => lease !== undefined).length, 1)
    })

    test('that is lost lets nothing more be written', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one, 'a')
      const entry = await scheduled(one, lease)
      await value(one.saveTimetables(lease, [{ group: '', through: START, length: 'daily' }]))
      await leaseOf(two, 'b', NOW + 60_000)

      assert.equal(await value(one.schedule(lease, [newReport('two.test')])), false)
      assert.equal(await value(one.saveTimetables(lease, [])), false)
      assert.equal(await value(one.change(entry, { state: 'sent' }, lease)), undefined)
      assert.deepEqual(await value(two.read(entry)), entry)
      assert.equal(await value(two.read(newReport('two.test'))), undefined)
      assert.equal((await value(two.timetables())).length, 1)
    })
  })

  describe(`a ledger of reports in ${engine}: timetables`, { skip }, () => {
    test('are saved all together', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one)
      assert.deepEqual(await value(one.timetables()), [])
      const all = [
        { group: '', through: START, length: 'daily' },
        { group: 'a.test', through: START + HOUR, length: 'hourly' },
        { group: 'b.test', through: START - 3 * DAY, length: 'never' },
      ] as const
      await value(one.saveTimetables(lease, all))
      assert.deepEqual(await value(two.timetables()), all)
      await value(one.saveTimetables(lease, all.slice(0, 1)))
      assert.deepEqual(await value(two.timetables()), all.slice(0, 1))
    })
  })

  describe(`a ledger of reports in ${engine}: what the command leaves`, { skip }, () => {
    test('suppressions stay until they are removed, and remember since when they are', async (t) => {
      const [one, two] = [open(t), open(t)]
      await value(one.suppress('b.test', NOW))
      await value(one.suppress('*.a.test', NOW))
      await value(one.suppress('b.test', NOW + DAY))
      const both = [
        { pattern: '*.a.test', since: NOW },
        { pattern: 'b.test', since: NOW },
      ]
      assert.deepEqual(await value(two.suppressions()), both)
      assert.equal(await value(two.unsuppress('b.test')), true)
      assert.equal(await value(two.unsuppress('b.test')), false)
      assert.deepEqual(await value(one.suppressions()), both.slice(0, 1))
    })

    test('a request is followed once, by the holder of the lease: what waits for the domain is due', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(two)
      const later = { dueAt: NOW + HOUR }
      const days = [0, 1].map((day) => newReport('a.test', { start: START + day * DAY, ...later }))
      await value(two.schedule(lease, [...days, newReport('b.test', later)]))
      const sent = await value(two.read(days[0] ?? newReport('a.test')))
      assert.ok(sent)
      const accepted = {
        rua: 'mailto:a@a.test',
        state: 'accepted',
        attempts: 1,
        nextAt: Infinity,
        note: '250',
      } as const
      await value(two.change(sent, { state: 'sent', dueAt: Infinity, destinations: [accepted] }, lease))
      assert.equal(await value(two.followRequest(lease, NOW)), undefined)
      await value(one.requestSend({ domain: 'a.test', at: NOW }))
      await value(one.requestSend({ domain: 'a.test', at: NOW + 1 }))
      assert.equal(await value(two.isSendRequested('a.test')), true)
      assert.equal(await value(two.isSendRequested('b.test')), false)
      assert.equal(await value(two.followRequest({ ...lease, fence: lease.fence - 1 }, NOW)), undefined)
      const followed = await Promise.all([value(one.followRequest(lease, NOW)), value(two.followRequest(lease, NOW))])
      assert.deepEqual(
        followed.filter((each) => each !== undefined),
        [{ domain: 'a.test', known: 2, due: 1 }],
      )
      assert.equal(await value(one.isSendRequested('a.test')), false)
      const due = await value(one.due(NOW, 10))
      assert.deepEqual(
        due.map(({ domain, start }) => [domain, start]),
        [['a.test', START + DAY]],
      )
    })
  })
}
