import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { METERS, type Meter } from '../../dist/lib/monitor/index.js'
import { GAUGES } from '../../dist/status/gauges.js'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8')
const meters = Object.values<Meter>(METERS)
const page = read('metrics.md')

/** Values by label, as the page has them: empty where it only names the label. */
interface Row {
  readonly name: string
  readonly labels: Readonly<Record<string, readonly string[]>>
}

const rows: readonly Row[] = page
  .split('\n')
  .filter((line) => line.startsWith('| `outbound_tls_'))
  .map((line) => {
    const [, name = '', labels = ''] = line.split('|').map((cell) => cell.trim())
    const words = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
    const entries = labels
      .split(';')
      .map(words)
      .filter(([label]) => label !== undefined)
      .map(([label = '', ...values]) => [label, values] as const)
    return { name: words(name)[0] ?? '', labels: Object.fromEntries(entries) }
  })

/** Metrics and what is asked of their labels, in an expression. */
function* metricsIn(text: string): Generator<{ readonly name: string; readonly matchers: readonly string[] }> {
  for (const [, name = '', matchers = ''] of text.matchAll(/\b(outbound_tls_[a-z_]+)\b(?:\{([^}]*)\})?/g))
    yield { name, matchers: matchers.split(/,\s*/).filter((one) => one !== '') }
}

function meterOf(name: string): Meter | undefined {
  return meters.find((meter) => {
    if (meter.buckets === undefined) return meter.name === name
    return [`${meter.name}_bucket`, `${meter.name}_sum`, `${meter.name}_count`].includes(name)
  })
}

describe('the documentation of metrics', () => {
  test('has every metric, and no other', () => {
    const names = [...meters, ...GAUGES].map(({ name }) => name)
    assert.deepEqual(rows.map(({ name }) => name).toSorted(), names.toSorted())
  })

  test('has every label, and where it lists values all of them', () => {
    for (const { name, labels } of rows) {
      const known = meters.find((meter) => meter.name === name)?.labels
      const gauge = GAUGES.find((each) => each.name === name)
      assert.deepEqual(
        Object.keys(labels),
        known ? Object.keys(known) : gauge?.label === undefined ? [] : [gauge.label],
      )
      for (const [label, values] of Object.entries(labels))
        if (known !== undefined && !['reason', 'result'].includes(label)) assert.deepEqual(values, known[label], name)
    }
  })

  test('has every reason', () => {
    const [, table = ''] = page.split('### Reasons')
    const named = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
    )
    assert.deepEqual(named.toSorted(), METERS.connections.labels.reason.toSorted())
  })

  test('has the results that there can be, where they are few', () => {
    for (const meter of [METERS.resolverTests, METERS.stsFetches, METERS.reportAttempts, METERS.reportsReceived])
      assert.deepEqual(rows.find(({ name }) => name === meter.name)?.labels.result, [...meter.labels.result])
  })

  for (const file of ['grafana-dashboard.json', 'prometheus-alerts.yml']) {
    test(`${file} asks for nothing that is not there`, () => {
      const text = file.endsWith('.json') ? expressionsOf(JSON.parse(read(file))).join('\n') : read(file)
      const used = [...metricsIn(text)]
      assert.ok(used.length >= 10)
      for (const { name, matchers } of used) {
        const gauge = GAUGES.find((each) => each.name === name)
        const labels = meterOf(name)?.labels ?? (gauge && (gauge.label === undefined ? {} : { [gauge.label]: [] }))
        assert.ok(labels, name)
        for (const matcher of matchers) {
          const [, label = '', sign, value = ''] = /^(\w+)(=~|!~|!=|=)"(.*)"$/.exec(matcher) ?? []
          if (label === 'instance') continue
          assert.ok(label in labels, `${name} has no label ${label}`)
          for (const one of sign === '=' || sign === '!=' ? [value] : value.split('|'))
            assert.ok(labels[label]?.includes(one), `${name} ${label}: ${one}`)
        }
      }
    })
  }

  test('every metric is on the dashboard', () => {
    const shown = new Set(
      [...metricsIn(expressionsOf(JSON.parse(read('grafana-dashboard.json'))).join('\n'))].map(({ name }) => name),
    )
    const missing = meters.filter(({ name, buckets }) => !shown.has(buckets === undefined ? name : `${name}_count`))
    assert.deepEqual(missing, [])
  })
})

function expressionsOf(dashboard: unknown): string[] {
  const { panels } = dashboard as { panels: { targets: { expr: string }[] }[] }
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
}
