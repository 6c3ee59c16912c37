/**
 * The stores of an instance, as its workers open them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { createStsCache } from '../../../dist/lib/mta-sts/index.js'
import { receivedSql } from '../../../dist/lib/tlsrpt/received/index.js'
import { reportSql } from '../../../dist/lib/tlsrpt/sending/index.js'
import { createStore, type Done } from '../../../dist/lib/store/index.js'
import { monitorOf, outcomesOf } from '../../support/modules.ts'

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
  const store = createStore({ engine: 'sqlite', path: join(folder, STORE) }, () => undefined)
  const [monitor, outcomes, received] = [monitorOf(store), outcomesOf(store), store.module(receivedSql)]
  const policies = createStsCache({ store, end: () => undefined })
  const ledger = store.module(reportSql)
  const close = () => {
    store.end()
    policies.close()
  }
  return { monitor, outcomes, ledger, received, policies, close }
}

export type Stores = ReturnType<typeof openStores>
