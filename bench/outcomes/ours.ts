/**
 * Our side: the recorder and the store as a worker has them.
 *
 * @module
 */
import { createOutcomeRecorder, type OutcomeStore } from '../../dist/lib/tlsrpt/counting/index.js'
import { createStore, type Done } from '../../dist/lib/store/index.js'
import { openOutcomes, outcomesOf } from '../../test/support/modules.ts'
import type { Side } from './side.ts'
import { TODAY } from './workload.ts'

const log = (level: string, text: string): void => console.error(`${level} ${text}`)

export function openOurs(path: string): Side {
  return sideOf(openOutcomes({ path, log }))
}

export function openOursOnPostgres(url: string): Side {
  return sideOf(outcomesOf(createStore({ engine: 'postgres', url }, log)))
}

function sideOf(store: OutcomeStore): Side {
  const recorder = createOutcomeRecorder({ store, log })
  return {
    record: recorder.record,
    flush: recorder.flush,
    domains: async (after, limit) => value(await store.domainsOf(TODAY, after, limit)),
    facts: async (domains) => value(await store.policiesOfEach(domains, TODAY)),
    close: () => store.end(),
  }
}

/** The recorder with a store that does nothing: what recording costs the event loop without one. */
export function openNothing(): Side {
  const done = { ok: true, value: { isNew: true, bookedForward: 0, folded: 0 } } as const
  const store = { add: () => Promise.resolve(done), addNow: () => done }
  const { record, flush } = createOutcomeRecorder({ store, log: () => undefined })
  const none = () => Promise.resolve([])
  return { record, flush, domains: none, facts: none, close: () => undefined }
}

function value<Value>(done: Done<Value>): Value {
  if (!done.ok) throw new Error(done.text)
  return done.value
}
