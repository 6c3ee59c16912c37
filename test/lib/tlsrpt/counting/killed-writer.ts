/**
 * Records sessions as fast as it can and says how many it has recorded, and how many of them are written: killed-writer.ts DOMAIN
 * OPTIONS, those of the store as JSON. It is meant to be killed.
 */
import { writeSync } from 'node:fs'
import { createOutcomeRecorder } from '../../../../dist/lib/tlsrpt/counting/index.js'
import { createStore, type StoreOptions } from '../../../../dist/lib/store/index.js'
import { outcomesOf } from '../../../support/modules.ts'

const [domain = '', options = ''] = process.argv.slice(2)
const log = (level: string, text: string): void => console.error(level, text)
const store = outcomesOf(createStore(JSON.parse(options) as StoreOptions, log))
const recorder = createOutcomeRecorder({ store, log })
const outcome = {
  ...{ domain, host: `mx.${domain}`, sendingAddress: undefined, receivingAddress: undefined },
  ...({
    level: 'verified',
    tlsVersion: 'TLSv1.3',
    results: [{ policy: { type: 'no-policy-found', domain } }],
  } as const),
}
let recorded = 0
for (;;) {
  // several kinds, so that a batch is more than one row
  writeSync(1, `recorded ${recorded + 30}\n`)
  for (let kind = 0; kind < 30; kind++, recorded++)
    recorder.record({ ...outcome, at: new Date(Date.UTC(2027, 0, 31, kind % 20)) })
  await recorder.flush()
  writeSync(1, `written ${recorded}\n`)
}
