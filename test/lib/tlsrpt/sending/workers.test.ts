import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Reporter, Transmission } from '../../../../dist/lib/tlsrpt/sending/index.js'
import { value } from './ledger-ground.ts'
import { at, failed, HOUR, MINUTE, record, World } from './world.ts'

const begun = '2027-01-31T23:00'
const accepted: Transmission = { status: 'accepted', note: '250 ok' }

async function sessionsOf(world: World, domains: number): Promise<void> {
  const policies = Array.from({ length: domains }, (_, index) => {
    const domain = `d${index}.test`
    return {
      hour: at(begun),
      domain,
      policy: { type: 'no-policy-found', domain },
      failure: undefined,
      count: 1,
    } as const
  })
  await value(world.store.add({ writer: 'w', number: 1, policies, sessions: [] }, world.now))
}

/** Workers that look around at the same time, each with its own opening of the ledger. */
function workers(world: World, names: readonly string[]): Reporter[] {
  return names.map((name) => world.worker(name, { ledger: world.openLedger() }))
}

async function together(world: World, all: readonly Reporter[], until: string, step = MINUTE): Promise<void> {
  for (; world.now < at(until); world.now += step)
    await Promise.all(all.map(async (worker) => worker.look().then(worker.idle)))
}

/** A promise that is kept when the test says so. */
function later<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  return Promise.withResolvers<Value>()
}

describe('several workers', () => {
  test('send each report once, and one of them does it all', async (t) => {
    const world = new World(t, begun)
    const all = workers(world, ['a', 'b', 'c', 'd'])
    await together(world, all, '2027-01-31T23:02')
    await sessionsOf(world, 300)
    await together(world, all, '2027-02-01T00:10')
    await together(world, all, '2027-02-01T05:00', 30 * MINUTE)
    assert.equal(world.received.length, 300)
    assert.equal(new Set(world.arrived).size, 300)
    assert.equal(new Set(world.received.map(({ reportId }) => reportId)).size, 300)
  })

  test('when the one that works dies, another one goes on within a minute, and sends what is left', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    const [a, b] = [world.worker('a'), world.worker('b')]
    await a.look()
    await world.sessions('a.test', 1)
    await world.run('2027-02-01T00:04', [a, b], MINUTE)
    await world.run('2027-02-01T00:08', [b], MINUTE)
    assert.deepEqual(
      world.received.map(({ by, domain }) => [by, domain]),
      [['b', 'a.test']],
    )
    assert.match(world.log.join('\n'), /info this worker sends TLS reports from now on/)
  })

  test('one that ends gives the lease back, and another one has it at once', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    const [a, b] = [world.worker('a'), world.worker('b')]
    await world.sessions('a.test', 1)
    await world.run('2027-02-01T00:04:58', [a, b], MINUTE)
    await a.stop()
    world.now = at('2027-02-01T00:05')
    await world.run('2027-02-01T00:05:10', [b], 2000)
    assert.equal(world.received[0]?.by, 'b')
  })

  test('one that was stopped while it sent is harmless when it comes back: one id, the same bytes, one duplicate', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    const answer = later<Transmission>()
    world.answer = ({ by }) => (by === 'a' ? answer.promise : accepted)
    const [a, b] = [world.worker('a'), world.worker('b')]
    await a.look()
    await a.idle()
    await world.sessions('a.test', 1)
    world.now = at('2027-02-01T00:06')
    await world.hang(a)
    await world.run('2027-02-01T01:00', [b], MINUTE)
    answer.resolve(failed('the connection is long dead'))
    await a.idle()
    await world.run('2027-02-01T03:00', [a, b], MINUTE)
    assert.deepEqual(
      world.received.map(({ by }) => by),
      ['a', 'b'],
    )
    assert.equal(new Set(world.received.map(({ reportId, frozen }) => reportId + frozen)).size, 1)
    assert.equal((await world.entry('a.test', '2027-01-31T00:00')).state, 'sent')
    assert.match(
      world.log.join('\n'),
      /^notice TLS report on a\.test for 2027-01-31: whether mailto:tls@a\.test has it is not known/m,
    )
  })

  test('what one has accepted counts, also when its worker has lost the lease meanwhile', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    const answer = later<Transmission>()
    world.answer = () => answer.promise
    const [a, b] = [world.worker('a'), world.worker('b')]
    await a.look()
    await a.idle()
    await world.sessions('a.test', 1)
    world.now = at('2027-02-01T00:06')
    await world.hang(a)
    world.now += MINUTE
    await world.run(world.now + MINUTE, [b], MINUTE) // has the lease now; the attempt may still be under way
    answer.resolve(accepted)
    await a.idle()
    await world.run('2027-02-01T03:00', [a, b], 10 * MINUTE)
    assert.equal(world.received.length, 1)
    assert.equal((await world.entry('a.test', '2027-01-31T00:00')).state, 'sent')
  })

  test('one that was stopped between its claim and its attempt does not try any more', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    const ledger = world.openLedger()
    const stopped: typeof ledger = {
      ...ledger,
      change: async (...args) => {
        const done = await ledger.change(...args)
        if (args[1].destinations?.some(({ state }) => state === 'trying')) world.now += 2 * MINUTE
        return done
      },
    }
    const a = world.worker('a', { ledger: stopped })
    await a.look()
    await a.idle()
    await world.sessions('a.test', 1)
    world.now = at('2027-02-01T00:06')
    for (let looks = 0; looks < 4; looks++) {
      await a.look()
      await a.idle()
      world.now += MINUTE
    }
    assert.deepEqual(world.received, [])
    await world.run('2027-02-01T01:00', [world.worker('b')], MINUTE)
    assert.deepEqual(
      world.received.map(({ by }) => by),
      ['b'],
    )
  })

  test('one that cannot renew its lease goes on for as long as it lasts, and then rests', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    const ledger = world.openLedger()
    let isDown = false
    const a = world.worker('a', {
      ledger: {
        ...ledger,
        takeLease: (...args) => (isDown ? Promise.resolve({ ok: false, text: 'down' }) : ledger.takeLease(...args)),
      },
    })
    await world.sessions('a.test', 1)
    await world.run('2027-02-01T00:04', [a], MINUTE)
    isDown = true
    world.now += 61_000
    await world.run('2027-02-01T03:00', [a], MINUTE)
    assert.deepEqual(world.received, [])
    isDown = false
    await world.run('2027-02-01T03:02', [a], MINUTE)
    assert.equal(world.received.length, 1)
  })
})

describe('one host that is to get many reports', () => {
  test('gets at most 300 of them a minute, and each of them once', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    world.records = () => record('mailto:tls@all.test')
    const worker = world.worker()
    await worker.look()
    await sessionsOf(world, 1000)
    await together(world, [worker], '2027-02-01T00:20', 30_000)
    assert.equal(world.received.length, 1000)
    const minutes = Map.groupBy(world.received, (received) => Math.floor(received.at / MINUTE))
    assert.ok([...minutes.values()].every((those) => those.length <= 300))
  })

  test('by https, at most 5 at once; a slow one keeps nobody else waiting', async (t) => {
    const world = new World(t, begun)
    world.set({ spread: 0 })
    const slow = later<Transmission>()
    world.records = (domain) =>
      Number(domain.slice(1, -5)) < 100 ? record('https://slow.test/') : record(`https://${domain}/`)
    world.answer = ({ rua }) => (rua === 'https://slow.test/' ? slow.promise : accepted)
    const worker = world.worker()
    await worker.look()
    await worker.idle()
    await sessionsOf(world, 200)
    world.now = at('2027-02-01T00:06')
    for (let looks = 0; world.received.length < 105; looks++) {
      assert.ok(looks < 1000) // how much is done between two looks is up to the machine
      await worker.look()
      await Promise.race([world.arrival(105), new Promise((resolve) => setTimeout(resolve, 50))])
      world.now += 30_000
    }
    const [hanging, others] = [
      world.received.filter(({ rua }) => rua.includes('slow')),
      world.received.filter(({ rua }) => !rua.includes('slow')),
    ]
    assert.equal(hanging.length, 5)
    assert.equal(others.length, 100)
    slow.resolve(accepted)
    world.now += HOUR
    await world.run(world.now + 2 * HOUR, [worker], MINUTE)
    assert.equal(new Set(world.arrived).size, 200)
  })
})
