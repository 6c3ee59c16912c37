/**
 * An instance with counts and reports, as workers have made them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { OutcomeStore, PolicyCount } from '../../dist/lib/tlsrpt/counting/index.js'
import {
  type EntryChange,
  type Lease,
  type ReportEntry,
  type ReportLedger,
} from '../../dist/lib/tlsrpt/sending/index.js'
import { createStore } from '../../dist/lib/store/index.js'
import type { Period } from '../../dist/lib/tlsrpt/format/index.js'
import { openOutcomes } from '../support/modules.ts'
import { ledgerIn, value } from '../lib/tlsrpt/sending/ledger-ground.ts'
import { command, createInstance, DAY, HOUR, NOW, type Said } from './ground.ts'

export const REPORT_INI = `
from-address = tls@example.com
org-name = Example
contact-info = tls@example.com
suppress[] = file.test
[domain:failures.test]
when = failures
[domain:never.test]
send = never
`

export const TODAY = Date.parse('2026-06-01T00:00:00Z')
export const YESTERDAY = TODAY - DAY

/** Where workers keep what they keep. */
export interface Stores {
  readonly ledger: ReportLedger
  readonly outcomes: OutcomeStore
}

export interface Reporting extends Stores {
  readonly folder: string
}

/** An instance on SQLite, with both stores as workers have them open. */
export function createReporting(t: TestContext, ini = REPORT_INI): Reporting {
  const { folder } = createInstance(t, { 'outbound-tls.report.ini': ini })
  const log = (): void => undefined
  const ledger = ledgerIn(createStore({ engine: 'sqlite', path: join(folder, 'outbound-tls.db') }, log))
  const outcomes = openOutcomes({ path: join(folder, 'outbound-tls.db'), log })
  t.after(() => {
    ledger.end()
    outcomes.end()
  })
  return { folder, ledger, outcomes }
}

export async function leaseOf(ledger: ReportLedger): Promise<Lease> {
  const lease = await value(ledger.takeLease('a worker', 60_000))
  assert.ok(lease)
  return lease
}

/** A report in the ledger, of yesterday unless it says otherwise. */
export async function kept(
  ledger: ReportLedger,
  domain: string,
  change: EntryChange = {},
  { start, end }: Period = { start: YESTERDAY, end: YESTERDAY + DAY },
): Promise<ReportEntry> {
  const lease = await leaseOf(ledger)
  const reportId = `20260531T00Z.${domain.replaceAll('.', '')}@example.com`
  await value(ledger.schedule(lease, [{ domain, start, end, reportId, dueAt: NOW + HOUR }]))
  const entry = await value(ledger.read({ domain, start }))
  const changed = entry && (await value(ledger.change(entry, change, lease)))
  assert.ok(changed)
  return changed
}

let batches = 0

/** Counted sessions of a domain: some that succeeded under an MTA-STS policy, some that failed. */
export async function sessions(outcomes: OutcomeStore, domain: string, hour = YESTERDAY, failed = 2): Promise<void> {
  const policy = {
    type: 'sts',
    domain,
    strings: ['version: STSv1', 'mode: enforce', 'mx: *.mail.test', 'max_age: 604800'],
    mx: ['*.mail.test'],
  } as const
  const failure = {
    type: 'certificate-expired',
    sendingAddress: '192.0.2.1',
    receivingHost: 'mx1.mail.test',
    receivingAddress: '192.0.2.7',
    reason: 'certificate-expired',
  } as const
  const policies: PolicyCount[] = [{ hour, domain, policy, failure: undefined, count: 40 }]
  if (failed > 0) policies.push({ hour, domain, policy, failure, count: failed })
  await value(outcomes.add({ writer: 'w', number: ++batches, policies, sessions: [] }, NOW))
}

/** A frozen report, which says what it likes. */
export function frozenText(
  domain: string,
  organization = 'Example',
): { readonly text: string; readonly bytes: Buffer } {
  const text = JSON.stringify({
    'organization-name': organization,
    'date-range': { 'start-datetime': '2026-05-31T00:00:00Z', 'end-datetime': '2026-05-31T23:59:59Z' },
    'contact-info': 'tls@example.com',
    'report-id': `20260531T00Z.${domain.replaceAll('.', '')}@example.com`,
    policies: [
      {
        policy: { 'policy-type': 'no-policy-found', 'policy-domain': domain },
        summary: { 'total-successful-session-count': 7, 'total-failure-session-count': 1 },
        'failure-details': [
          { 'result-type': 'starttls-not-supported', 'failed-session-count': 1, 'failure-reason-code': 'x\u001b[31m' },
        ],
      },
    ],
  })
  return { text, bytes: gzipSync(text) }
}

/** The command `report` on an instance. */
export function report(
  { folder }: Pick<Reporting, 'folder'>,
  args: readonly string[],
  options: Parameters<typeof command>[1] = {},
): Promise<Said> {
  return command(['report', ...args, '-c', folder], { cwd: folder, ...options })
}

/** Its answer as JSON. */
export async function reportJson(
  reporting: Pick<Reporting, 'folder'>,
  args: readonly string[],
): Promise<Record<string, unknown>> {
  const { out } = await report(reporting, [...args, '--json'])
  assert.match(out, /^[\n -~]*$/)
  return JSON.parse(out) as Record<string, unknown>
}
