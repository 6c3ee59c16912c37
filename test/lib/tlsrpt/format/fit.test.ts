import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import {
  composeReport,
  fitReport,
  FOLDED,
  transmittedSize,
  type FailureFacts,
  type PolicyReport,
  type Report,
} from '../../../../dist/lib/tlsrpt/format/index.js'
import { runs } from '../../../support/runs.ts'
import { anyFacts } from './facts.ts'
import { assertReport } from './schema.ts'

const start = Date.UTC(2027, 0, 31)
const period = { start, end: start + 86_400_000 }

function reportOf(details: readonly FailureFacts[]): Report {
  const failures = details.reduce((sum, { count }) => sum + count, 0)
  const policies = [
    { policy: { type: 'no-policy-found', domain: 'example.com' }, successes: 9, failures, details },
  ] as const
  return composeReport({ organization: 'x', contact: 'a@example.org', reportId: 'id', period, policies }).report
}

const detailsOf = (report: Report): PolicyReport['failure-details'] => report.policies[0]?.['failure-details'] ?? []

/** What must be the same before and after, for each policy domain and type. */
function sums(report: Report): Record<string, number> {
  const totals: Record<string, number> = {}
  const add = (key: string, count: number): void => {
    totals[key] = (totals[key] ?? 0) + count
  }
  for (const { policy, summary, 'failure-details': details } of report.policies) {
    const name = `${policy['policy-type']} ${policy['policy-domain']}`
    add(`${name} successes`, summary['total-successful-session-count'])
    add(`${name} failures`, summary['total-failure-session-count'])
    for (const detail of details) add(`${name} ${detail['result-type']}`, detail['failed-session-count'])
  }
  return totals
}

describe('a report that is too large', () => {
  const many = Array.from({ length: 2000 }, (_, index) => ({
    type: 'validation-failure' as const,
    count: index + 1,
    reason: index % 2 === 0 ? 'dane-no-match' : 'handshake-failed',
    receivingHost: `mx${index % 3}.example.com`,
    receivingAddress: `2001:db8::${(index * 7919).toString(16).slice(-4)}:${index.toString(16)}`,
    sendingAddress: '192.0.2.1',
  }))

  test('R17: stays as it is where it fits', async () => {
    const report = reportOf(many)
    const text = JSON.stringify(report)
    const compressed = gzipSync(text)
    const fitted = await fitReport(report, transmittedSize(compressed))
    assert.deepEqual(fitted, { report, text, compressed, folded: 'nothing', fits: true })
  })

  test('loses addresses before host names, host names before reasons, and says so', async () => {
    const { report, folded, fits } = await fitReport(reportOf(many), 1000)
    assert.deepEqual({ folded, fits }, { folded: 'details', fits: true })
    assert.equal(detailsOf(report).length, 6)
    assert.deepEqual(detailsOf(report)[0], {
      'result-type': 'validation-failure',
      'sending-mta-ip': '192.0.2.1',
      'receiving-mx-hostname': 'mx0.example.com',
      'failed-session-count': many.filter((_, index) => index % 6 === 0).reduce((sum, { count }) => sum + count, 0),
      'failure-reason-code': `dane-no-match; ${FOLDED}`,
    })
  })

  test('has one detail for each result type in the end', async () => {
    const { report, fits } = await fitReport(reportOf(many), 0)
    assert.equal(fits, false)
    assert.deepEqual(detailsOf(report), [
      { 'result-type': 'validation-failure', 'failed-session-count': 2_001_000, 'failure-reason-code': FOLDED },
    ])
  })

  test('a detail that stands for itself loses nothing', async () => {
    const single = { type: 'certificate-expired', count: 1, receivingAddress: '192.0.2.7', reason: 'r' } as const
    const { report } = await fitReport(reportOf([...many, single]), 500)
    assert.deepEqual(
      detailsOf(report).find((detail) => detail['result-type'] === single.type),
      {
        'result-type': 'certificate-expired',
        'receiving-ip': '192.0.2.7',
        'failed-session-count': 1,
        'failure-reason-code': 'r',
      },
    )
  })

  test('what was folded before is not called so twice', async () => {
    const folded = ['192.0.2.1', '192.0.2.2'].map((receivingAddress) => ({
      ...{ type: 'validation-failure' as const, count: 1, receivingAddress, reason: FOLDED },
    }))
    const { report } = await fitReport(reportOf(folded), 2, (_, text) => text.split('receiving-ip').length)
    assert.deepEqual(detailsOf(report), [
      { 'result-type': 'validation-failure', 'failed-session-count': 2, 'failure-reason-code': FOLDED },
    ])
  })

  test('policies whose texts alone are too large become one', async () => {
    const policies = ['a', 'b'].map((letter) => ({
      policy: { type: 'sts' as const, domain: 'example.com', strings: [letter.repeat(60_000)], mx: ['mx.example.com'] },
      successes: 1,
      failures: 0,
      details: [],
    }))
    const facts = { organization: 'x', contact: 'a@example.org', reportId: 'id', period, policies }
    const { report, folded, fits } = await fitReport(composeReport(facts).report, 1000, (_, text) => text.length)
    assert.deepEqual({ folded, fits }, { folded: 'policies', fits: true })
    assert.deepEqual(report.policies, [
      {
        policy: { 'policy-type': 'sts', 'policy-domain': 'example.com' },
        summary: { 'total-successful-session-count': 2, 'total-failure-session-count': 0 },
        'failure-details': [],
      },
    ])
  })

  test('keeps its sums, its schema and its limit, whatever the report and the limit', async () => {
    await fc.assert(
      fc.asyncProperty(anyFacts, fc.integer({ min: 0, max: 12_000 }), async (facts, limit) => {
        const { report } = composeReport(facts)
        const fitted = await fitReport(report, limit, (_, text) => text.length)
        assertReport(fitted.report)
        assert.equal(fitted.text, JSON.stringify(fitted.report))
        assert.equal(fitted.fits, fitted.text.length <= limit)
        assert.deepEqual(sums(fitted.report), sums(report))
        assert.equal(fitted.folded === 'nothing', fitted.report === report)
      }),
      { numRuns: runs(300, 2000) },
    )
  })

  test('R17: is measured as gzip in lines of base64', () => {
    for (const length of [0, 1, 50, 56, 57, 58, 100, 5000]) {
      const text = Array.from({ length }, (_, index) => String.fromCharCode(33 + ((index * index * 31) % 90))).join('')
      const compressed = gzipSync(text)
      const base64 = compressed.toString('base64')
      assert.equal(transmittedSize(compressed), base64.replace(/.{1,76}/g, '$&\r\n').length)
    }
  })
})
