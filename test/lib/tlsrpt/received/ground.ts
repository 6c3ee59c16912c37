/**
 * Reports to keep.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { keep, type Arrival, type KeptReport } from '../../../../dist/lib/tlsrpt/received/index.js'
import type { Done } from '../../../../dist/lib/store/index.js'
import { createOursTest, type ReceivedPolicy, type ReceivedReport } from '../../../../dist/lib/tlsrpt/parsing/index.js'
import { DAY, end, policy, report } from '../parsing/corpus/specimen.ts'

export { DAY }
export const NOW = end + DAY / 2
const isOurs = createOursTest(['example.org'])
const sender = { organization: 'Sender', contact: 'tls@sender.example' }

/** What was done; what was not fails the test. */
export async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

export interface KeptOptions extends Partial<Omit<Arrival, 'report'>> {
  readonly policies?: readonly ReceivedPolicy[]
  readonly report?: Partial<ReceivedReport>
  readonly requiresSignature?: boolean
}

/** A report signed by sender.example, unless said otherwise. */
export function kept(reportId: string, options: KeptOptions = {}): KeptReport {
  const {
    policies = [policy('sts', { successes: 9, failures: 1 })],
    report: more,
    requiresSignature = true,
    ...rest
  } = options
  const arrival = { receivedAt: NOW, source: 'mail', signedBy: 'sender.example', notes: [], ...rest } as const
  return keep({ ...arrival, report: report(sender, reportId, policies, more) }, isOurs, requiresSignature)
}

export const unsigned = { signedBy: undefined } as const
