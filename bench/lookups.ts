/**
 * How many round trips to the resolver, one behind the other, it takes until a host is connected to: each has a delay of
 * 50 ms, and the time from the first query to the connection tells how many there were.
 *
 * @module
 */
import type { Haraka } from '../test/e2e/haraka.ts'
import { startGround, type Ground } from './ground.ts'
import { format, median, type Row } from './row.ts'

/** milliseconds */
const DELAY = 50
const TIMES = 5

/** Milliseconds; 0 where nothing was asked. */
type Waited = number

export async function benchLookups(): Promise<Row[]> {
  const ground = await startGround()
  try {
    ground.declare('warm-up.test')
    for (const haraka of [ground.plain, ground.plugin]) await waitedFor(ground, haraka, 'warm-up.test')
    ground.dns.switches.delay = DELAY
    const cold = await compare(ground, (time) => `cold${time}.test`)
    const warm = await compare(ground, (time) => `cold${time}.test`)
    return [rowOf('lookups: round trips, cold', cold, 3), rowOf('lookups: round trips, warm', warm, 0)]
  } finally {
    await ground.stop()
  }
}

interface Compared {
  readonly plain: Waited[]
  readonly plugin: Waited[]
}

async function compare(ground: Ground, domain: (time: number) => string): Promise<Compared> {
  const compared: Compared = { plain: [], plugin: [] }
  for (let time = 0; time < TIMES; time++) {
    ground.declare(domain(time), `mx.${domain(time)}`)
    for (const which of ['plain', 'plugin'] as const)
      compared[which].push(await waitedFor(ground, ground[which], domain(time)))
  }
  return compared
}

async function waitedFor({ dns, sink }: Ground, haraka: Haraka, domain: string): Promise<Waited> {
  await sink.countAnew()
  dns.forgetQueries()
  await haraka.send({ to: `someone@${domain}` })
  const [first] = dns.queries
  const { firstConnection } = await sink.counted()
  return first === undefined || first.at > firstConnection ? 0 : firstConnection - first.at
}

function rowOf(what: string, { plain, plugin }: Compared, most: number): Row {
  const trips = (waited: readonly Waited[]): number => Math.floor(median(waited) / DELAY)
  const present = (waited: readonly Waited[]): string => `${trips(waited)} (${format(median(waited))} ms)`
  return {
    what,
    plugin: present(plugin),
    plain: present(plain),
    ratio: '',
    limit: `at most ${most}`,
    holds: trips(plugin) <= most,
  }
}
