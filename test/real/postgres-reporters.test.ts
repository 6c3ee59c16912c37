/**
 * Reporters on several hosts, on one PostgreSQL server: what is shown of them on SQLite holds there too, and each host may be killed,
 * paused, or have a clock that is wrong.
 */
import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { Report } from '../../dist/lib/tlsrpt/format/index.js'
import { value } from '../lib/tlsrpt/sending/ledger-ground.ts'
import { at, counts, DAY, HOUR, MINUTE, playOn, World, type Places } from '../lib/tlsrpt/sending/world.ts'
import { postgres } from '../support/engines.ts'
import type { Said, Told } from './report-host.ts'

const BEGUN = '2027-01-31T23:00'
const START = '2027-01-31T00:00'

async function until(
  holds: () => Promise<boolean>,
  meanwhile: () => Promise<unknown> = () => sleep(20),
): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 400, 'never came to be')
    await meanwhile()
  }
}

interface Host {
  readonly child: ChildProcess
  readonly tell: (told: Told) => void
  /** looks what there is to do: at a time of the store, or at that of the server */
  readonly look: (now?: number) => Promise<void>
}

type Attempt = Exclude<Said, string>

/** @param ahead - how far the clock of the host is ahead: milliseconds */
async function startHost(
  t: TestContext,
  places: Places,
  name: string,
  hear: (attempt: Attempt) => void,
  ahead = 0,
): Promise<Host> {
  const parameters = [JSON.stringify(places), name, String(ahead)]
  const child = fork(join(import.meta.dirname, 'report-host.ts'), parameters, { silent: true })
  t.after(() => child.kill('SIGKILL'))
  let done: (() => void) | undefined
  const next = (): Promise<void> => new Promise((resolve) => (done = resolve))
  child.on('message', (said: Said) => (typeof said === 'string' ? done?.() : hear(said))) // several may come at once
  child.on('exit', () => done?.())
  const tell = (told: Told): void => void child.send(told)
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

const accepted = (domain: string) => ({ domain, answer: { status: 'accepted', note: '250 ok' } }) as const

if (postgres.skip === false) {
  playOn(postgres)
  // their tests are ours from here on: those that several processes, or the queue and the command, have a part in
  await import('../lib/tlsrpt/sending/workers.test.ts')
  await import('../lib/tlsrpt/sending/later.test.ts')
}

describe('hosts on one PostgreSQL', { skip: postgres.skip }, () => {
  for (const [what, signal] of [
    ['killed', 'SIGKILL'],
    ['paused', 'SIGSTOP'],
  ] as const)
    test(`one of which is ${what} while it sends: one id each, and one duplicate with the same bytes`, async (t) => {
      const world = new World(t, BEGUN)
      const attempts: Attempt[] = []
      const hosts = new Map<string, Host>()
      const hear = (attempt: Attempt): void => {
        attempts.push(attempt)
        const { host, domain } = attempt
        if (host === 'b' || domain !== 'hangs.test') hosts.get(host)?.tell(accepted(domain))
      }
      for (const name of ['a', 'b']) hosts.set(name, await startHost(t, world.places, name, hear))
      const [a, b] = [hosts.get('a'), hosts.get('b')]
      assert.ok(a && b)
      for (const host of [a, b]) await host.look(world.now)
      for (const domain of ['one.test', 'hangs.test', 'two.test']) await world.sessions(domain, 1)

      const isSent = async (domain: string): Promise<boolean> =>
        (await value(world.ledger.read({ domain, start: at(START) })))?.state === 'sent'
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

  test('whose clocks are 40 days ahead, two minutes behind and right: each report once, of its hour, with what was counted', async (t) => {
    const hour = Math.floor(Date.now() / HOUR) * HOUR
    const [start, end] = [hour - 3 * HOUR, hour - 2 * HOUR]
    const world = new World(t, new Date(start).toISOString().slice(0, -1))
    const domains = Array.from({ length: 30 }, (_, index) => `d${index}.test`)
    for (const [index, domain] of domains.entries()) await world.sessions(domain, index + 1)
    const lease = await value(world.ledger.takeLease('first', MINUTE))
    assert.ok(lease)
    await value(world.ledger.saveTimetables(lease, [{ group: '', through: start, length: 'hourly' }]))
    await value(world.ledger.giveLeaseBack(lease))

    const attempts: Attempt[] = []
    const hosts = new Map<string, Host>()
    const hear = (attempt: Attempt): void => {
      attempts.push(attempt)
      hosts.get(attempt.host)?.tell(accepted(attempt.domain))
    }
    for (const [name, ahead] of Object.entries({ ahead: 40 * DAY, behind: -2 * MINUTE, right: 0 }))
      hosts.set(name, await startHost(t, world.places, name, hear, ahead))
    const all = [...hosts.values()]
    const areSent = async (): Promise<boolean> => (await value(world.ledger.count('sent', 100))) === domains.length
    const began = Date.now()
    const lookAll = () => Promise.all([...all.map((host) => host.look()), sleep(20)])
    await hosts.get('ahead')?.look() // which has the lease from now on
    await until(areSent, lookAll)
    for (let looks = 0; looks < 3; looks++) await lookAll()

    assert.deepEqual(attempts.map(({ domain }) => domain).toSorted(), domains.toSorted())
    assert.deepEqual([...new Set(attempts.map(({ host }) => host))], ['ahead'])
    const sums = attempts.map(({ domain, frozen }): [string, number] => {
      const report = JSON.parse(gunzipSync(Buffer.from(frozen, 'base64')).toString()) as Report
      return [domain, counts(report).successful]
    })
    assert.deepEqual(
      new Map(sums.toSorted()),
      new Map(domains.map((domain, index) => [domain, index + 1] as const).toSorted()),
    )
    for (const entry of await world.entries()) {
      assert.deepEqual([entry.start, entry.end], [start, end])
      assert.ok((entry.firstTriedAt ?? 0) >= began - 1000 && (entry.firstTriedAt ?? 0) <= Date.now() + 1000)
    }
    assert.ok((await value(world.store.close(0))) <= Date.now()) // nothing was closed ahead of the store's clock
  })
})
