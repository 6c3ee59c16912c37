/**
 * The other stores that the page reads, as full as they get: outcomes, the ledger of reports, reports received, MTA-STS policies.
 *
 * @module
 */
import { readStsPolicy } from '../../dist/lib/mta-sts/index.js'
import type { PolicyCount, SessionCount } from '../../dist/lib/tlsrpt/counting/index.js'
import { keep } from '../../dist/lib/tlsrpt/received/index.js'
import { policy, report } from '../../test/lib/tlsrpt/parsing/corpus/specimen.ts'
import { value, type Stores } from '../../test/real/page/stores.ts'
import { domainOf } from './fill.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const DESTINATIONS = 100_000
const BATCH = 2000

/** A million aggregates: ten hours of each destination, and the same number of counts of sessions. */
export async function fillOutcomes({ outcomes }: Stores, now: number): Promise<void> {
  let number = 0
  for (let hours = 0; hours < 10; hours++) {
    const hour = Math.floor(now / HOUR) * HOUR - hours * 16 * HOUR
    for (let first = 0; first < DESTINATIONS; first += BATCH) {
      const indices = Array.from({ length: BATCH }, (_, index) => first + index)
      const policies = indices.map((index): PolicyCount => {
        const domain = domainOf(index)
        const failure = index % 50 < 2 ? ({ type: 'validation-failure', reason: 'dane-no-match' } as const) : undefined
        return {
          hour,
          domain,
          policy: { type: 'tlsa', domain: `mx0.${domain}`, strings: ['3 1 1 AB'] },
          failure,
          count: 3,
        }
      })
      const sessions = indices.map((index): SessionCount => {
        const [domain, level] = [domainOf(index), index % 50 < 2 ? 'refused' : 'verified'] as const
        return { hour, domain, host: `mx0.${domain}`, level, tlsVersion: 'TLSv1.3', count: 3 }
      })
      await value(outcomes.add({ writer: 'filler', number: ++number, policies, sessions }, now))
    }
  }
}

/** Two days of reports to each of them. */
export async function fillLedger({ ledger }: Stores, now: number): Promise<void> {
  const lease = await value(ledger.takeLease('filler', DAY))
  if (lease === undefined) throw new Error('the lease is taken')
  for (const ago of [2, 1]) {
    const start = Math.floor(now / DAY) * DAY - ago * DAY
    for (let first = 0; first < DESTINATIONS; first += BATCH) {
      const reports = Array.from({ length: BATCH }, (_, index) => {
        const domain = domainOf(first + index)
        return { domain, start, end: start + DAY, reportId: `${start}.${domain}`, dueAt: now + HOUR }
      })
      await value(ledger.schedule(lease, reports))
    }
  }
}

/** Five thousand reports that count, each with as many ways to fail as are remembered. */
export async function fillReceived({ received }: Stores, now: number): Promise<void> {
  for (let index = 0; index < 5000; index++) {
    const start = Math.floor((now - (index % 29) * DAY) / DAY) * DAY - DAY
    const details = Array.from({ length: 10 }, (_, host) => {
      return { type: 'certificate-expired', receivingHost: `mx${host}.example.org`, count: 1 + host } as const
    })
    const sender = { organization: `Sender ${index % 200}`, contact: `tls@sender${index % 200}.example` }
    const said = report(sender, String(index), [policy('sts', { successes: 900, failures: 55, details })], { start })
    const arrival = { report: said, notes: [], receivedAt: now - (index % 29) * DAY, source: 'mail' } as const
    const signedBy = `sender${index % 200}.example`
    await value(received.add(keep({ ...arrival, signedBy }, () => true, true)))
  }
}

/** Five thousand policies: one domain in twenty has one, which is more than the world has. */
export async function fillPolicies({ policies }: Stores, now: number): Promise<void> {
  for (let index = 0; index < 5000; index++) {
    const domain = domainOf(index * 20)
    const read = readStsPolicy(`version: STSv1\r\nmode: enforce\r\nmx: *.${domain}\r\nmax_age: 604800\r\n`)
    if (!read.ok) throw new Error(read.error.text)
    const times = { fetchedAt: now - HOUR, usedAt: now, refreshAt: now + DAY }
    await value(policies.save({ domain, id: '1', policy: read.policy, failures: Number(index % 100 === 0), ...times }))
  }
}
