/** What a module can rely on, whichever the engine. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Calls, Done, Log } from '../../../dist/lib/store/index.js'
import { engines } from '../../support/engines.ts'
import { open as openStore, type TestEngine } from '../../support/store.ts'
import { sql as other } from './other.ts'
import { sql } from './probe.ts'

async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

async function failure(done: Promise<Done<unknown>>): Promise<string> {
  const result = await done
  return result.ok ? 'it went well' : result.text
}

for (const engine of engines) contract(engine)

function contract({ name, skip, store, options, change }: TestEngine): void {
  const open = (t: TestContext, log?: Log): Calls<typeof sql.methods> => store(t, log).module(sql)

  describe(`the store on ${name}`, { skip }, () => {
    test('makes its tables when it is first used, once for all who come at once', async (t) => {
      const stores = Array.from({ length: 4 }, () => open(t))
      await Promise.all(stores.map((each) => value(each.add('a'))))
      assert.deepEqual(await value(stores[0]?.all() ?? assert.fail()), [{ name: 'a', count: 4 }])
    })

    test('gives numbers, texts, bytes and nothing as they were stored, and booleans as 0 and 1', async (t) => {
      const probe = open(t)
      const bytes = new Uint8Array([0, 1, 254, 255])
      await value(probe.all('INSERT INTO probe VALUES (?, ?, ?, ?, ?)', ['ä\u{1f600}', 2 ** 53 - 1, null, 0.5, bytes]))
      const [row] = await value(probe.all('SELECT p.*, count > 5 AS many, length(note) AS long FROM probe p'))
      assert.deepEqual(row, {
        ...{ name: 'ä\u{1f600}', count: 2 ** 53 - 1, note: null, ratio: 0.5, bytes },
        ...{ many: 1, long: null },
      })
      const [sums] = await value(
        probe.all('SELECT count(*) AS n, sum(count) AS s, max(count) AS m, sum(ratio) AS r FROM probe'),
      )
      assert.deepEqual(sums, { n: 1, s: 2 ** 53 - 1, m: 2 ** 53 - 1, r: 0.5 })
    })

    test('takes question marks in texts, names and comments as they are', async (t) => {
      const probe = open(t)
      const query = `SELECT '?''?' AS "a?", CAST(? AS BIGINT) AS b -- ?
        , /* ? */ CAST(? AS BIGINT) AS c`
      assert.deepEqual(await value(probe.all(query, [1, 2])), [{ 'a?': "?'?", b: 1, c: 2 }])
    })

    test('orders texts by their bytes', async (t) => {
      const probe = open(t)
      for (const each of ['b', 'B', 'ä', 'a', '-', 'Z']) await value(probe.add(each))
      const rows = await value(probe.all())
      assert.deepEqual(rows.map((row) => row.name).join(''), '-BZabä')
    })

    test('makes U+FFFD of what no text can hold, and a batch with it is stored', async (t) => {
      const probe = open(t)
      assert.equal(await value(probe.addBatch('w', 1, ['a\0b', 'half \ud800', 'good'])), true)
      const rows = await value(probe.all('SELECT name FROM probe ORDER BY name'))
      assert.deepEqual(rows, [{ name: 'a\ufffdb' }, { name: 'good' }, { name: 'half \ufffd' }])
    })

    test('a number that is too large to be read fails its call, and no other', async (t) => {
      const log: string[] = []
      const probe = open(t, (level, text) => log.push(`${level} ${text}`))
      await value(probe.add('a'))
      await value(probe.all('UPDATE probe SET count = 9007199254740993'))
      assert.match(await failure(probe.all()), /too large|out of range/i)
      assert.deepEqual(await value(probe.all('SELECT name FROM probe')), [{ name: 'a' }])
      assert.deepEqual(
        log.map((line) => line.startsWith('error store: all failed: ')),
        [true],
        log.join('\n'),
      )
    })

    test('thousands of rows are one batch', async (t) => {
      const probe = open(t)
      const names = Array.from({ length: 20_000 }, (_, index) => `n${index}`)
      assert.equal(await value(probe.addBatch('w', 1, names)), true)
      assert.deepEqual(await value(probe.all('SELECT count(*) AS n FROM probe')), [{ n: 20_000 }])
    })

    test('a batch that is repeated, by whoever, counts once', async (t) => {
      const [one, two] = [open(t), open(t)]
      const added = await Promise.all([
        value(one.addBatch('w', 1, ['a'])),
        value(two.addBatch('w', 1, ['a'])),
        value(one.addBatch('other', 1, ['a'])),
      ])
      assert.equal(added.filter(Boolean).length, 2)
      assert.equal(await value(one.addBatch('w', 2, ['a'])), true)
      assert.equal(await value(two.addBatch('w', 1, ['a'])), false)
      assert.deepEqual(await value(one.all()), [{ name: 'a', count: 3 }])
    })

    test('a transaction that fails leaves nothing behind', async (t) => {
      const probe = open(t)
      assert.match(await failure(probe.failHalfway()), /changed my mind/)
      assert.deepEqual(await value(probe.all()), [])
      assert.match(await failure(probe.nest()), /a transaction within a transaction/)
      assert.equal(await value(probe.add('a')), 1)
    })

    test('what happens at the same time is not part of a transaction', async (t) => {
      const probe = open(t)
      await value(probe.add('a'))
      const failing = probe.failHalfway()
      const added = probe.add('b')
      assert.match(await failure(failing), /changed my mind/)
      await value(added)
      assert.deepEqual(await value(probe.all('SELECT name FROM probe ORDER BY name')), [{ name: 'a' }, { name: 'b' }])
    })

    test('a lock is held by one at a time; others wait for it, and reads do not', async (t) => {
      const [one, two] = [open(t), open(t)]
      await value(one.add('a'))
      const holding = one.hold('held', 400)
      const order: string[] = []
      const writing = value(two.addBatch('w', 1, ['b'])).then(() => order.push('written'))
      assert.deepEqual(await value(two.all('SELECT name FROM probe WHERE name = ?', ['a'])), [{ name: 'a' }])
      order.push('read')
      await Promise.all([value(holding).then(() => order.push('held')), writing])
      assert.equal(order[0], 'read')
      assert.equal((await value(one.all())).length, 3)
    })

    test('tables of a later version are left alone', async (t) => {
      const first = store(t)
      await value(first.module(sql).add('a'))
      await change(t, 'UPDATE store_module SET version = 2')
      const log: string[] = []
      const probe = open(t, (level, text) => log.push(`${level} ${text}`))
      assert.match(await failure(probe.add('b')), /tables of version 2 for probe: this program knows 1/)
      assert.match(await failure(probe.add('b')), /tables of version 2/)
      assert.deepEqual(
        log.map((line) => line.startsWith('crit store unavailable: ')),
        [true],
      )
      await change(t, 'UPDATE store_module SET version = 1')
      assert.equal(await value(probe.add('a')), 1)
      assert.equal(log[1], 'notice store available again')
      assert.deepEqual(await value(probe.all()), [{ name: 'a', count: 2 }])
    })

    test('tables that have gone are made again', async (t) => {
      const probe = open(t)
      await value(probe.add('a'))
      await change(t, 'DROP TABLE probe; DROP TABLE store_module')
      assert.equal(await value(probe.add('b')), 1)
      assert.deepEqual(await value(probe.all()), [{ name: 'b', count: 1 }])
    })

    test('what is only read makes no tables, and reads those that there are', async (t) => {
      await value(store(t).module(other).now())
      const reader = (): Calls<typeof sql.methods> => openStore(t, { ...options(t), readOnly: true }).module(sql)
      assert.match(await failure(reader().all()), /there are no tables for probe yet/)
      await value(open(t).add('a'))
      assert.deepEqual(await value(reader().all()), [{ name: 'a', count: 1 }])
    })

    test('the clock is in milliseconds', async (t) => {
      assert.ok(Math.abs((await value(open(t).now())) - Date.now()) < 60_000)
    })
  })
}
