/**
 * Runs the benchmarks, or those that are named: `npm run bench -- delivery`.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { repository } from '../test/e2e/package.ts'
import { benchAnalysis } from './analysis.ts'
import { benchChains } from './chains.ts'
import { benchDelivery } from './delivery.ts'
import { benchLookups } from './lookups.ts'
import { benchMemory } from './memory.ts'
import { benchOutcomes } from './outcomes.ts'
import { table, type Row } from './row.ts'
import { benchSilent } from './silent.ts'
import { benchStatus } from './status.ts'
import { benchSts } from './sts.ts'

const benchmarks: Readonly<Record<string, () => Promise<Row[]>>> = {
  analysis: benchAnalysis,
  chains: benchChains,
  delivery: benchDelivery,
  lookups: benchLookups,
  memory: benchMemory,
  outcomes: benchOutcomes,
  silent: benchSilent,
  status: benchStatus,
  sts: benchSts,
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !(name in benchmarks))
if (unknown.length > 0)
  throw new Error(`no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`)

const rows: Row[] = []
for (const [name, run] of Object.entries(benchmarks))
  if (named.length === 0 || named.includes(name)) rows.push(...(await run()))

const core = JSON.parse(readFileSync(join(repository, 'node_modules/Haraka/package.json'), 'utf8')) as {
  version: string
}
const processors = cpus()
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Haraka ${core.version}, ${processors.length} × ${processors[0]?.model}, load ${loadavg()[0]?.toFixed(1)}`,
)
console.log(table(rows))
