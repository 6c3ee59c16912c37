/**
 * The page and the analysis of received reports where a real PostgreSQL is the store: what several processes show of it, and what they do
 * while it is away.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { OverviewData } from '../../dist/status/data/overview.js'
import {
  inMailbox,
  OURS,
  publishKey,
  REPORTER,
  reportJson,
  signedMail,
  type ReportOptions,
} from '../e2e/received-reports.ts'
import { asReport, createTime, GRACE, HOUR, reporting } from '../e2e/reporting.ts'
import { mailTo } from '../e2e/sts-evidence.ts'
import { assertDeferred, sendTo } from '../e2e/telling.ts'
import { privateInternet, type PrivateInternet } from '../internet/index.ts'
import { noPostgres, postgresServer, signal, startServer } from '../support/postgres.ts'
import { assertDeliversAtOnce, DURABLE, onPostgres } from './on-postgres.ts'
import { becomes, pageHost, pageOptions, type PageHost } from './page-host.ts'
import { movableClock } from './postgres-clock.ts'

const ADDRESS = `tls-reports@${OURS}`

/** A stranger's message with a signed report. @returns what is in the mailbox then; undefined: it went no further */
async function reportComes(net: PrivateInternet, options: ReportOptions): Promise<string | undefined> {
  publishKey(net)
  const data = (await signedMail(options)).toString('latin1')
  const { uuid } = await net.haraka.submit({ to: ADDRESS, data, headers: { 'X-Relaying': 'no' } })
  return inMailbox(net.haraka.folder, uuid)
}

/** @returns the HTTP status */
async function reportIsPosted({ ask }: PageHost, options: ReportOptions): Promise<number> {
  const headers = { 'content-type': 'application/tlsrpt+json' }
  return (await ask('/tls/report', { method: 'POST', headers, body: reportJson(options).toString() })).status
}

function declareDestinations(net: PrivateInternet): void {
  net.domain('dane.test', { signed: true })
  net.server('mx1.dane.test', { tlsa: '3 1 1' })
  net.domain('wrong.test', { signed: true })
  net.server('mx1.wrong.test', { tlsa: '3 1 1 of other' })
}

function assertDelivers(net: PrivateInternet): Promise<void> {
  return assertDeliversAtOnce(net, 'dane.test')
}

/** What all workers of some hosts show at a glance, each once. */
async function glances(...hosts: readonly (readonly [host: PageHost, workers: number])[]): Promise<OverviewData[]> {
  const all: OverviewData[] = []
  for (const [{ ask }, workers] of hosts) {
    const seen = new Map<unknown, OverviewData>()
    for (let tries = 0; tries < 100 && seen.size < workers; tries++) {
      const { headers, body } = await ask('/tls/api/overview')
      seen.set(headers['x-process'], JSON.parse(body) as OverviewData)
    }
    assert.equal(seen.size, workers)
    all.push(...seen.values())
  }
  return all
}

/** Fails unless a report that counts and one that does not are on the page, in what the command says, and in /metrics. */
async function assertReportsAreShown({ json, analysis, metric }: PageHost): Promise<void> {
  const { sums, reports, problems } = await json('received')
  assert.deepEqual(
    [sums?.reports, sums?.unverified, sums?.sessions],
    [1, 1, { successes: 9, failures: 3, fetchFailures: 0 }],
  )
  const ways = sums?.failures.map(({ result, host, count, reporters }) => [result, host, count, reporters])
  assert.deepEqual(ways, [['certificate-expired', `mx1.${OURS}`, 3, [REPORTER]]])
  assert.deepEqual([reports?.length, reports?.[0]?.reportId, reports?.[0]?.signedBy], [1, 'signed', REPORTER])
  assert.deepEqual(problems, [])
  const { policies, notes, ...entry } = (await json('received/', reports?.[0]?.id)).report
  assert.deepEqual([[entry], policies.length, notes], [reports, 1, []])
  const apart = (await json('received', '?unverified=true')).reports
  assert.deepEqual(
    apart?.map(({ reportId, source, counted }) => [reportId, source, counted]),
    [['posted', 'https', false]],
  )

  assert.deepEqual((await analysis('list')).reports, reports)
  assert.deepEqual((await analysis('list', '--unverified')).reports, apart)
  const { reports: count, domains } = await analysis('summary')
  assert.deepEqual([count, domains[0]?.policies[0]?.failures], [1, 3])
  for (const result of ['accepted', 'unverified'])
    await becomes(() => metric(`outbound_tls_reports_received_total{result="${result}"}`), 1)
}

/** Fails unless one refused message and some that were delivered are on the page and in /metrics. */
async function assertDeliveriesAreShown({ json, metric }: PageHost, delivered: number): Promise<void> {
  for (const [series, value] of [
    ['outbound_tls_connections_total{level="verified",reason="dane-match"}', delivered],
    ['outbound_tls_policy_results_total{policy="tlsa",result="success"}', delivered],
    ['outbound_tls_waiting_messages', 1],
    ['outbound_tls_failing_destinations', 1],
  ] as const)
    await becomes(() => metric(series), value)
  const { destinations } = await json('destinations')
  assert.deepEqual(Object.fromEntries(destinations.map(({ domain, state }) => [domain, state])), {
    'wrong.test': 'failing',
    'dane.test': 'fine',
  })
  const { waiting } = await json('destinations/', 'wrong.test')
  assert.deepEqual(
    waiting?.map(({ status, reasons }) => [status, reasons]),
    [['4.7.5', ['dane-no-match']]],
  )
  await becomes(async () => (await json('destinations/', 'dane.test')).sessions?.totals.verified, delivered)
}

/** Fails unless what cannot be read is said, and not known, and all the rest is there. */
async function assertSaysWhatCannotBeRead({ json, ask }: PageHost): Promise<void> {
  const { exemptions, problems, schema, at, ...overview } = await json('overview')
  assert.deepEqual([schema, typeof at, exemptions], [1, 'string', { main: [], rules: [] }])
  const unknown = { ...overview, received: null } // received reports are elsewhere
  for (const [field, value] of Object.entries(unknown)) assert.equal(value, null, field)
  for (const problem of problems) assert.match(problem, /^the .* cannot be read: PostgreSQL: /)
  assert.equal(new Set(problems).size, problems.length)
  const { destination, hosts, waiting, sessions, reports } = await json('destinations/', 'dane.test')
  assert.deepEqual([destination, hosts, waiting, sessions, reports], [null, null, null, null, null])

  for (const view of ['', '/destinations/dane.test']) {
    const { status, body } = await ask(`/tls${view}`)
    assert.equal(status, 200)
    assert.match(body, /Some figures are missing[^]*Not known now/)
    assert.doesNotMatch(body, /\b0 (?:destinations|given up)|is remembered|No report yet|None in the cache/)
  }
  for (const path of [
    '/metrics',
    '/tls/api/destinations',
    '/tls/api/policies',
    '/tls/api/reports',
    '/tls/api/resolver',
  ])
    assert.equal((await ask(path)).status, 503, path)
}

describe('the page and received reports on PostgreSQL', { skip: noPostgres }, () => {
  test('two hosts and the command show the same: mail that went out, and reports that came', async (t) => {
    const server = await postgresServer()
    const settings = onPostgres(server.url(server.createDatabase()))
    const options = await pageOptions()
    const net = await privateInternet(t, { settings, haraka: { ...options, nodes: 2 } })
    const host = pageHost(net.haraka, options)
    declareDestinations(net)
    assert.match((await reportComes(net, { id: 'signed', failures: 3 })) ?? '', /^Subject: /m)
    await net.haraka.log.waitFor(/\[WARN\].* TLS report \w+ of sender\.test for example\.org, sts, .* 3 failed/)
    assert.equal(await reportIsPosted(host, { id: 'posted', failures: 99 }), 201)
    for (let message = 0; message < 2; message++) await assertDelivers(net) // one of each worker
    assertDeferred(await sendTo(net, 'wrong.test'), '4.7.5')
    await assertReportsAreShown(host)
    await assertDeliveriesAreShown(host, 2)

    const others = await pageOptions()
    const other = pageHost(await net.anotherHaraka({ ...others, nodes: 0 }), others)
    t.after(() => other.haraka.stop())
    await assertDelivers({ ...net, haraka: other.haraka })
    await assertDeliveriesAreShown(other, 3)
    const [first, ...same] = (await glances([other, 1], [host, 2])).map((glance) => ({
      ...glance,
      at: null,
      received: null,
    }))
    assert.deepEqual(same, [first, first])
    assert.deepEqual([first?.connections?.totals.verified, first?.connections?.totals.refused], [3, 1])
    assert.deepEqual([first?.waiting?.messages, first?.problems], [1, []])
    // a machine is known by its name, and all of these are on the same one
    assert.deepEqual(
      first?.resolvers?.map(({ health }) => health),
      ['validates'],
    )
  })

  test('while it is away the page says so and mail goes on, and when it is back nothing is missing', async (t) => {
    const server = await startServer(...DURABLE)
    const options = await pageOptions({ forward: false })
    const settings = onPostgres(server.url(server.createDatabase()))
    const net = await privateInternet(t, { settings, haraka: options })
    const host = pageHost(net.haraka, options)
    declareDestinations(net)
    await assertDelivers(net)
    assert.equal(await reportComes(net, { id: 'before', failures: 1 }), undefined)
    await becomes(() => host.metric('outbound_tls_destinations'), 1)

    signal(server, 'SIGSTOP')
    const asked = host.json('destinations/', 'dane.test')
    await assertDelivers(net)
    signal(server, 'SIGKILL')
    await server.stop() // when it is gone
    assert.equal((await asked).hosts, null)
    await assertSaysWhatCannotBeRead(host)
    await assertDelivers(net)
    assertDeferred(await sendTo(net, 'wrong.test'), '4.7.5')

    await server.start()
    await assertDelivers(net)
    await assertDeliveriesAreShown(host, 4)
  })

  test('a report of ours is shown while it waits for its destination, byte by byte', async (t) => {
    const server = await postgresServer()
    const database = server.createDatabase()
    const clock = movableClock(server, database)
    const settings = onPostgres(server.url(database))
    const options = await pageOptions()
    const reporter = reporting()
    const plugins = [...options.plugins, 'outbound-tls/plugins/report']
    const haraka = { ...reporter, plugins, config: { ...reporter.config, ...options.config } }
    const net = await privateInternet(t, { settings, haraka })
    const { json, metric } = pageHost(net.haraka, options)
    const { hour, moveTo } = createTime(() => net.haraka)
    clock.put(hour)
    await moveTo(hour)
    const start = new Date(hour).toISOString()
    net.domain('rua.test')
    net.server('mx1.rua.test', { rcpt: { 'tls@rua.test': '451 4.2.0 later' } })
    net.domain('told.test', { tlsrpt: 'mailto:tls@rua.test' })
    await mailTo(net, 'told.test')
    await becomes(() => metric('outbound_tls_destinations'), 1)
    await becomes(async () => (await json('destinations/', 'told.test')).sessions?.hosts.length, 1)

    await clock.moveTo(hour + HOUR + GRACE, [net.haraka, 0])
    await becomes(() => metric('outbound_tls_reports_pending{state="sending"}'), 1)
    await becomes(async () => (await json('reports', '?state=pending')).reports[0]?.destinations[0]?.attempts, 1)
    const { reports } = await json('reports')
    assert.deepEqual(
      reports.map(({ domain, sessions }) => [domain, sessions]),
      [['told.test', { successful: 1, failed: 0 }]],
    )
    const shown = asReport((await json('reports/', `told.test/${start}`)).report)
    const { listen } = options.config['http.ini'].main
    const sent = await fetch(`http://${listen}/tls/reports/told.test/${start}/report.json.gz`)
    assert.deepEqual(JSON.parse(gunzipSync(await sent.arrayBuffer()).toString()), shown)
  })
})
