import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createSqliteOutcomes, type OutcomeStore } from '../../../dist/lib/outcomes/index.js'
import { MIGRATIONS } from '../../../dist/lib/outcomes/sqlite-tables.js'
import { batch, counted, session, sorted, value } from './ground.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MIDNIGHT = Date.UTC(2027, 0, 31)
const TODAY = MIDNIGHT / DAY
const today = { start: MIDNIGHT, end: MIDNIGHT + DAY }
const week = { start: MIDNIGHT - 6 * DAY, end: MIDNIGHT + DAY }

/** A file as version 1 has written it: one row for each hour and kind of count. */
function openEarlier(t: TestContext): OutcomeStore {
  const directory = mkdtempSync(join(tmpdir(), 'migration-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'outbound-tls.db')
  const database = new DatabaseSync(path)
  database.exec(`${MIGRATIONS[0] ?? ''}; PRAGMA user_version = 1;
    UPDATE number SET value = ${MIDNIGHT + HOUR} WHERE name = 'closed';
    INSERT INTO writer VALUES ('a', 7, 0);
    INSERT INTO hour VALUES (${MIDNIGHT / HOUR - 24}), (${MIDNIGHT / HOUR}), (${MIDNIGHT / HOUR + 23});
    INSERT INTO domain VALUES ('example.org', 1, ${TODAY}), ('example.net', 2, ${TODAY});
    INSERT INTO text VALUES
      (1, 111, ${TODAY}, '["sts","example.org",["version: STSv1","mode: enforce"],["*.example.org"]]'),
      (2, 222, ${TODAY}, '["certificate-expired",null,"192.0.2.1","mx1.example.org"]'),
      (3, 333, ${TODAY}, 'mx1.example.org'), (4, 444, ${TODAY}, 'TLSv1.3');
    INSERT INTO counted VALUES
      (${TODAY - 1}, 1, 0, 1, 0, 5), (${TODAY}, 1, 0, 1, 0, 1), (${TODAY}, 1, 23, 1, 0, 12), (${TODAY}, 1, 23, 1, 2, 3),
      (${TODAY}, 2, 0, 0, 0, 1);
    INSERT INTO session VALUES
      (${TODAY}, 1, 0, 3, 0, 4, 13), (${TODAY}, 1, 23, 3, 4, 4, 3), (${TODAY}, 2, 0, 0, 3, 0, 1)`)
  database.close()
  const store = createSqliteOutcomes({ path, log: (level, text) => assert.fail(`${level} ${text}`) })
  t.after(() => store.end())
  return store
}

const sts = {
  type: 'sts',
  domain: 'example.org',
  strings: ['version: STSv1', 'mode: enforce'],
  mx: ['*.example.org'],
} as const
const expired = { type: 'certificate-expired', sendingAddress: '192.0.2.1', receivingHost: 'mx1.example.org' } as const

describe('a file of the first version', () => {
  test('is brought up to date with all of its counts', async (t) => {
    const store = openEarlier(t)
    assert.deepEqual(
      sorted(await value(store.policiesOf('example.org', today))),
      sorted([{ policy: sts, successes: 13, failures: 3, details: [{ ...expired, count: 3 }] }]),
    )
    assert.equal((await value(store.policiesOf('example.org', week)))[0]?.successes, 18)
    const [none] = await value(store.policiesOf('example.net', today))
    assert.deepEqual(none?.policy, { type: 'no-policy-found', domain: 'example.net' })
    assert.deepEqual(await value(store.domainsOf(today, '', 9)), ['example.net', 'example.org'])
    assert.equal(await value(store.firstHour()), MIDNIGHT - DAY)
  })

  test('keeps its sessions, with their hours, hosts, levels and TLS versions', async (t) => {
    const sessions = await value(openEarlier(t).sessionsOf({ period: today }))
    const refused = { level: 'refused', hour: MIDNIGHT + 23 * HOUR, count: 3 } as const
    const inClear = { domain: 'example.net', host: undefined, level: 'clear-text', tlsVersion: undefined } as const
    assert.deepEqual(inOrder(sessions), inOrder([session({ count: 13 }), session(refused), session(inClear)]))
  })

  test('goes on counting: the batches that it has, and the hours that are closed, it knows', async (t) => {
    const store = openEarlier(t)
    const counts = [counted({ policy: sts, hour: MIDNIGHT })]
    assert.equal((await value(store.add(batch(counts, [], { writer: 'a', number: 7 }), MIDNIGHT))).isNew, false)
    assert.equal(
      (await value(store.add(batch(counts, [session()], { writer: 'a', number: 8 }), MIDNIGHT))).bookedForward,
      1,
    )
    const facts = await value(store.policiesOf('example.org', today))
    assert.equal(
      facts.reduce((sum, { successes }) => sum + successes, 0),
      14,
    )
    assert.ok(facts.every(({ policy }) => JSON.stringify(policy) === JSON.stringify(sts)))
  })

  test('has its old days removed, with all that only they had', async (t) => {
    const store = openEarlier(t)
    await value(store.removeOld(MIDNIGHT))
    assert.equal((await value(store.policiesOf('example.org', week)))[0]?.successes, 13)
    await value(store.removeOld(MIDNIGHT + 2 * DAY))
    assert.deepEqual(await value(store.sessionsOf({ period: week })), [])
  })
})

function inOrder(sessions: readonly unknown[]): readonly string[] {
  return sessions.map((one) => JSON.stringify(one, Object.keys(session()).toSorted())).sort()
}
