/**
 * The answer to Prometheus: counters of this machine from the store, so that every worker of it says the same and no restart begins them
 * anew, and how things stand now.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import { Registry, type Metric } from 'prom-client'
import { METERS, type Amount, type Meter } from '../lib/monitor'
import type { Done } from '../lib/store'
import { GAUGES, readStanding, type Gauge, type Standing, type Stores } from './gauges'

export interface MetricsText {
  readonly contentType: string
  readonly body: string
}

interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Meters with no more series than that have all of them, at 0 until something happens: else an alert on a rate misses the first time. */
const SMALL = 64

/** Writes what is known in Prometheus' text format. */
export async function metricsText(amounts: readonly Amount[], standing: Standing): Promise<MetricsText> {
  const registry = new Registry()
  const byMeter = Map.groupBy(amounts, ({ meter }) => meter)
  for (const meter of Object.values<Meter>(METERS)) {
    const ours = byMeter.get(meter.name) ?? []
    if (meter.buckets === undefined) add(registry, meter, 'counter', counterSamples(meter, ours))
    else add(registry, meter, 'histogram', histogramSamples(meter, meter.buckets, ours))
  }
  for (const gauge of GAUGES) add(registry, gauge, 'gauge', gaugeSamples(gauge, standing))
  const texts: string[] = []
  for (const { name } of registry.getMetricsAsArray()) {
    texts.push(await registry.getSingleMetricAsString(name))
    await setImmediate() // one after the other, with room for everything else between them
  }
  return { contentType: registry.contentType, body: `${texts.join('\n\n')}\n` }
}

/** prom-client's own counters only count by themselves; to the registry a metric is what can say its values. */
function add(
  registry: Registry,
  { name, help }: Pick<Meter, 'name' | 'help'>,
  type: 'counter' | 'gauge' | 'histogram',
  values: readonly Sample[],
): void {
  const metric = { name, get: () => Promise.resolve({ name, help, type, values, aggregator: 'sum' }) }
  registry.registerMetric(metric as unknown as Metric)
}

type Labels = Readonly<Record<string, string>>

function counterSamples(meter: Meter, amounts: readonly Amount[]): Sample[] {
  const values = new Map(initialSeries(meter).map((labels) => [JSON.stringify(labels), 0]))
  for (const { labels, value } of amounts) values.set(labels, value)
  return [...values].map(([labels, value]) => ({ metricName: meter.name, labels: JSON.parse(labels) as Labels, value }))
}

function histogramSamples(meter: Meter, buckets: readonly number[], amounts: readonly Amount[]): Sample[] {
  const series = new Map(initialSeries(meter).map((labels) => [JSON.stringify(labels), new Map<string, number>()]))
  for (const { labels, value } of amounts) {
    const { le = '', ...rest } = JSON.parse(labels) as Record<string, string>
    const key = JSON.stringify(rest)
    const known = series.get(key) ?? new Map<string, number>()
    series.set(key, known.set(le, value))
  }
  return [...series].flatMap(([key, values]) => {
    const labels = JSON.parse(key) as Labels
    let count = 0
    const steps = [...buckets.map(String), '+Inf'].map((le) => {
      count += values.get(le) ?? 0
      return { metricName: `${meter.name}_bucket`, labels: { ...labels, le }, value: count }
    })
    const sum = { metricName: `${meter.name}_sum`, labels, value: values.get('sum') ?? 0 }
    return [...steps, sum, { metricName: `${meter.name}_count`, labels, value: count }]
  })
}

/** All there can be, but for `other`, where they are few. */
function initialSeries({ labels }: Meter): Labels[] {
  const lists = Object.entries(labels)
  if (lists.reduce((product, [, values]) => product * values.length, 1) > SMALL) return []
  return lists.reduce<Labels[]>(
    (series, [label, values]) => series.flatMap((known) => values.map((value) => ({ ...known, [label]: value }))),
    [{}],
  )
}

function gaugeSamples({ name, label, values }: Gauge, standing: Standing): Sample[] {
  return Object.entries(values(standing) ?? {}).map(([word, value]) => ({
    metricName: name,
    labels: label === undefined ? {} : { [label]: word },
    value,
  }))
}

/** The text, from the stores; without the counters there is none: zeros would look like a restart. @param now - milliseconds since 1970 */
export async function readMetrics(stores: Stores, machine: string, now: number): Promise<Done<MetricsText>> {
  const [amounts, standing] = await Promise.all([stores.monitor.amounts(machine), readStanding(stores, machine, now)])
  return amounts.ok ? { ok: true, value: await metricsText(amounts.value, standing) } : amounts
}
