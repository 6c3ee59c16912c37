/**
 * Deliveries per second and CPU per delivery, beside plain Haraka with opportunistic TLS: the same mail server, the same
 * messages, one connection for each.
 *
 * The messages are queued first, while delivery is disabled, so that only deliveries are measured. The two take turns.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Haraka } from '../test/e2e/haraka.ts'
import { startGround, type Ground } from './ground.ts'
import { format, median, type Row } from './row.ts'

const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 500)
const PAIRS = Number(process.env.BENCH_PAIRS ?? 5)
export const DOMAINS = 10

/** Of Linux, in milliseconds: what a tick in /proc is. */
const TICK = 10

interface Measured {
  readonly perSecond: number
  /** milliseconds */
  readonly cpuPerDelivery: number
}

export async function benchDelivery(): Promise<Row[]> {
  const ground = await startGround()
  try {
    for (let index = 0; index < DOMAINS; index++) ground.declare(`domain${index}.test`)
    for (const haraka of [ground.plain, ground.plugin]) await deliver(ground, haraka, MESSAGES) // warms up both
    const plain: Measured[] = []
    const plugin: Measured[] = []
    for (let pair = 0; pair < PAIRS; pair++) {
      const turns = [() => measure(ground, ground.plain, plain), () => measure(ground, ground.plugin, plugin)]
      for (const turn of pair % 2 === 0 ? turns : turns.toReversed()) await turn()
      console.error(`pair ${pair + 1}: plain ${present(plain.at(-1))}, with the plugin ${present(plugin.at(-1))}`)
    }
    return rowsOf(plain, plugin)
  } finally {
    await ground.stop()
  }
}

async function measure(ground: Ground, haraka: Haraka, results: Measured[]): Promise<void> {
  results.push(await deliver(ground, haraka, MESSAGES))
}

function present(measured?: Measured): string {
  return measured === undefined ? '' : `${format(measured.perSecond)}/s ${format(measured.cpuPerDelivery)} ms`
}

function rowsOf(plain: readonly Measured[], plugin: readonly Measured[]): Row[] {
  const row = (
    what: string,
    unit: string,
    value: (one: Measured) => number,
    atLeast?: number,
    atMost?: number,
  ): Row => {
    const ratio = median(plugin.map((one, pair) => value(one) / value(plain[pair] ?? one)))
    const holds = ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Infinity)
    return {
      what,
      plugin: `${format(median(plugin.map(value)))} ${unit}`,
      plain: `${format(median(plain.map(value)))} ${unit}`,
      ratio: ratio.toFixed(2),
      limit: atLeast === undefined ? `at most ${atMost?.toFixed(2)}` : `at least ${atLeast.toFixed(2)}`,
      holds,
    }
  }
  return [
    row('delivery: rate', '/s', ({ perSecond }) => perSecond, 1),
    row('delivery: CPU per delivery', 'ms', ({ cpuPerDelivery }) => cpuPerDelivery, undefined, 1.05),
  ]
}

/** Queues messages to the domains of the ground, one after the other, and delivers them. */
export async function deliver({ sink }: Ground, haraka: Haraka, messages: number): Promise<Measured> {
  await enableDelivery(haraka, false)
  const numbers = Array.from({ length: messages }, (_, number) => number)
  const queueSome = async (): Promise<void> => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop())
      await haraka.submit({ to: `user${number}@domain${number % DOMAINS}.test` })
  }
  await Promise.all(Array.from({ length: 8 }, queueSome))
  await sink.countAnew()
  await sleep(500)

  const before = cpuOf(haraka.pid)
  await enableDelivery(haraka, true)
  while (haraka.queueFiles().length > 0) await sleep(20)
  const cpu = cpuOf(haraka.pid) - before

  const { messages: accepted, overTls, connections, firstMessage, lastMessage } = await sink.counted()
  if (accepted !== messages || overTls !== messages || connections !== messages)
    throw new Error(`${accepted} of ${messages} came, ${overTls} over TLS, with ${connections} connections`)
  return { perSecond: ((messages - 1) * 1000) / (lastMessage - firstMessage), cpuPerDelivery: cpu / messages }
}

/** Core asks every second whether it may go on. */
async function enableDelivery(haraka: Haraka, enabled: boolean): Promise<void> {
  await haraka.reconfigure('outbound.ini', { main: { local_mx_ok: true, concurrency_max: 20, disabled: !enabled } })
}

/** User and system time of a process so far, in milliseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK
}
