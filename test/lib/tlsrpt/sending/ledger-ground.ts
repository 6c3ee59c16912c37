/**
 * Reports to put into a ledger, and what comes out of it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import {
  reportSql,
  type Lease,
  type NewReport,
  type ReportEntry,
  type ReportLedger,
} from '../../../../dist/lib/tlsrpt/sending/index.js'
import type { Done, Store } from '../../../../dist/lib/store/index.js'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** a day's reports are due */
export const NOW = Date.parse('2027-02-01T00:05:00Z')
/** when that day began */
export const START = Date.parse('2027-01-31T00:00:00Z')

/** The ledger in a store. Its end is that of the store. */
export function ledgerIn(store: Store): ReportLedger {
  return { ...store.module(reportSql), end: store.end }
}

/** What was done; what was not fails the test. */
export async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

export function newReport(domain: string, changes: Partial<NewReport> = {}): NewReport {
  const start = changes.start ?? START
  const reportId = `20270131T00Z.${domain.replaceAll('.', '')}@example.org`
  return { domain, start, end: start + DAY, reportId, dueAt: NOW, ...changes }
}

/** The lease, which is free or the holder's. */
export async function leaseOf(ledger: ReportLedger, holder = 'a', now = NOW): Promise<Lease> {
  const lease = await value(ledger.takeLease(holder, 60_000, now))
  assert.ok(lease)
  return lease
}

/** A report that is scheduled. */
export async function scheduled(ledger: ReportLedger, lease: Lease, domain = 'one.test'): Promise<ReportEntry> {
  assert.equal(await value(ledger.schedule(lease, [newReport(domain)])), true)
  const entry = await value(ledger.read(newReport(domain)))
  assert.ok(entry)
  return entry
}
