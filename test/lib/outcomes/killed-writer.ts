/**
 * Records sessions as fast as it can and says how many it has recorded, and how many of them are written: killed-writer.ts DOMAIN
 * sqlite PATH, or killed-writer.ts DOMAIN redis PORT. It is meant to be killed.
 */
import { writeSync } from 'node:fs'
import { createRecorder, createRedisOutcomes, createSqliteOutcomes } from '../../../dist/lib/outcomes/index.js'
import { openRedis } from '../../../dist/lib/store/index.js'

const [domain = '', engine = '', where = ''] = process.argv.slice(2)
const log = (level: string, text: string): void => console.error(level, text)

function open(): ReturnType<typeof createSqliteOutcomes> {
  if (engine === 'sqlite') return createSqliteOutcomes({ path: where, log })
  const endpoint = () => Promise.resolve({ host: '127.0.0.1', port: Number(where) })
  const redis = openRedis({ endpoint, purpose: 'tests', log, limit: 10_000 })
  return createRedisOutcomes({ redis, retention: 30 * 86_400_000 })
}

const recorder = createRecorder({ store: open(), log })
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
