import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDigest } from '../../dist/lib/tlsrpt/received/index.js'
import { shownSums } from '../../dist/status/data/received.js'
import { receivedPage } from '../../dist/status/pages/received.js'
import { kept, NOW } from '../lib/tlsrpt/received/ground.ts'
import { policy } from '../lib/tlsrpt/parsing/corpus/specimen.ts'

describe('the page of received reports', () => {
  test('does not add up sessions under DANE and under MTA-STS, which may be the same', () => {
    const digest = createDigest()
    const policies = [
      policy('sts', { successes: 9, failures: 1 }),
      policy('tlsa', { domain: 'mx1.example.org', successes: 9, failures: 1 }),
    ]
    digest.add(kept('1', { policies }).entry)
    const sums = shownSums({ ...digest.digest(), since: NOW, unverified: 0 })
    const data = { sums, unverified: false, reports: [], next: null, problems: [] } as const
    const { lead } = receivedPage(data, { base: '/tls', now: NOW, isLoggedIn: false })
    assert.equal(lead, '1 report of the last 30 days: 1 session of 10 failed.')
  })
})
