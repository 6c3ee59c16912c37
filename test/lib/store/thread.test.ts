/** The thread of the store, as deliveries see it: whatever becomes of it, a call comes to an end, and the process goes on. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStore, type Calls, type Done } from '../../../dist/lib/store/index.js'
import { sqlite } from '../../support/store.ts'
import { child } from './child.ts'
import { sql } from './probe.ts'

interface World {
  readonly probe: Calls<typeof sql.methods>
  readonly log: string[]
}

function world(t: TestContext, limit?: number): World {
  const log: string[] = []
  const store = sqlite.store(t, (level, text) => log.push(`${level} ${text}`))
  return { probe: store.module(sql, limit), log }
}

async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

async function failure(done: Promise<Done<unknown>>): Promise<string> {
  const result = await done
  return result.ok ? 'it went well' : result.text
}

describe('the thread of the store', () => {
  test('takes and gives what can be cloned, and says what cannot', async (t) => {
    const { probe } = world(t)
    const given = { map: new Map([['a', new Set([1])]]), bytes: new Uint8Array([1]), far: Infinity, none: undefined }
    assert.deepEqual(await value(probe.echo(given)), given)
    assert.match(await failure(probe.echo(() => 1)), /could not be cloned/)
    assert.match(await failure(probe.function()), /could not be cloned/)
    assert.equal(await value(probe.add('a')), 1)
  })

  test('that ends fails the calls that are under way, says so once, and is started anew', async (t) => {
    const { probe, log } = world(t)
    await value(probe.add('a'))
    const failed = await Promise.all([probe.hold('b', 10_000), probe.exit()].map(failure))
    assert.deepEqual(failed, Array(2).fill('the thread of the store has ended'))
    assert.match(await failure(probe.add('c')), /has ended, and is started anew soon/)
    assert.deepEqual(log, ['crit store unavailable: the thread of the store has ended'])
    await sleep(1100)
    assert.equal(await value(probe.hold('b', 0)), 1)
    assert.equal(log[1], 'notice store available again')
    assert.deepEqual(await value(probe.all()), [
      { name: 'a', count: 1 },
      { name: 'b', count: 1 },
    ])
  })

  test('that ends again and again is started less and less often', async (t) => {
    const { probe } = world(t)
    assert.match(await failure(probe.exit()), /has ended$/)
    await sleep(1100)
    assert.match(await failure(probe.exit()), /has ended$/)
    await sleep(1100)
    assert.match(await failure(probe.exit()), /started anew soon/)
  })

  test('that cannot be started fails calls at once, and is tried again', async (t) => {
    const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: () => void }
    const { probe, log } = world(t)
    const start = t.mock.method(threads, 'Worker', function Worker() {
      throw new Error('EAGAIN')
    })
    assert.match(await failure(probe.add('a')), /cannot be started: EAGAIN/)
    assert.match(await failure(probe.add('a')), /started anew soon/)
    assert.equal(start.mock.callCount(), 1)
    assert.equal(log.length, 1)
    start.mock.restore()
    await sleep(1100)
    assert.equal(await value(probe.add('a')), 1)
  })

  test('that does not answer fails calls in their time, and then at once, until it answers', async (t) => {
    const log: string[] = []
    const store = sqlite.store(t, (level, text) => log.push(`${level} ${text}`))
    await value(store.module(sql).add('a')) // a thread takes longer to start
    const probe = store.module(sql, 200)
    const blocked = probe.block(1500)
    assert.match(await failure(probe.add('a')), /no answer from the store within 0.2 s/)
    const begun = process.hrtime.bigint()
    assert.match(await failure(probe.add('a')), /the store does not answer/)
    assert.ok(process.hrtime.bigint() - begun < 150_000_000n)
    assert.match(await failure(blocked), /no answer/)
    await sleep(1600)
    assert.equal(await value(probe.add('a')), 1)
    assert.equal(log.length, 1)
  })

  test('that has not answered a short call in its time is still given those that have longer', async (t) => {
    const store = sqlite.store(t)
    const [short, long] = [store.module(sql, 1000), store.module(sql)]
    await value(long.add('a'))
    const blocked = long.block(2500)
    assert.match(await failure(short.add('a')), /no answer from the store within 1 s/)
    const added = long.add('b')
    assert.match(await failure(short.add('a')), /the store does not answer/)
    assert.equal(await value(added), 1)
    await value(blocked)
  })

  test('takes a thousand calls at once, and refuses those beyond', async (t) => {
    const { probe } = world(t)
    await value(probe.add('a'))
    const answers = await Promise.all(Array.from({ length: 1100 }, () => probe.echo(1)))
    assert.equal(answers.filter(({ ok }) => ok).length, 1000)
    assert.equal(await value(probe.echo(1)), 1)
  })

  test('is closed when what was asked before is done; then nothing is taken', async (t) => {
    const store = createStore(sqlite.options(t), () => undefined)
    const probe = store.module(sql)
    const added = probe.add('a')
    store.end()
    assert.equal(await value(added), 1)
    assert.match(await failure(probe.add('a')), /the store is closed/)
  })

  test('keeps no process alive, but while a call is under way', async (t) => {
    const { code, out } = await child(t, 'await probe.add("a"); console.log(JSON.stringify((await probe.all()).value))')
    assert.deepEqual([code, out], [0, '[{"name":"a","count":1}]\n'])
  })
})
