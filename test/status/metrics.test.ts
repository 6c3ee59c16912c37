import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { GAUGES, type Standing, type Stores } from '../../dist/status/gauges.js'
import { metricsText, readMetrics, type MetricsText } from '../../dist/status/metrics.js'
import { createMonitorRecorder, METERS, type Meter, type MonitorRecorder } from '../../dist/lib/monitor/index.js'
import { DAY, done, message, NOW, refusal, resolver, sighting, sqliteStores } from '../lib/monitor/facts.ts'

const nothing: Standing = {
  ...{ waiting: undefined, destinations: undefined, resolver: undefined, policies: undefined, reports: undefined },
}

/** The value of a series, as it is written. */
function valueOf(body: string, series: string): string | undefined {
  return body
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1)
}

const nowhere = { ok: false, text: 'no such file' } as const
const others = {
  policies: { census: () => Promise.resolve(nowhere) },
  ledger: { count: () => Promise.resolve(nowhere) },
}

/** Two workers on one store, and what each of them tells Prometheus. */
function workers(t: TestContext) {
  const stores = sqliteStores(t)
  const options = { machine: 'mail1', retention: DAY }
  return {
    recorders: stores.map(({ add, ...store }) =>
      createMonitorRecorder({ ...options, store: { ...store, add: (batch) => add(batch, NOW) } }),
    ),
    ask: async (worker: 0 | 1) => text({ ...others, monitor: stores[worker] }),
    stores,
  }
}

async function text(stores: Stores): Promise<MetricsText['body']> {
  return (await done(readMetrics(stores, 'mail1', NOW))).body
}

async function flush(recorders: readonly MonitorRecorder[]): Promise<void> {
  for (const recorder of recorders) await recorder.flush()
}

describe('/metrics', () => {
  test('every worker says the same, and nothing begins anew or falls when the store is pruned', async (t) => {
    const { recorders, ask, stores } = workers(t)
    for (const recorder of recorders) recorder.recordConnection(sighting())
    await flush(recorders)
    const series = 'outbound_tls_connections_total{level="verified",reason="dane-match"}'
    const first = await ask(0)
    assert.equal(first, await ask(1))
    assert.equal(valueOf(first, series), '2')

    await stores[0].removeOld(2 * DAY, NOW + 3 * DAY)
    const later = await ask(0)
    assert.equal(valueOf(later, series), '2')
    assert.equal(valueOf(later, 'outbound_tls_destinations'), '0')
  })

  test('what may happen for the first time is there at 0, where the labels are few', async () => {
    const { body, contentType } = await metricsText([], nothing)
    assert.match(contentType, /^text\/plain; version=0\.0\.4/)
    for (const series of [
      'outbound_tls_deferrals_total{status="4.7.5"}',
      'outbound_tls_outcomes_lost_total',
      'outbound_tls_policy_results_total{policy="tlsa",result="validation-failure"}',
      'outbound_tls_sts_fetch_duration_seconds_bucket{le="+Inf",result="sts-policy-invalid"}',
      'outbound_tls_reports_total{state="given-up"}',
    ])
      assert.equal(valueOf(body.replace(/\{result="([^"]*)",le="([^"]*)"\}/g, '{le="$2",result="$1"}'), series), '0')
    for (const { name } of Object.values<Meter>(METERS)) assert.match(body, new RegExp(`^# TYPE ${name} `, 'm'))
    assert.ok(body.length < 30_000, `${body.length} bytes of nothing`)
  })

  test('a histogram adds up its buckets', async (t) => {
    const { recorders, ask } = workers(t)
    for (const milliseconds of [4, 30, 40, 60_000])
      recorders[0]?.time('dnsQueries', { type: 'MX', result: 'NOERROR' }, milliseconds)
    await flush(recorders)
    const body = await ask(0)
    const name = 'outbound_tls_dns_query_duration_seconds'
    const labels = 'type="MX",result="NOERROR"'
    assert.equal(valueOf(body, `${name}_bucket{${labels},le="0.005"}`), '1')
    assert.equal(valueOf(body, `${name}_bucket{${labels},le="0.05"}`), '3')
    assert.equal(valueOf(body, `${name}_bucket{${labels},le="10"}`), '3')
    assert.equal(valueOf(body, `${name}_bucket{${labels},le="+Inf"}`), '4')
    assert.equal(valueOf(body, `${name}_count{${labels}}`), '4')
    assert.ok(Math.abs(Number(valueOf(body, `${name}_sum{${labels}}`)) - 60.074) < 1e-9)
  })

  test('how things stand: what waits, who fails, the resolver of this machine', async (t) => {
    const { recorders, ask } = workers(t)
    recorders[0]?.addDeferred(message())
    recorders[0]?.recordConnection(refusal())
    recorders[0]?.recordConnection(sighting({ domain: 'fine.test' }))
    recorders[0]?.tested(resolver({ validates: false }))
    await flush(recorders)
    const body = await ask(1)
    const values = ['waiting_messages', 'destinations', 'failing_destinations', 'resolver_validates'].map((name) =>
      valueOf(body, `outbound_tls_${name}`),
    )
    assert.deepEqual(values, ['1', '2', '1', '0'])
    assert.equal(valueOf(body, 'outbound_tls_resolver_secure_answers'), '1')
    assert.equal(valueOf(body, 'outbound_tls_resolver_tested_timestamp_seconds'), String(NOW / 1000))
  })

  test('how things stand: policies by mode, and reports on their way', async (t) => {
    const [monitor] = sqliteStores(t)
    const modes = { enforce: 3, testing: 2, none: 1 }
    const body = await text({
      monitor: { ...monitor, waiting: () => Promise.resolve(nowhere) },
      policies: { census: () => Promise.resolve({ ok: true, value: { modes, failing: 4 } }) },
      ledger: { count: (state) => Promise.resolve({ ok: true, value: state.length }) },
    })
    assert.equal(valueOf(body, 'outbound_tls_sts_cached_policies{mode="testing"}'), '2')
    assert.equal(valueOf(body, 'outbound_tls_sts_failing_refreshes'), '4')
    assert.equal(valueOf(body, 'outbound_tls_reports_pending{state="scheduled"}'), '9')
    // what cannot be read is not there, rather than 0
    assert.equal(valueOf(body, 'outbound_tls_waiting_messages'), undefined)
    for (const { name } of GAUGES) assert.match(body, new RegExp(`^# TYPE ${name} gauge$`, 'm'))
  })

  test('without counters there is no answer', async (t) => {
    const [monitor] = sqliteStores(t)
    const unread = { ...monitor, amounts: () => Promise.resolve(nowhere) }
    assert.deepEqual(await readMetrics({ ...others, monitor: unread }, 'mail1', NOW), nowhere)
  })
})
