import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import {
  createSqliteOutcomes,
  MOST_DETAILS_A_DAY,
  MOST_POLICIES_A_DAY,
  MOST_SESSION_KINDS_A_DAY,
  type Batch,
  type OutcomeStore,
} from '../../../dist/lib/outcomes/index.js'
import { FOLDED } from '../../../dist/lib/tlsrpt/index.js'
import { describeEngine } from './engine.ts'
import { batch, counted, DAY, expired, HOUR, MIDNIGHT, session, tlsa, today, value } from './ground.ts'

interface Place {
  readonly path: string
  /** the store, as one process sees it */
  readonly open: () => OutcomeStore
}

function placeFor(t: TestContext): Place {
  const directory = mkdtempSync(join(tmpdir(), 'outcomes-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'outbound-tls.db')
  const open = (): OutcomeStore => {
    const store = createSqliteOutcomes({ path, log: () => undefined })
    t.after(() => store.end())
    return store
  }
  return { path, open }
}

describeEngine('SQLite', {
  open: (t) => {
    const { open: again } = placeFor(t)
    return Promise.resolve({ store: again(), again })
  },
})

test('deliveries go on while SQLite looks for the few domains of an hour among many', async (t) => {
  const store = placeFor(t).open()
  const name = (index: number): string => `d${String(index).padStart(5, '0')}.test`
  const hour = Date.UTC(2027, 0, 31)
  const many = Array.from({ length: 5000 }, (_, index) => counted({ domain: name(index), hour }))
  const few = [998, 999, 1000, 4999].map((index) => counted({ domain: name(index), hour: hour + 3_600_000 }))
  await value(store.add(batch([...many, ...few]), 0))

  let turns = 0
  const takeTurn = (): void => {
    turns++
    next = setImmediate(takeTurn)
  }
  let next = setImmediate(takeTurn)
  const found = await value(store.domainsOf({ start: hour + 3_600_000, end: hour + 7_200_000 }, '', 500))
  clearImmediate(next)
  assert.deepEqual(found, [name(998), name(999), name(1000), name(4999)])
  assert.ok(turns >= 4, `others had ${turns} turns`)
})

describe('the file of SQLite', () => {
  const DOMAINS = 1000

  /** How many bytes of the file one domain takes on one of several days, each of which adds what `made` says. */
  const bytesOf = async (
    t: TestContext,
    made: (domain: string, day: number, index: number) => Batch,
  ): Promise<number> => {
    const { path, open } = placeFor(t)
    const store = open()
    const sizes: number[] = []
    for (const day of [0, 1, 2].map((number) => MIDNIGHT + number * DAY)) {
      const all = Array.from({ length: DOMAINS }, (_, index) => made(`domain-${index}.example`, day, index))
      const [policies, sessions] = [all.flatMap((one) => one.policies), all.flatMap((one) => one.sessions)]
      await value(store.add(batch(policies, sessions), 0))
      const file = new DatabaseSync(path)
      file.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      file.close()
      sizes.push(statSync(path).size)
    }
    const [first = 0, , last = 0] = sizes
    return (last - first) / 2 / DOMAINS
  }

  test('grows by at most 66 bytes for a domain with ten sessions a day, wherever they go', async (t) => {
    const bytes = await bytesOf(t, (domain, day, index) => {
      const hours = Array.from({ length: 10 }, (_, count) => day + ((count * 7 + index) % 24) * HOUR)
      return batch(
        hours.map((hour) => counted({ domain, hour })),
        hours.map((hour) => session({ domain, hour, host: `mx1.${domain}` })),
      )
    })
    assert.ok(bytes <= 66, `${bytes} bytes`)
  })

  test('grows by at most 170 bytes for each new way in which a session fails', async (t) => {
    const bytes = await bytesOf(t, (domain, day, index) => {
      const receivingAddress = `2001:db8::${day / DAY}:${index}`
      return batch([counted({ domain, hour: day, failure: { ...expired, receivingAddress } })])
    })
    assert.ok(bytes <= 170, `${bytes} bytes`)
  })
})

describe('a row of SQLite, which has all counts of a domain and a day', () => {
  const hours = Array.from({ length: 24 }, (_, hour) => MIDNIGHT + hour * HOUR)

  test('keeps a thousand details, however many there are in each hour; further ones are folded', async (t) => {
    const store = placeFor(t).open()
    let folded = 0
    for (const hour of hours) {
      const details = Array.from({ length: 60 }, (_, index) =>
        counted({ hour, failure: { ...expired, receivingAddress: `2001:db8::${hour / HOUR}:${index}` } }),
      )
      folded += (await value(store.add(batch(details), 0))).folded
    }
    assert.equal(folded, 24 * 60 - MOST_DETAILS_A_DAY)
    const again = counted({
      hour: MIDNIGHT + 23 * HOUR,
      failure: { ...expired, receivingAddress: `2001:db8::${MIDNIGHT / HOUR}:0` },
    })
    assert.equal((await value(store.add(batch([again]), 0))).folded, 0, 'one that is there already, if of another hour')
    const [facts] = await value(store.policiesOf('example.org', today))
    assert.equal(facts?.failures, 24 * 60 + 1)
    assert.equal(facts.details.length, MOST_DETAILS_A_DAY + 1)
  })

  test('keeps two hundred policies, and a thousand kinds of sessions', async (t) => {
    const store = placeFor(t).open()
    let folded = 0
    for (const hour of hours) {
      const policies = Array.from({ length: 20 }, (_, index) =>
        counted({ hour, policy: { ...tlsa, domain: `mx${hour / HOUR}-${index}.example.org` } }),
      )
      const sessions = Array.from({ length: 60 }, (_, index) =>
        session({ hour, host: `h${hour / HOUR}-${index}.test` }),
      )
      folded += (await value(store.add(batch(policies, sessions), 0))).folded
    }
    assert.equal(folded, 24 * 20 - MOST_POLICIES_A_DAY)
    const sessions = await value(store.sessionsOf({ period: today, domain: 'example.org' }))
    assert.equal(
      sessions.reduce((sum, { count }) => sum + count, 0),
      24 * 60,
    )
    assert.equal(new Set(sessions.map(({ host }) => host)).size, MOST_SESSION_KINDS_A_DAY + 1)
  })

  test('is written to a later day where its own has been removed', async (t) => {
    const store = placeFor(t).open()
    await value(store.removeOld(MIDNIGHT))
    const early = { hour: MIDNIGHT - HOUR }
    const late = batch([counted(early)], [session(early)])
    assert.equal((await value(store.add(late, MIDNIGHT + HOUR))).bookedForward, 1)
    assert.equal((await value(store.policiesOf('example.org', today)))[0]?.successes, 1)
    assert.deepEqual(await value(store.sessionsOf({ period: { start: 0, end: MIDNIGHT + DAY } })), [session()])
  })

  test('is not written to a day to come, though days until then were removed by a clock that was wrong', async (t) => {
    const store = placeFor(t).open()
    await value(store.removeOld(MIDNIGHT + 300 * DAY))
    await value(store.add(batch([counted()], [session()]), MIDNIGHT + HOUR))
    assert.equal((await value(store.policiesOf('example.org', today)))[0]?.successes, 1)
    assert.equal((await value(store.sessionsOf({ period: today }))).length, 1)
  })

  test('whose texts are damaged or gone keeps nobody from the reports on others, and loses no sum', async (t) => {
    const { path, open } = placeFor(t)
    const store = open()
    const domains = ['a.test', 'b.test', 'c.test', 'd.test']
    for (const [index, domain] of domains.entries()) {
      const policy = { ...tlsa, domain: `mx${index}.test` }
      const failed = counted({ domain, policy, failure: { ...expired, reason: `${index}` } })
      await value(
        store.add(batch([counted({ domain, policy }), failed], [session({ domain, host: `mx${index}.test` })]), 0),
      )
    }
    const database = new DatabaseSync(path)
    database.exec("DELETE FROM text WHERE id <= 3; UPDATE text SET text = '[' WHERE id BETWEEN 4 AND 6")
    database.close()
    const each = await value(store.policiesOfEach(domains, today))
    assert.deepEqual(
      each.map(([facts]) => [facts?.policy.type, facts?.successes, facts?.failures]),
      domains.map((_, index) => [index < 2 ? 'no-policy-found' : 'tlsa', 1, 1]),
    )
    assert.deepEqual(
      each.map(([facts]) => facts?.details[0]?.reason),
      [FOLDED, FOLDED, '2', '3'],
    )
    assert.equal((await value(store.sessionsOf({ period: today }))).length, 2)
  })

  test('has its texts in common with all domains that differ in their names only', async (t) => {
    const { path, open } = placeFor(t)
    const store = open()
    for (const domain of ['a.test', 'bb.test', 'ccc.test']) {
      const policy = {
        type: 'sts',
        domain,
        strings: [`mx: mx.${domain}`, `mx: *.${domain}`],
        mx: [`mx.${domain}`],
      } as const
      const failed = counted({ domain, policy, failure: { ...expired, receivingHost: `mx.${domain}` } })
      await value(store.add(batch([failed], [session({ domain, host: `mx.${domain}` })]), 0))
    }
    const database = new DatabaseSync(path)
    t.after(() => database.close())
    assert.equal(database.prepare('SELECT count(*) AS count FROM text').get()?.count, 3)
  })

  test('is found by its name among those of several days, whatever the names are', async (t) => {
    const store = placeFor(t).open()
    const names = Array.from({ length: 600 }, (_, index) => `${['ａ', '😀', 'z', 'é'][index % 4]}${index}.test`)
    const counts = names.map((domain, index) => counted({ domain, hour: MIDNIGHT + (index % 3) * DAY }))
    await value(store.add(batch(counts), 0))
    const period = { start: MIDNIGHT, end: MIDNIGHT + 3 * DAY }
    const found: string[] = []
    for (let page = await value(store.domainsOf(period, '', 70)); page.length > 0;) {
      found.push(...page)
      page = await value(store.domainsOf(period, found.at(-1) ?? '', 70))
    }
    assert.deepEqual(found.toSorted(), names.toSorted())
    assert.deepEqual(await value(store.domainsOf({ start: MIDNIGHT + HOUR, end: MIDNIGHT + HOUR }, '', 9)), [])
  })
})
