/**
 * Runs within a network of its own, where 127.0.0.1 is the resolver and policy hosts have port 443, and prints what it measured.
 *
 * @module
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DOMAINS, forSeconds, rate, WARM_UP } from './names.ts'
import { startOurs } from './ours.ts'
import { startPeer } from './peer.ts'
import type { Side } from './side.ts'

const ROUNDS = 7
const SECONDS = 1

/** Decisions a second, for each round. */
interface Measured {
  readonly cold: number[]
  readonly warm: number[]
}

export interface Measurements {
  readonly ours: Measured
  /** with the cache that Debian configures */
  readonly sqlite: Measured
  /** with its cache in memory */
  readonly internal: Measured
}

const [folder = ''] = process.argv.slice(2)
const rootFile = join(folder, 'root.pem')
const servers = fork(join(import.meta.dirname, 'servers.ts'), [rootFile])
await once(servers, 'message')

const sides: Readonly<Record<keyof Measurements, () => Side | Promise<Side>>> = {
  ours: () => startOurs(rootFile),
  sqlite: () => startPeer(rootFile, 'sqlite'),
  internal: () => startPeer(rootFile, 'internal'),
}
const measured: Measurements = {
  ours: { cold: [], warm: [] },
  sqlite: { cold: [], warm: [] },
  internal: { cold: [], warm: [] },
}
for (let round = 0; round < ROUNDS; round++)
  for (const name of Object.keys(sides) as (keyof Measurements)[]) {
    const side = await sides[name]()
    await rate(WARM_UP, side.decide)
    measured[name].cold.push(await rate(DOMAINS, side.decide))
    await rate(forSeconds(SECONDS), side.decide)
    measured[name].warm.push(await rate(forSeconds(SECONDS), side.decide))
    await side.stop()
  }
servers.disconnect()
console.log(JSON.stringify(measured))
