import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { PolicyReport, Report } from '../../dist/lib/tlsrpt/format/index.js'
import { sharedInternet } from '../internet/index.ts'
import { startReceiver, type Receiver } from './report-receiver.ts'
import {
  asReport,
  CONTACT,
  ORGANIZATION,
  createTime,
  DAY,
  GRACE,
  HOUR,
  inLedger,
  nextReport,
  reporting,
  valueOf,
  type ReportEntry,
} from './reporting.ts'
import { openOutcomes } from '../support/modules.ts'
import { declareOthers, routes, rules, situations, type Situation } from './scripted-day/index.ts'

/** The hours at which mail is sent, and how much of it to each destination. */
const ROUNDS = [2, 11, 17]
const MESSAGES = 2
const SESSIONS = 300
/** What people look at and no report counts: retries in clear text, a host whose TLSA records cannot be looked up, TLS that is switched off. */
const NOT_REPORTED = 3 * 6
/** Sessions that two policies applied to: three destinations with both, and the one whose TLSA records are of no use. */
const SEEN_TWICE = 4 * 6
/** Policies that could not be fetched: three destinations in each round, and one of which a policy was cached. */
const FETCHES = 3 * 3 + 1
const REPORTS = situations.filter(({ expect }) => expect !== undefined).length

describe('a day of mail to destinations of every kind', () => {
  const { plugins, ...more } = reporting({ main: { send: 'daily' } })
  const net = sharedInternet({
    settings: { ...rules, main: { 'known-certs': '0' } }, // so that all messages to a host fare alike
    haraka: {
      ...more,
      plugins: ['static-routes', ...plugins],
      outbound: { main: { temp_fail_intervals: '2d*5' } }, // what is deferred is not tried again while the clock moves on
      patience: 60_000,
    },
  })
  const time = createTime(() => net.haraka)
  const day = time.hour
  let receiver: Receiver
  const reports = new Map<string, Report>()

  const hostOf = (rua: 'mail' | 'https', about: string): string =>
    rua === 'mail' ? `mailto:${about}@rua.test` : `https://receiver.test:${receiver.port}/${about}`

  const declare = ({ domain, is, hosts = {}, about = domain }: Situation, index: number): void => {
    net.domain(domain, is)
    for (const [name, options] of Object.entries(hosts)) net.server(`${name}.${domain}`, options)
    const rua = hostOf(index % 3 === 0 ? 'https' : 'mail', about)
    net.dns.declare(`_smtp._tls.${about}`, { security: 'insecure', TXT: [`v=TLSRPTv1; rua=${rua}`] })
  }

  const sendAll = async (situation: Situation, count: number): Promise<void> => {
    const { domain, header = {}, isRetried = false, then } = situation
    for (let sent = 0; sent < count; sent++) {
      const outcome = await net.haraka.send({ to: `one@${domain}`, headers: header })
      if (isRetried) await net.haraka.retry(outcome)
      if (sent === 0) then?.(net)
    }
  }

  const connectionsOfDay = async (): Promise<number> => {
    const store = openOutcomes({ path: join(net.haraka.folder, 'outbound-tls.db'), log: () => undefined })
    const sessions = valueOf(await store.levels({ start: day, end: day + DAY }))
    store.end()
    return sessions.reduce((sum, { count }) => sum + count, 0)
  }

  const allRecorded = async (): Promise<void> => {
    for (let patience = 100; patience > 0 && (await connectionsOfDay()) < SESSIONS + NOT_REPORTED; patience--)
      await sleep(20)
  }

  /** One host gets five reports at a time by HTTPS: the others come minutes later. The clock stands still while one is on its way. */
  const allSent = async (): Promise<void> => {
    for (let at = day + DAY + GRACE, steps = 0; at < Infinity; steps++) {
      assert.ok(steps < 20, 'some reports are not sent')
      await time.moveTo(at)
      const isUnderWay = ({ dueAt, destinations }: ReportEntry): boolean =>
        dueAt <= at || destinations.some(({ state }) => state === 'trying' || state === 'queued')
      const entries = await inLedger(
        net.haraka,
        (ledger) => ledger.list({ limit: 1000 }),
        (all) => all.length >= REPORTS && !all.some(isUnderWay),
      )
      at = Math.min(...entries.map(({ dueAt }) => dueAt))
    }
  }

  before(async () => {
    receiver = await startReceiver(net.certificates.identity('receiver.test', 'leaf'))
    net.dns.declare('receiver.test', { A: ['127.0.0.1'] })
    net.domain('rua.test')
    declareOthers(net)
    situations.forEach(declare)
    net.haraka.setRoutes(routes(net))

    for (const hour of ROUNDS) {
      await time.moveTo(day + hour * HOUR)
      await Promise.all(situations.map((situation) => sendAll(situation, messagesAt(hour, situation))))
    }
    await allRecorded()
    await allSent()
  })
  after(() => receiver.stop())

  test('is 300 sessions, and connections that no report counts', async () => {
    assert.equal(await connectionsOfDay(), SESSIONS + NOT_REPORTED)
  })

  test('R16, R19, R21: each mail is signed, and says in its header and its file name what its report says', async () => {
    const server = net.server('mx1.rua.test')
    for (let left = server.messages.length; left > 0; left--) {
      const { report, header, fileName = '' } = await nextReport(server)
      const about = header['tls-report-domain'] ?? ''
      const [start, end] = [day / 1000, (day + DAY) / 1000 - 1]
      assert.match(fileName, new RegExp(`^reporter\\.test!${about}!${start}!${end}!\\w+\\.json\\.gz$`))
      assert.ok(header.subject?.endsWith(`Report-ID: <${report['report-id']}>`))
      assert.ok(!reports.has(about), `one report on ${about}`)
      reports.set(about, report)
    }
  })

  test('R23: the others were posted, compressed', () => {
    for (const { path, body } of receiver.posted) {
      const about = path.slice(1)
      assert.ok(!reports.has(about), `one report on ${about}`)
      reports.set(about, asReport(JSON.parse(gunzipSync(body).toString())))
    }
  })

  test('there is one report on each domain that has something to be told, and no other; their ids differ', () => {
    const wanted = situations.filter(({ expect }) => expect !== undefined)
    assert.deepEqual([...reports.keys()].sort(), wanted.map(({ about, domain }) => about ?? domain).sort())
    assert.equal(new Set([...reports.values()].map((report) => report['report-id'])).size, reports.size)
  })

  for (const { domain, about = domain, expect, late } of situations) {
    if (expect === undefined) continue
    test(`the report on ${about} says exactly what happened`, () => {
      const count = late ?? MESSAGES * ROUNDS.length
      const { 'report-id': id, policies, ...report } = reports.get(about) ?? assert.fail('there is none')
      assert.deepEqual(inOrder(policies), inOrder(expect({ net, count, rounds: ROUNDS.length })))
      assert.match(id, /@reporter\.test$/)
      assert.deepEqual(report, {
        'organization-name': ORGANIZATION,
        'contact-info': CONTACT,
        'date-range': { 'start-datetime': instant(day), 'end-datetime': instant(day + DAY - 1000) },
      })
    })
  }

  test('their sums agree: details with failures, and all of them with the sessions of the day', () => {
    const all = [...reports.values()].flatMap(({ policies }) => policies)
    for (const { summary, 'failure-details': details } of all)
      assert.equal(summary['total-failure-session-count'], sum(details.map((detail) => detail['failed-session-count'])))
    const sums = all.map(({ summary: s }) => s['total-successful-session-count'] + s['total-failure-session-count'])
    assert.equal(sum(sums), SESSIONS + SEEN_TWICE + FETCHES)
  })
})

function messagesAt(hour: number, { late }: Situation): number {
  if (late === undefined) return MESSAGES
  return hour === ROUNDS.at(-1) ? late : 0
}

/** Their order says nothing. */
function inOrder(policies: readonly PolicyReport[]): readonly PolicyReport[] {
  const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  return policies
    .map((policy) => ({ ...policy, 'failure-details': policy['failure-details'].toSorted(byText) }))
    .toSorted((a, b) => byText(a.policy, b.policy))
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000', '')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
