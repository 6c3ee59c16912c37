import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDigest, type ReceivedEntry } from '../../../../dist/lib/tlsrpt/received/index.js'
import { policy } from '../parsing/corpus/specimen.ts'
import { DAY, kept, NOW } from './ground.ts'

function digestOf(...entries: readonly ReceivedEntry[]) {
  const digest = createDigest()
  for (const entry of entries) digest.add(entry)
  return digest.digest()
}

const detail = (host: string, count: number) =>
  ({ type: 'certificate-expired', receivingHost: host, receivingAddress: `192.0.2.${count}`, count }) as const

describe('what the entries of reports say together', () => {
  test('our domains day by day, those with failures first', () => {
    const start = kept('1').entry.start
    const tomorrow = { start: start + DAY, end: start + 2 * DAY - 1000 }
    const fine = policy('tlsa', { domain: 'mx1.example.org', successes: 5, failures: 0 })
    const { domains, reports, sessions } = digestOf(
      kept('1', { policies: [fine, policy('sts', { successes: 9, failures: 1 })] }).entry,
      kept('2', { policies: [policy('sts', { successes: 3, failures: 2 })], report: tomorrow }).entry,
      kept('3', { report: tomorrow }).entry,
    )
    const day = Math.floor(start / DAY) * DAY
    assert.equal(reports, 3)
    assert.deepEqual(sessions, { successes: 21, failures: 4, fetchFailures: 0 }) // those of the host are among those of the domain
    assert.deepEqual(domains, [
      {
        ...{ domain: 'example.org', successes: 21, failures: 4, fetchFailures: 0 },
        days: [
          { day, successes: 9, failures: 1, fetchFailures: 0 },
          { day: day + DAY, successes: 12, failures: 3, fetchFailures: 0 },
        ],
      },
      {
        ...{ domain: 'mx1.example.org', successes: 5, failures: 0, fetchFailures: 0 },
        days: [{ day, successes: 5, failures: 0, fetchFailures: 0 }],
      },
    ])
  })

  test('who reports, and which of our hosts fails for whom, whatever its addresses', () => {
    const policies = [
      policy('sts', {
        successes: 1,
        failures: 6,
        details: [detail('mx1.example.org', 1), detail('mx1.example.org', 5)],
      }),
    ]
    const { failures, reporters, isComplete } = digestOf(
      kept('1', { policies }).entry,
      kept('2', { policies, signedBy: 'another.example', receivedAt: NOW + 1 }).entry,
    )
    assert.deepEqual(
      failures.map(({ host, result, count, reporters }) => ({ host, result, count, reporters })),
      [
        {
          ...{ host: 'mx1.example.org', result: 'certificate-expired', count: 12 },
          reporters: ['sender.example', 'another.example'],
        },
      ],
    )
    assert.deepEqual(reporters.map(({ reporter, reports, failures }) => [reporter, reports, failures]).toSorted(), [
      ['another.example', 1, 6],
      ['sender.example', 1, 6],
    ])
    assert.equal(isComplete, true)
  })

  test('of a report with very many ways to fail the most frequent ones, and that there are others', () => {
    const details = Array.from({ length: 50 }, (_, index) => detail(`mx${index}.example.org`, index + 1))
    const { entry } = kept('1', { policies: [policy('sts', { successes: 0, failures: 1275, details })] })
    assert.deepEqual([entry.ways.length, entry.ways[0]?.count, entry.otherWays], [10, 50, 820])
    const { failures, isComplete } = digestOf(entry)
    assert.equal(failures.length, 10)
    assert.equal(isComplete, false)
  })

  test('domains and reporters beyond a bound are left out, which is said', () => {
    const many = Array.from(
      { length: 1001 },
      (_, index) => kept(String(index), { signedBy: `s${index}.example` }).entry,
    )
    const { reporters, reports, isComplete } = digestOf(...many)
    assert.deepEqual([reporters.length, reports, isComplete], [1000, 1001, false])
  })
})
