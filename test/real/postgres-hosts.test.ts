/**
 * Three Harakas on one PostgreSQL. One is paused, one is killed, one comes with an empty disk, one is two minutes ahead: each report
 * leaves once, and says what the receiving servers have seen.
 */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Report } from '../../dist/lib/tlsrpt/format/index.js'
import type { Haraka } from '../e2e/haraka.ts'
import { asReport, GRACE, HOUR, MINUTE, reporting } from '../e2e/reporting.ts'
import { privateInternet, type PrivateInternet } from '../internet/index.ts'
import { counts } from '../lib/tlsrpt/sending/world.ts'
import { noPostgres, postgresServer } from '../support/postgres.ts'
import { readReportMail } from '../support/report-mail.ts'
import { onPostgres, sessionsIn } from './on-postgres.ts'
import { becomes } from './page-host.ts'
import { movableClock } from './postgres-clock.ts'

const DOMAINS = ['one.test', 'two.test', 'three.test', 'four.test']

/** Mail from every host to every domain. */
async function sendFrom(hosts: readonly Haraka[], messages: number): Promise<void> {
  const work = hosts.flatMap((host) =>
    DOMAINS.flatMap((domain) => Array.from({ length: messages }, () => host.send({ to: `one@${domain}` }))),
  )
  for (const outcome of await Promise.all(work)) assert.deepEqual([...outcome.deferred, ...outcome.bounced], [])
}

/** The sessions with TLS that the servers of the domains have seen. */
function seenBy(net: PrivateInternet): Readonly<Record<string, number>> {
  return Object.fromEntries(
    DOMAINS.map((domain) => [
      domain,
      net.server(`mx1.${domain}`).connections.filter(({ tls }) => tls !== undefined).length,
    ]),
  )
}

/** What has come so far: each report by its domain and its hour, with its id and its sessions. */
function reportsAt(net: PrivateInternet): readonly string[] {
  return net
    .server('mx1.rua.test')
    .messages.map(({ data }) => {
      const report: Report = asReport(readReportMail(data).report)
      const { successful, failed } = counts(report)
      const domain = report.policies[0]?.policy['policy-domain'] ?? ''
      return `${domain} ${report['date-range']['start-datetime']} ${successful} ${failed}`
    })
    .toSorted()
}

const expected = (start: number, sessions: Readonly<Record<string, number>>): readonly string[] =>
  Object.entries(sessions).map(
    ([domain, count]) => `${domain} ${new Date(start).toISOString().replace('.000', '')} ${count} 0`,
  )

async function world(t: TestContext) {
  const server = await postgresServer()
  const database = server.createDatabase()
  const url = server.url(database)
  const clock = movableClock(server, database)
  const hour = Math.ceil(Date.now() / HOUR) * HOUR // as it begins
  clock.put(hour + MINUTE)
  const net = await privateInternet(t, { settings: onPostgres(url), haraka: reporting() })
  net.domain('rua.test')
  for (const domain of DOMAINS) net.domain(domain, { tlsrpt: 'mailto:tls@rua.test' })
  const another = async (): Promise<Haraka> => {
    const haraka = await net.anotherHaraka()
    t.after(() => haraka.stop())
    return haraka
  }
  return { net, url, clock, hour, another }
}

describe('three Harakas on one PostgreSQL', { skip: noPostgres }, () => {
  test('send each report once, with the sums of all, whoever is paused, killed, new or two minutes ahead', async (t) => {
    const { net, url, clock, hour, another } = await world(t)
    const [first, second, third] = [net.haraka, await another(), await another()]
    await clock.moveTo(hour + 5 * MINUTE, [first, 0], [second, 0], [third, 2 * MINUTE])
    const isSender = (host: Haraka): boolean =>
      (host.log.find(/(this|another) worker sends TLS reports/).at(-1) ?? '').includes('this worker sends')
    await becomes(() => Promise.resolve([first, second, third].some(isSender)), true)

    await sendFrom([first, second, third], 2)
    const inFirstHour = seenBy(net)
    await becomes(() => sessionsIn(url, DOMAINS), inFirstHour)
    const paused = [second, third].find(isSender) ?? second
    process.kill(paused.pid, 'SIGSTOP')
    const others = [first, second, third].filter((host) => host !== paused)
    const offOf = (host: Haraka): number => (host === third ? 2 * MINUTE : 0)
    const clocks = (hosts: readonly Haraka[]) => hosts.map((host) => [host, offOf(host)] as const)
    await clock.moveTo(hour + HOUR + GRACE, ...clocks(others))
    await becomes(() => Promise.resolve(reportsAt(net)), expected(hour, inFirstHour).toSorted())
    process.kill(paused.pid, 'SIGCONT')
    await paused.moveClock(hour + HOUR + GRACE + offOf(paused))

    await sendFrom([first, second, third], 1)
    const afterSecond = seenBy(net)
    await becomes(() => sessionsIn(url, DOMAINS), afterSecond)
    const killed = others.find((host) => host !== first) ?? second
    process.kill(killed.pid, 'SIGKILL')
    const fresh = await another()
    const left = [first, paused, fresh]
    await fresh.moveClock(hour + HOUR + GRACE)
    await clock.moveTo(hour + 2 * HOUR + GRACE, ...clocks(left))
    const inSecondHour = Object.fromEntries(
      DOMAINS.map((domain) => [domain, (afterSecond[domain] ?? 0) - (inFirstHour[domain] ?? 0)]),
    )
    const all = [...expected(hour, inFirstHour), ...expected(hour + HOUR, inSecondHour)].toSorted()
    await becomes(() => Promise.resolve(reportsAt(net)), all)

    await clock.moveTo(hour + 4 * HOUR, ...clocks(left)) // time enough for a second one
    await net.server('mx1.rua.test').quiet()
    assert.deepEqual(reportsAt(net), all)
    const ids = net.server('mx1.rua.test').messages.map(({ data }) => readReportMail(data).header['message-id'])
    assert.equal(new Set(ids).size, all.length)
    for (const host of left) assert.deepEqual(host.log.find(/ are lost/), [])
  })
})
