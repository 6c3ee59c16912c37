/**
 * The memory of a real Haraka after 5,000 and after 15,000 deliveries, beside that of plain Haraka: what a delivery leaves behind.
 *
 * @module
 */
import type { Haraka } from '../test/e2e/haraka.ts'
import { deliver, DOMAINS } from './delivery.ts'
import { startGround, type Ground } from './ground.ts'
import { format, type Row } from './row.ts'

/** Deliveries before the first measurement: caches and heap have grown by then. */
const FIRST = 5000
const MORE = 10_000
/** Messages that are queued at a time. */
const PIECE = 1000
/** Octets for each delivery, more than plain Haraka grows by. */
const LIMIT = 1000

export async function benchMemory(): Promise<Row[]> {
  process.env.NODE_OPTIONS = '--expose-gc' // what a heap has not collected yet differs by more than what is measured
  const ground = await startGround()
  try {
    for (let index = 0; index < DOMAINS; index++) ground.declare(`domain${index}.test`)
    const plain = await growth(ground, ground.plain, 'plain')
    const plugin = await growth(ground, ground.plugin, 'with the plugin')
    return [
      {
        what: `memory: growth for each of ${MORE} deliveries`,
        plugin: `${format(plugin)} octets`,
        plain: `${format(plain)} octets`,
        ratio: '',
        limit: `at most ${LIMIT} more`,
        holds: plugin - plain <= LIMIT,
      },
    ]
  } finally {
    await ground.stop()
  }
}

async function growth(ground: Ground, haraka: Haraka, name: string): Promise<number> {
  const deliverAll = async (messages: number): Promise<number> => {
    for (let done = 0; done < messages; done += PIECE) await deliver(ground, haraka, PIECE)
    const [octets = NaN] = await haraka.memory()
    console.error(`memory, ${name}: ${(octets / 1e6).toFixed(1)} MB`)
    return octets
  }
  const before = await deliverAll(FIRST)
  return ((await deliverAll(MORE)) - before) / MORE
}
