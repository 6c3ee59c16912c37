import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compose, type ReporterSettings } from '../../../dist/lib/reports/index.js'
import type { PolicyFacts } from '../../../dist/lib/tlsrpt/index.js'
import { counts, DAY } from './world.ts'

const settings: ReporterSettings = {
  ...{ organization: 'Example', contact: 'tls@example.org', submitter: 'example.org' },
  ...{
    send: 'weekly',
    when: 'always',
    maxSize: 25_000_000,
    spread: 0,
    retryFor: DAY,
    suppress: [],
    domains: new Map(),
  },
}

/** A domain that has another TLSA record each time it is asked, and one that it has most of the time. */
function policies(count: number): PolicyFacts[] {
  return Array.from({ length: count }, (_, index) => ({
    policy: { type: 'tlsa', domain: 'mx.a.test', strings: [`3 1 1 ${String(index).padStart(64, '0')}`] },
    successes: index === count - 1 ? 1000 : 1,
    failures: 1,
    details: [{ type: 'validation-failure', reason: 'dane-no-match', count: 1 }],
  }))
}

describe('a report on a domain that has more policies than anybody needs', () => {
  const key = { domain: 'a.test', start: 0, end: 7 * DAY, reportId: 'x@example.org' }

  test('quotes 100 of them, those with the most sessions, and its sums stay', async () => {
    const { report } = await compose(key, policies(5000), settings)
    const quoted = report.policies.filter(({ policy }) => policy['policy-string'] !== undefined)
    assert.equal(quoted.length, 100)
    assert.ok(quoted.some(({ summary }) => summary['total-successful-session-count'] === 1000))
    assert.equal(report.policies.length, 101)
    assert.deepEqual(counts(report), { successful: 4999 + 1000, failed: 5000 })
  })

  test('up to 100 are all quoted', async () => {
    const { report } = await compose(key, policies(100), settings)
    assert.equal(report.policies.filter(({ policy }) => policy['policy-string'] !== undefined).length, 100)
  })
})
