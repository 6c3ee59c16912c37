/**
 * What every engine must do with the reports of a ledger.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { ReportEntry, ReportLedger, ReportQuery } from '../../../../dist/lib/tlsrpt/sending/index.js'
import type { TestEngine } from '../../../support/store.ts'
import { DAY, HOUR, leaseOf, ledgerIn, newReport, NOW, scheduled, START, value } from './ledger-ground.ts'

const domains = (entries: readonly ReportEntry[]): string[] => entries.map(({ domain }) => domain)

/** @param store - another opening of the store of this test, as another process would have it */
export function reportsContract({ name: engine, skip, store }: TestEngine): void {
  const open = (t: TestContext): ReportLedger => ledgerIn(store(t))
  describe(`a ledger of reports in ${engine}: reports`, { skip }, () => {
    test('are scheduled once: what is there keeps its id and its time', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const entry = await scheduled(ledger, lease)
      const again = newReport('one.test', { reportId: 'another@example.org', dueAt: NOW + HOUR, end: START + HOUR })
      assert.equal(await value(ledger.schedule(lease, [again, newReport('two.test')])), true)
      assert.deepEqual(await value(ledger.read(entry)), entry)
      assert.deepEqual(entry, {
        ...newReport('one.test'),
        state: 'scheduled',
        firstTriedAt: undefined,
        destinations: [],
        note: undefined,
        sessions: undefined,
        size: 0,
        version: entry.version,
      })
      assert.equal(typeof entry.version, 'number')
      assert.equal(domains(await value(ledger.due(NOW, 10))).length, 2)
    })

    test('are due when their time has come, the longest overdue first', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const reports = [
        newReport('later.test', { dueAt: NOW + 1 }),
        newReport('now.test', { dueAt: NOW }),
        newReport('long-ago.test', { dueAt: NOW - DAY }),
        newReport('an-hour-ago.test', { dueAt: NOW - HOUR }),
      ]
      await value(ledger.schedule(lease, reports))
      assert.deepEqual(domains(await value(ledger.due(NOW, 10))), ['long-ago.test', 'an-hour-ago.test', 'now.test'])
      assert.deepEqual(domains(await value(ledger.due(NOW, 2))), ['long-ago.test', 'an-hour-ago.test'])
      assert.deepEqual(await value(ledger.due(NOW - 2 * DAY, 10)), [])
    })

    test('change by compare-and-set: of two that have read the same, one has its way', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one)
      const entry = await scheduled(one, lease)
      const changed = await value(one.change(entry, { note: 'first' }, lease))
      assert.equal(changed?.note, 'first')
      assert.equal(await value(two.change(entry, { note: 'second' }, lease)), undefined)
      assert.deepEqual(await value(two.read(entry)), changed)
      assert.equal((await value(two.change(changed, { note: 'third' }, lease)))?.note, 'third')
    })

    test('of many that change one at once, one has its way each time', async (t) => {
      const ledgers = Array.from({ length: 5 }, () => open(t))
      const first = ledgers[0] ?? open(t)
      const lease = await leaseOf(first)
      const entry = await scheduled(first, lease)
      const done = await Promise.all(ledgers.map((ledger) => value(ledger.change(entry, { note: 'x' }, lease))))
      assert.equal(done.filter((changed) => changed !== undefined).length, 1)
    })

    test('a change leaves the rest as it is, and can take values away', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const entry = await scheduled(ledger, lease)
      const destinations = [
        { rua: 'mailto:a@b.test', state: 'waiting', attempts: 2, nextAt: NOW, note: undefined },
        { rua: 'https://b.test/x', state: 'accepted', attempts: 1, nextAt: Infinity, note: '202 "jä"\u2028' },
      ] as const
      const sessions = { successful: Number.MAX_SAFE_INTEGER, failed: 2 }
      const changes = {
        state: 'sending',
        dueAt: NOW + 7,
        firstTriedAt: NOW,
        destinations,
        note: 'n',
        sessions,
      } as const
      const changed = await value(ledger.change(entry, changes, lease))
      assert.ok(changed)
      assert.deepEqual({ ...changed, version: 0 }, { ...entry, ...changes, version: 0 })
      assert.deepEqual(await value(ledger.read(entry)), changed)

      const without = await value(ledger.change(changed, { note: undefined, dueAt: Infinity }, lease))
      assert.ok(without)
      assert.deepEqual({ ...without, version: 0 }, { ...changed, note: undefined, dueAt: Infinity, version: 0 })
      assert.deepEqual(await value(ledger.due(Number.MAX_SAFE_INTEGER, 10)), [])
    })

    test('what a destination has answered is recorded without the lease, and nothing that is recorded at once is lost', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one)
      const entry = await scheduled(one, lease)
      const ruas = Array.from({ length: 6 }, (_, index) => `mailto:r${index}@b.test`)
      const destinations = ruas.map(
        (rua) => ({ rua, state: 'queued', attempts: 1, nextAt: NOW, note: undefined }) as const,
      )
      await value(one.change(entry, { state: 'sending', destinations, dueAt: NOW, frozen: Buffer.from('x') }, lease))
      await leaseOf(two, 'b', NOW + DAY) // the first one has lost it
      const recorded = await Promise.all(
        ruas.map((rua, index) =>
          value((index % 2 ? one : two).recordStatus(entry, rua, { status: 'accepted', note: rua })),
        ),
      )
      assert.equal(recorded.filter((each) => each?.before.state === 'sending' && each.after.state === 'sent').length, 1)
      const read = await value(two.read(entry))
      assert.deepEqual(
        read?.destinations.map(({ state, note }) => [state, note]),
        ruas.map((rua) => ['accepted', rua]),
      )
      assert.deepEqual([read.state, read.dueAt], ['sent', Infinity])
      assert.equal(await value(one.frozen(entry)), undefined)
    })

    test('a status that changes nothing is none: of a report that is gone, of another rua, of one that has arrived', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const entry = await scheduled(ledger, lease)
      const destinations = [
        { rua: 'mailto:a@b.test', state: 'accepted', attempts: 1, nextAt: Infinity, note: '250' },
      ] as const
      const changed = await value(ledger.change(entry, { state: 'sent', destinations, dueAt: Infinity }, lease))
      const status = { status: 'deferred', note: '451' } as const
      assert.equal(await value(ledger.recordStatus(newReport('gone.test'), 'mailto:a@b.test', status)), undefined)
      assert.equal(await value(ledger.recordStatus(entry, 'mailto:other@b.test', status)), undefined)
      assert.equal(await value(ledger.recordStatus(entry, 'mailto:a@b.test', status)), undefined)
      assert.deepEqual(await value(ledger.read(entry)), changed)
    })

    test('those whose time a wrong clock has settled get a proper one, others keep theirs', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const [last, end] = [START + DAY + DAY / 3, START + DAY]
      const reports = [
        newReport('wrong.test', { dueAt: NOW + 40 * DAY }),
        newReport('last.test', { dueAt: last + DAY }),
        newReport('next.test', { start: START + 10 * DAY, dueAt: NOW + 11 * DAY }),
      ]
      await value(ledger.schedule(lease, reports))
      assert.equal(await value(ledger.bringForward({ ...lease, holder: 'b' }, NOW)), undefined)
      assert.equal(await value(ledger.bringForward(lease, NOW)), 1)
      assert.equal((await value(ledger.read(newReport('wrong.test'))))?.dueAt, end + 600_000)
      assert.equal((await value(ledger.read(newReport('last.test'))))?.dueAt, last + DAY)
      assert.equal(await value(ledger.bringForward(lease, NOW)), 0)
    })

    test('what is changed is due at its new time only', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      await value(ledger.change(await scheduled(ledger, lease), { dueAt: NOW + HOUR }, lease))
      assert.deepEqual(await value(ledger.due(NOW + HOUR - 1, 10)), [])
      assert.equal((await value(ledger.due(NOW + HOUR, 10))).length, 1)
    })

    test('one that is not there cannot be changed, and has nothing frozen', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const entry = { ...(await scheduled(ledger, lease)), domain: 'nobody.test' }
      assert.equal(await value(ledger.change(entry, { note: 'x', frozen: Buffer.from('x') }, lease)), undefined)
      assert.equal(await value(ledger.frozen(entry)), undefined)
      assert.equal(await value(ledger.read(entry)), undefined)
    })

    test('are frozen with the change, byte by byte, until they are needed no more', async (t) => {
      const [one, two] = [open(t), open(t)]
      const lease = await leaseOf(one)
      const entry = await scheduled(one, lease)
      const frozen = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256)
      const sending = await value(one.change(entry, { state: 'sending', frozen }, lease))
      assert.equal(sending?.size, 70_000)
      assert.equal(await value(two.change(entry, { frozen: Buffer.from('another') }, lease)), undefined)
      assert.deepEqual(Buffer.from((await value(two.frozen(entry))) ?? ''), Buffer.from(frozen))

      const noted = await value(two.change(sending, { note: 'still there' }, lease))
      assert.ok(noted)
      assert.ok(await value(two.frozen(entry)))
      const over = await value(two.change(noted, { dueAt: Infinity, frozen: null }, lease))
      assert.equal(over?.size, 70_000)
      assert.equal(await value(one.frozen(entry)), undefined)
    })

    test('of those that nobody wants, a domain keeps the latest only', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const days = [0, 1, 2, 3].map((day) => newReport('one.test', { start: START + day * DAY }))
      await value(ledger.schedule(lease, [...days, newReport('two.test')]))
      const states = ['sent', 'not-wanted', 'not-wanted', 'scheduled'] as const
      for (const report of [...days, newReport('two.test')]) {
        const entry = await value(ledger.read(report))
        assert.ok(entry)
        const state = report.domain === 'two.test' ? 'not-wanted' : (states[days.indexOf(report)] ?? 'scheduled')
        await value(ledger.change(entry, { state }, lease))
      }
      const left = await value(ledger.list({ limit: 10 }))
      assert.deepEqual(
        left.map(({ domain, start, state }) => [domain, (start - START) / DAY, state]),
        [
          ['one.test', 3, 'scheduled'],
          ['one.test', 2, 'not-wanted'],
          ['one.test', 0, 'sent'],
          ['two.test', 0, 'not-wanted'],
        ],
      )
      assert.equal(await value(ledger.read(newReport('one.test', { start: START + DAY }))), undefined)
      assert.equal((await value(ledger.due(Number.MAX_SAFE_INTEGER, 10))).length, 4)
    })

    test('are listed, the latest period first, by domain and state', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const reports = ['b.test', 'a.test', 'c.test'].map((domain) => newReport(domain))
      await value(ledger.schedule(lease, [...reports, newReport('a.test', { start: START + DAY })]))
      const entry = await value(ledger.read(newReport('c.test')))
      assert.ok(entry)
      await value(ledger.change(entry, { state: 'given-up', dueAt: Infinity }, lease))

      const all = await value(ledger.list({ limit: 10 }))
      assert.deepEqual(domains(all), ['a.test', 'a.test', 'b.test', 'c.test'])
      assert.deepEqual(domains(await value(ledger.list({ limit: 2 }))), ['a.test', 'a.test'])
      const ofOne = await value(ledger.list({ domain: 'a.test', limit: 10 }))
      assert.deepEqual(
        ofOne.map(({ start }) => start),
        [START + DAY, START],
      )
      assert.deepEqual(domains(await value(ledger.list({ states: ['given-up', 'sent'], limit: 10 }))), ['c.test'])
      const none = ledger.list({ domain: 'a.test', states: ['given-up'], limit: 10 })
      assert.deepEqual(await value(none), [])
      assert.deepEqual(await value(ledger.list({ states: [], limit: 10 })), [])
    })

    test('are listed page by page, each of them once, and counted up to a limit', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const reports = ['c.test', 'a.test', 'b.test'].flatMap((domain) =>
        [0, 1, 2].map((day) => newReport(domain, { start: START + day * DAY })),
      )
      await value(ledger.schedule(lease, reports))
      for (const domain of ['a.test', 'c.test']) {
        const entry = await value(ledger.read({ domain, start: START + DAY }))
        assert.ok(entry)
        await value(ledger.change(entry, { state: 'sent', dueAt: Infinity }, lease))
      }
      const pages = async (query: Omit<ReportQuery, 'limit'>): Promise<readonly string[]> => {
        const seen: ReportEntry[] = []
        for (;;) {
          const after = seen.at(-1)
          const page = await value(ledger.list({ ...query, ...(after && { after }), limit: 2 }))
          if (page.length === 0) return seen.map(({ domain, start }) => `${domain} ${(start - START) / DAY}`)
          seen.push(...page)
        }
      }
      const newestFirst = [2, 1, 0].flatMap((day) => ['a.test', 'b.test', 'c.test'].map((domain) => `${domain} ${day}`))
      assert.deepEqual(await pages({}), newestFirst)
      assert.deepEqual(await pages({ states: ['sent', 'scheduled'] }), newestFirst)
      assert.deepEqual(await pages({ states: ['sent'] }), ['a.test 1', 'c.test 1'])
      assert.deepEqual(await pages({ domain: 'b.test' }), ['b.test 2', 'b.test 1', 'b.test 0'])
      assert.deepEqual(
        await Promise.all(
          [ledger.count('sent', 10), ledger.count('scheduled', 5), ledger.count('given-up', 5)].map(value),
        ),
        [2, 5, 0],
      )
    })

    test('beyond the bound of all the oldest are removed, whatever becomes of them', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const days = [0, 1, 2, 3, 4].map((day) => newReport('a.test', { start: START + day * DAY }))
      await value(ledger.schedule(lease, days))
      await value(ledger.removeOld(0, 5))
      assert.equal((await value(ledger.list({ limit: 9 }))).length, 5)
      await value(ledger.removeOld(0, 3))
      const left = await value(ledger.list({ limit: 9 }))
      assert.deepEqual(
        left.map(({ start }) => (start - START) / DAY),
        [4, 3, 2],
      )
    })

    test('are removed when they are over and old, and what is frozen of them too', async (t) => {
      const ledger = open(t)
      const lease = await leaseOf(ledger)
      const old = Array.from({ length: 1200 }, (_, index) => newReport(`old${index}.test`))
      const others = [newReport('pending.test'), newReport('new.test', { start: START + DAY })]
      await value(ledger.schedule(lease, [...old, ...others]))
      for (const report of [...old, newReport('new.test', { start: START + DAY })]) {
        const entry = await value(ledger.read(report))
        assert.ok(entry)
        await value(ledger.change(entry, { dueAt: Infinity, state: 'sent', frozen: Buffer.from('x') }, lease))
      }
      await value(ledger.removeOld(START + DAY - 1))
      assert.equal((await value(ledger.list({ limit: 2000 }))).length, 1202)
      await value(ledger.removeOld(START + DAY))
      assert.deepEqual(domains(await value(ledger.list({ limit: 2000 }))), ['new.test', 'pending.test'])
      assert.equal(await value(ledger.frozen(newReport('old1.test'))), undefined)
      assert.ok(await value(ledger.frozen(newReport('new.test', { start: START + DAY }))))
    })
  })
}
