/**
 * Two hosts that send reports, each a process of its own, on one Redis server; and a server that another one takes the place of.
 */
import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisOutcomes } from '../../dist/lib/outcomes/index.js'
import { createRedisLedger } from '../../dist/lib/reports/index.js'
import { at, DAY, MINUTE, playOn, World, type Ground } from '../lib/reports/world.ts'
import { startRedisFor, type RedisServer } from './redis.ts'
import type { Said, Told } from './report-host.ts'
import { skipWithout } from './tools.ts'

const BEGUN = '2027-01-31T23:00'
const START = '2027-01-31T00:00'

function groundOn(redis: RedisServer): Ground {
  return {
    openStore: () => createRedisOutcomes({ redis: redis.open(), retention: 30 * DAY }),
    openLedger: () => createRedisLedger({ redis: redis.open(), retention: 30 * DAY }),
  }
}

async function until(
  holds: () => Promise<boolean>,
  meanwhile: () => Promise<unknown> = () => sleep(20),
): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 200, 'never came to be')
    await meanwhile()
  }
}

interface Host {
  readonly child: ChildProcess
  readonly tell: (told: Told) => void
  /** looks what there is to do at a time */
  readonly look: (now: number) => Promise<void>
}

type Attempt = Exclude<Said, string>

async function startHost(t: TestContext, port: number, name: string, hear: (attempt: Attempt) => void): Promise<Host> {
  const child = fork(join(import.meta.dirname, 'report-host.ts'), [String(port), name], { silent: true })
  t.after(() => child.kill('SIGKILL'))
  const tell = (told: Told): void => void child.send(told)
  let done: (() => void) | undefined
  const next = (): Promise<void> => new Promise((resolve) => (done = resolve))
  child.on('message', (said: Said) => (typeof said === 'string' ? done?.() : hear(said))) // several may come at once
  child.on('exit', () => done?.())
  await next()
  return {
    child,
    tell,
    look: async (now) => {
      const looked = next()
      tell({ look: now })
      await looked
    },
  }
}

describe('two hosts on one Redis', { skip: skipWithout('redis-server') }, () => {
  for (const [what, signal] of [
    ['killed', 'SIGKILL'],
    ['paused', 'SIGSTOP'],
  ] as const)
    test(`one of which is ${what} while it sends: one id each, and one duplicate with the same bytes`, async (t) => {
      const redis = await startRedisFor(t)
      playOn(() => groundOn(redis))
      const world = new World(t, BEGUN)
      const attempts: Attempt[] = []
      const hosts = new Map<string, Host>()
      const accept = (domain: string) => ({ domain, answer: { status: 'accepted', note: '250 ok' } }) as const
      const hear = (attempt: Attempt): void => {
        attempts.push(attempt)
        const { host, domain } = attempt
        if (host === 'b' || domain !== 'hangs.test') hosts.get(host)?.tell(accept(domain))
      }
      for (const name of ['a', 'b']) hosts.set(name, await startHost(t, redis.port, name, hear))
      const [a, b] = [hosts.get('a'), hosts.get('b')]
      assert.ok(a && b)
      for (const host of [a, b]) await host.look(world.now)
      for (const domain of ['one.test', 'hangs.test', 'two.test']) await world.sessions(domain, 1)

      const isSent = async (domain: string): Promise<boolean> =>
        (await world.ledger.read({ domain, start: at(START) }).then((read) => read.ok && read.value?.state)) === 'sent'
      world.now = at('2027-02-01T00:06')
      await until(
        async () => attempts.length === 3 && (await isSent('one.test')) && (await isSent('two.test')),
        async () => {
          await a.look((world.now += 1000)) // the first one to look has the lease
          await b.look(world.now)
          await sleep(20)
        },
      )
      a.child.kill(signal)
      await until(
        () => isSent('hangs.test'),
        () => Promise.all([b.look((world.now += MINUTE)), sleep(20)]),
      )
      if (signal === 'SIGSTOP') {
        const looked = a.look(world.now)
        a.tell({ domain: 'hangs.test', answer: { status: 'failed', isFinal: false, note: 'the connection is dead' } })
        a.child.kill('SIGCONT')
        await looked
      }
      const rest = signal === 'SIGSTOP' ? [a, b] : [b]
      for (let looks = 0; looks < 5; looks++) for (const host of rest) await host.look((world.now += 10 * MINUTE))

      assert.deepEqual(attempts.map(({ host, domain }) => `${host} ${domain}`).toSorted(), [
        'a hangs.test',
        'a one.test',
        'a two.test',
        'b hangs.test',
      ])
      assert.equal(new Set(attempts.map(({ domain, reportId, frozen }) => domain + reportId + frozen)).size, 3)
      assert.equal(await isSent('hangs.test'), true)
    })

  test('R20: where a replica takes over that had not heard of an acceptance, the same report goes again under its id', async (t) => {
    const redis = await startRedisFor(t, { 'repl-diskless-sync-delay': '0' })
    const replica = await startRedisFor(t, { replicaof: `127.0.0.1 ${redis.port}` })
    playOn(() => groundOn(redis))
    const world = new World(t, BEGUN)
    world.set({ spread: 0 })
    world.answer = async ({ by }) => {
      if (by === 'b') return { status: 'accepted', note: '250 ok' }
      const version = await redis.send('HGET', KEY, 'version')
      await until(async () => (await replica.send('HGET', KEY, 'version')) === version)
      await replica.send('REPLICAOF', 'NO', 'ONE')
      return { status: 'accepted', note: '250 ok' }
    }
    const a = world.worker('a')
    await a.look()
    await a.idle()
    await world.sessions('a.test', 1)
    await world.run('2027-02-01T00:06', [a], 33 * MINUTE)
    await world.run('2027-02-01T00:08', [a], MINUTE)
    assert.equal((await world.entry('a.test', START)).state, 'sent')
    await redis.kill()

    const other = groundOn(replica)
    const b = world.worker('b', { store: other.openStore(), ledger: other.openLedger() })
    await world.run('2027-02-01T01:00', [b], MINUTE)
    assert.deepEqual(
      world.received.map(({ by }) => by),
      ['a', 'b'],
    )
    assert.equal(new Set(world.received.map(({ reportId, frozen }) => reportId + frozen)).size, 1)
  })
})

const KEY = `outbound-tls:reports:report:a.test|${999_999_999_999_999 - at(START)}`
