import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { GAUGES, type Standing, type Stores } from '../../dist/status/gauges.js'
import { createMetrics, metricsText } from '../../dist/status/metrics.js'
import { createRecorder, METERS, type Meter, type Recorder } from '../../dist/lib/monitor/index.js'
import { DAY, message, NOW, refusal, resolver, sighting, sqliteStores } from '../lib/monitor/facts.ts'

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

/** Two workers on one store, and what each of them would tell Prometheus. */
function workers(t: TestContext) {
  const stores = sqliteStores(t)
  const clock = { now: 0 }
  return {
    clock,
    recorders: stores.map((store) => createRecorder({ store, machine: 'mail1', retention: DAY, now: () => NOW })),
    ask: stores.map((monitor) =>
      createMetrics({
        stores: () => ({ monitor, policies: undefined, ledger: undefined }),
        machine: 'mail1',
        now: () => NOW,
        clock: () => clock.now,
      }),
    ),
    stores,
  }
}

async function flush(recorders: readonly Recorder[]): Promise<void> {
  for (const recorder of recorders) await recorder.flush()
}

describe('/metrics', () => {
  test('every worker says the same, and nothing begins anew or falls when the store is pruned', async (t) => {
    const { recorders, ask, clock, stores } = workers(t)
    for (const recorder of recorders) recorder.saw(sighting())
    await flush(recorders)
    const series = 'outbound_tls_connections_total{level="verified",reason="dane-match"}'
    const texts = await Promise.all(ask.map((each) => each()))
    assert.equal(texts[0]?.body, texts[1]?.body)
    assert.equal(valueOf(texts[0]?.body ?? '', series), '2')

    await stores[0].removeOld(NOW + DAY, NOW + 3 * DAY)
    clock.now = 1000
    const later = await ask[0]?.()
    assert.equal(valueOf(later?.body ?? '', series), '2')
    assert.equal(valueOf(later?.body ?? '', 'outbound_tls_destinations'), '0')
  })

  test('an answer is given again for a second, to all who ask at once', async (t) => {
    const { recorders, ask, clock } = workers(t)
    const series = 'outbound_tls_outcomes_lost_total'
    const [first, second] = await Promise.all([ask[0]?.(), ask[0]?.()])
    assert.equal(first, second)
    recorders[0]?.count('outcomesLost', {}, 7)
    await flush(recorders)
    clock.now = 999
    assert.equal(await ask[0]?.(), first)
    clock.now = 1000
    assert.equal(valueOf((await ask[0]?.())?.body ?? '', series), '7')
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
    const body = (await ask[0]?.())?.body ?? ''
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
    recorders[0]?.waits(message())
    recorders[0]?.saw(refusal())
    recorders[0]?.saw(sighting({ domain: 'fine.test' }))
    recorders[0]?.tested(resolver({ validates: false }))
    await flush(recorders)
    const body = (await ask[1]?.())?.body ?? ''
    const values = ['waiting_messages', 'destinations', 'failing_destinations', 'resolver_validates'].map((name) =>
      valueOf(body, `outbound_tls_${name}`),
    )
    assert.deepEqual(values, ['1', '2', '1', '0'])
    assert.equal(valueOf(body, 'outbound_tls_resolver_secure_answers'), '1')
    assert.equal(valueOf(body, 'outbound_tls_resolver_tested_timestamp_seconds'), String(NOW / 1000))
  })

  test('how things stand: policies by mode, and reports on their way', async () => {
    const [monitor] = [{ amounts: () => ({ ok: true, value: [] }) }]
    for (const method of ['waiting', 'census', 'resolvers'])
      Object.assign(monitor, { [method]: () => Promise.resolve({ ok: false, text: '' }) })
    const policies = {
      census: () => Promise.resolve({ ok: true, value: { modes: { enforce: 3, testing: 2, none: 1 }, failing: 4 } }),
    }
    const ledger = { count: (state: string) => Promise.resolve({ ok: true, value: state.length }) }
    const stores = { monitor, policies, ledger } as unknown as Stores
    const body = (await createMetrics({ stores: () => stores, machine: 'mail1' })())?.body ?? ''
    assert.equal(valueOf(body, 'outbound_tls_sts_cached_policies{mode="testing"}'), '2')
    assert.equal(valueOf(body, 'outbound_tls_sts_failing_refreshes'), '4')
    assert.equal(valueOf(body, 'outbound_tls_reports_pending{state="scheduled"}'), '9')
    // what cannot be read is not there, rather than 0
    assert.equal(valueOf(body, 'outbound_tls_waiting_messages'), undefined)
    for (const { name } of GAUGES) assert.match(body, new RegExp(`^# TYPE ${name} gauge$`, 'm'))
  })

  test('without counters there is no answer', async () => {
    const broken = {
      amounts: () => Promise.resolve({ ok: false, text: 'disk I/O error' }),
    } as unknown as Stores['monitor']
    for (const monitor of [broken, undefined]) {
      const ask = createMetrics({
        stores: () => ({ monitor, policies: undefined, ledger: undefined }),
        machine: 'mail1',
      })
      assert.equal(await ask(), undefined)
    }
  })
})
