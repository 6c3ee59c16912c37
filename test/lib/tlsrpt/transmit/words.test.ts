import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { reportInWords } from '../../../../dist/lib/tlsrpt/transmit/words.js'

const frozen = (...policies: readonly object[]): Buffer => gzipSync(JSON.stringify({ policies }))
const policy = (type: string, domain: string, successes: number, ...details: readonly object[]): object => ({
  policy: { 'policy-type': type, 'policy-domain': domain },
  summary: {
    'total-successful-session-count': successes,
    'total-failure-session-count': details.reduce<number>((sum, detail) => sum + countOf(detail), 0),
  },
  'failure-details': details,
})
const countOf = (detail: object): number => (detail as { 'failed-session-count': number })['failed-session-count']
const failure = (count: number, host: string): object => ({
  ...{ 'result-type': 'certificate-expired', 'failed-session-count': count, 'receiving-mx-hostname': host },
})

describe('a report in words', () => {
  test('has the totals, the policies, and what failed, the most frequent first', () => {
    const sts = policy('sts', 'example.net', 7, failure(1, 'mx1.example.net'), failure(2, 'mx2.example.net'))
    assert.deepEqual(reportInWords(frozen(policy('tlsa', 'mx1.example.net', 5), sts)), [
      'Sessions: 12 succeeded, 3 failed, those under two policies counted for each.',
      '',
      'DANE, TLSA records of mx1.example.net: 5 succeeded, 0 failed',
      '',
      'MTA-STS policy of example.net: 7 succeeded, 3 failed',
      '  2 certificate-expired at mx2.example.net',
      '  1 certificate-expired at mx1.example.net',
    ])
  })

  test('has no more than anybody reads, and says what is left out', () => {
    const failures = Array.from({ length: 12 }, (_, index) => failure(1, `mx${index}.example.net`))
    const policies = Array.from({ length: 25 }, () => policy('no-policy-found', 'example.net', 0, ...failures))
    const lines = reportInWords(frozen(...policies))
    assert.equal(lines.filter((line) => line === '  ... and 2 more kinds of failures').length, 20)
    assert.equal(lines.at(-1), '... and 5 more policies')
  })

  test('is of printable US-ASCII, in lines that are not too long', () => {
    const [, , line = '', detail = ''] = reportInWords(
      frozen(policy('sts', `a\r\n\u202e${'b'.repeat(500)}`, 0, failure(1, 'x\r\nBcc: y'))),
    )
    for (const text of [line, detail]) assert.match(text, /^[\x20-\x7e]{1,200}$/)
  })

  test('is left out where the report is too large, with gzip or without', () => {
    assert.deepEqual(reportInWords(gzipSync(randomBytes(70_000))), [])
    assert.deepEqual(reportInWords(gzipSync(Buffer.alloc(2_000_000, ' '))), [])
  })
})
