/**
 * The stores of an instance, as its workers open them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { createSqliteMonitor, monitorPath } from '../../../dist/lib/monitor/index.js'
import { createStsCache } from '../../../dist/lib/mta-sts/index.js'
import { createSqliteOutcomes } from '../../../dist/lib/outcomes/index.js'
import { receivedSql } from '../../../dist/lib/received/index.js'
import { reportSql } from '../../../dist/lib/reports/index.js'
import { createStore, type Done } from '../../../dist/lib/store/index.js'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const STORE = 'outbound-tls.db'

export async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

/** Opens all of them. */
export function openStores(folder: string) {
  const at = (path: string) => ({ path: join(folder, path), log: () => undefined })
  const monitor = createSqliteMonitor(at(monitorPath(STORE)))
  const outcomes = createSqliteOutcomes(at(STORE))
  const store = createStore({ engine: 'sqlite', path: join(folder, STORE) }, () => undefined)
  const received = store.module(receivedSql)
  const policies = createStsCache({ store, end: () => undefined })
  const ledger = store.module(reportSql)
  const close = () => {
    for (const each of [monitor, outcomes, store]) each.end()
    policies.close()
  }
  return { monitor, outcomes, ledger, received, policies, close }
}

export type Stores = ReturnType<typeof openStores>
