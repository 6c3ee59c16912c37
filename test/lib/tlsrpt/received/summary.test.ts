import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSumming, type KeptReport, type Summary } from '../../../../dist/lib/tlsrpt/received/index.js'
import { end, policy, start } from '../parsing/corpus/specimen.ts'
import { DAY, kept } from './ground.ts'

function summaryOf(...reports: readonly KeptReport[]): Summary {
  const summing = createSumming()
  for (const report of reports) summing.add(report)
  return summing.summary()
}

const expired = { type: 'certificate-expired', receivingHost: 'mx1.example.org', count: 2 }
const refused = { type: 'starttls-not-supported', receivingAddress: '192.0.2.25', count: 5 }
const failing = (...details: readonly (typeof expired | typeof refused)[]) => [
  policy('sts', { successes: 10, failures: details.reduce((sum, { count }) => sum + count, 0), details }),
]

describe('what all reports say together', () => {
  test('which host fails, how, since when, until when, for whom', () => {
    const before = { start: start - DAY, end: end - DAY }
    const { failures, reports, isComplete } = summaryOf(
      kept('1', { policies: failing(expired) }),
      kept('2', { policies: failing(expired, refused), signedBy: 'other.example', report: before }),
    )
    assert.deepEqual([reports, isComplete], [2, true])
    const where = { domain: 'example.org', type: 'sts', reason: undefined }
    assert.deepEqual(failures, [
      {
        ...where,
        host: '192.0.2.25',
        result: 'starttls-not-supported',
        count: 5,
        since: start - DAY,
        until: end - DAY,
        reporters: ['other.example'],
      },
      {
        ...where,
        host: 'mx1.example.org',
        result: 'certificate-expired',
        count: 4,
        since: start - DAY,
        until: end,
        reporters: ['sender.example', 'other.example'],
      },
    ])
  })

  test('R8: sessions under MTA-STS and DANE are not added up, nor is what is about others', () => {
    const policies = [
      policy('sts', { successes: 9, failures: 1 }),
      policy('tlsa', { successes: 10 }),
      policy('sts', { domain: 'other.example', successes: 1000 }),
    ]
    const { domains } = summaryOf(kept('1', { policies }), kept('2', { policies }))
    assert.equal(domains.length, 1)
    assert.deepEqual(domains[0]?.sum.atLeast, { successes: 20, failures: 2, fetchFailures: 0 })
    assert.deepEqual([domains[0].sum.byType.sts?.successes, domains[0].sum.byType.tlsa?.successes], [18, 20])
  })

  test('more ways to fail than anybody looks at are left out, which is said', () => {
    const many = (from: number) =>
      Array.from({ length: 1000 }, (_, index) => ({ type: 'other', reason: String(from + index), count: 1 }))
    const reports = Array.from({ length: 11 }, (_, index) =>
      kept(String(index), { policies: [policy('sts', { failures: 1000, details: many(index * 1000) })] }),
    )
    const { failures, isComplete } = summaryOf(...reports)
    assert.deepEqual([failures.length, isComplete], [10_000, false])
  })

  test('nothing is nothing', () => {
    assert.deepEqual(summaryOf(), { reports: 0, domains: [], failures: [], isComplete: true })
  })
})
