import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDigest, type ReceivedEntry } from '../../dist/lib/tlsrpt/received/index.js'
import { shownSums } from '../../dist/status/data/received.js'
import { markupOf } from '../../dist/status/html.js'
import { receivedPage } from '../../dist/status/pages/received.js'
import { kept, NOW } from '../lib/tlsrpt/received/ground.ts'
import { policy } from '../lib/tlsrpt/parsing/corpus/specimen.ts'

function pageOf(...entries: readonly ReceivedEntry[]): { readonly lead: string; readonly body: string } {
  const digest = createDigest()
  for (const entry of entries) digest.add(entry)
  const sums = shownSums({ ...digest.digest(), since: NOW, unverified: 0 })
  const data = { sums, unverified: false, reports: [], next: null, problems: [] } as const
  const { lead, body } = receivedPage(data, { base: '/tls', now: NOW, isLoggedIn: false })
  return { lead: markupOf(lead), body: markupOf(body) }
}

describe('the page of received reports', () => {
  test('does not add up sessions under DANE and under MTA-STS, which may be the same', () => {
    const policies = [
      policy('sts', { successes: 9, failures: 1 }),
      policy('tlsa', { domain: 'mx1.example.org', successes: 9, failures: 1 }),
    ]
    const { lead } = pageOf(kept('1', { policies }).entry)
    assert.equal(lead, '1 report of the last 30 days: 1 of 10 sessions failed.')
  })

  test('shows failures to fetch the policy as failures, in a column of their own', () => {
    const details = [{ type: 'sts-policy-fetch-error', count: 3 }]
    const { lead, body } = pageOf(
      kept('1', { policies: [policy('sts', { successes: 1, failures: 3, details })] }).entry,
    )
    assert.equal(lead, '1 report of the last 30 days: 3 of 4 sessions failed, 3 of them to fetch our MTA-STS policy.')
    assert.match(body, /Policy fetches/)
    assert.match(body, /Is the web server of mta-sts up\?/)
  })

  test('shows result types with the names of inherited members as any others', () => {
    const details = ['constructor', '__proto__', 'toString'].map((type) => ({ type, count: 1 }))
    const { body } = pageOf(kept('1', { policies: [policy('sts', { failures: 3, details })] }).entry)
    for (const { type } of details) assert.match(body, new RegExp(`<strong><bdi>${type}</bdi>`))
  })

  test('has one axis for the days of all domains, which ends today', () => {
    const day = 86_400_000
    const at = (time: number) => ({ start: time, end: time + day - 1000 })
    const { body } = pageOf(
      kept('1', { report: at(NOW - 20 * day), policies: [policy('sts', { failures: 5 })] }).entry,
      kept('2', {
        report: at(NOW - day),
        policies: [policy('tlsa', { domain: 'mx1.example.org', failures: 2 })],
      }).entry,
    )
    const plots = [...body.matchAll(/<svg[^>]*viewBox="0 0 (\d+) 40"[^>]*>([\s\S]*?)<\/svg>/g)]
    assert.deepEqual(
      plots.map(([, width]) => width),
      ['210', '210'],
    )
    const today = new Date(NOW).toISOString().slice(0, 10)
    for (const [, , plot = ''] of plots)
      assert.match(plot.slice(plot.lastIndexOf('<title>')), new RegExp(`>${today}: 0 failed`))
  })
})
