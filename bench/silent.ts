/**
 * How long a healthy domain that was never seen waits for its connection while a hundred messages are on their way to
 * domains of 32 hosts each whose name servers stay silent.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Haraka } from '../test/e2e/haraka.ts'
import { startGround, type Ground } from './ground.ts'
import { format, median, type Row } from './row.ts'

const MESSAGES = 100
const HOSTS = 32
const TIMES = 5
/** milliseconds that others may cost */
const LIMIT = 1000

export async function benchSilent(): Promise<Row[]> {
  const ground = await startGround(2 * MESSAGES)
  try {
    const { plugin } = ground
    ground.declare('warm-up.test')
    await plugin.send({ to: 'someone@warm-up.test' })
    const alone = await waits(ground, plugin, 'alone')
    for (let n = 0; n < MESSAGES; n++) declareSilent(ground, `bad${n}.test`)
    const bad = Array.from({ length: MESSAGES }, (_, n) => plugin.send({ to: `someone@bad${n}.test` }))
    while (!isUnderWay(ground)) await sleep(10)
    const beside = await waits(ground, plugin, 'beside')
    await Promise.all(bad)
    const cost = Math.max(...beside) - median(alone)
    return [
      {
        what: `wait of a healthy domain beside ${MESSAGES} with silent hosts`,
        plugin: `${format(Math.max(...beside))} ms at most`,
        plain: `alone: ${format(median(alone))} ms`,
        ratio: '',
        limit: `at most ${LIMIT} more`,
        holds: cost <= LIMIT,
      },
    ]
  } finally {
    await ground.stop()
  }
}

function declareSilent({ dns }: Ground, domain: string): void {
  const hosts = Array.from({ length: HOSTS }, (_, n) => `mx${n}.${domain}`)
  dns.declare(domain, { MX: hosts.map((host, index) => `${index} ${host}`), ttl: 3600 })
  for (const host of hosts) dns.declare(host, { trouble: 'timeout' })
}

/** Whether the hosts of all these messages are being looked up. */
function isUnderWay({ dns }: Ground): boolean {
  const asked = new Set(dns.queries.map(({ name }) => name))
  return Array.from({ length: MESSAGES }, (_, n) => `mx0.bad${n}.test`).every((name) => asked.has(name))
}

/** Milliseconds from when a message is queued to its connection, for one new domain after the other. */
async function waits({ declare, sink }: Ground, haraka: Haraka, name: string): Promise<number[]> {
  const waited: number[] = []
  for (let time = 0; time < TIMES; time++) {
    const domain = `${name}${time}.test`
    declare(domain, `mx.${domain}`)
    await sink.countAnew()
    const message = await haraka.submit({ to: `someone@${domain}` })
    const began = performance.timeOrigin + performance.now()
    await haraka.settled(message)
    waited.push((await sink.counted()).firstConnection - began)
  }
  return waited
}
