/**
 * A process of its own for each thing that is measured, on one side: `inside.ts SIDE record|pace|sum|compose PLACE`. Prints what it measured.
 *
 * @module
 */
import { existsSync, statSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionOutcome } from '../../dist/lib/tlsrpt/counting/index.js'
import { composeReport, fitReport, makeReportId, type PolicyFacts } from '../../dist/lib/tlsrpt/format/index.js'
import { median } from '../row.ts'
import { openNothing, openOurs, openOursOnPostgres } from './ours.ts'
import { openPeerOnPostgres } from './peer-postgres.ts'
import { openPeer } from './peer.ts'
import type { Side } from './side.ts'
import { sessions, SESSIONS, TODAY } from './workload.ts'

/** Between two pieces, whoever records has something else to do. */
const PIECE = 1000
const PER_SECOND = 5000
/** Seconds in which sessions come evenly. */
const ROUND = 3
/** The machine may be busy with something else in some of them. */
const ROUNDS = 5
const SUMMINGS = 3
/** How long both add up before it counts: milliseconds. A worker has been at it for days. */
const WARM_UP = 5000
/** Reports that are made at once: as many as the plugin does. */
const AT_ONCE = 50

export interface Measured {
  /** a second of CPU time */
  readonly rate: number
  /** bytes of the files */
  readonly size: number
  /** of the event loop, the longest in each round: milliseconds */
  readonly delays: readonly number[]
  /** the same while nothing is recorded: what the machine does to anybody */
  readonly idleDelays: readonly number[]
  /** of CPU time, for all domains: seconds */
  readonly seconds: number
  /** sessions in all reports */
  readonly sum: number
  /** beyond what the process had before: bytes */
  readonly memory: number
}

const works = {
  record: async (side: Side): Promise<Partial<Measured>> => {
    const cpu = measureCpu()
    for (let number = 0; number < SESSIONS; number += PIECE) {
      for (const outcome of sessions(number, Math.min(PIECE, SESSIONS - number))) side.record(outcome)
      await side.flush()
    }
    return { rate: SESSIONS / cpu(), size: existsSync(place) ? statSync(place).size : 0 }
  },

  pace: async (side: Side): Promise<Partial<Measured>> => {
    const delays: number[] = []
    const idleDelays: number[] = []
    await evenly(side.record, SESSIONS) // warms up
    for (let round = 0; round < ROUNDS; round++) {
      delays.push(await longestDelay(() => evenly(side.record, SESSIONS + (round + 1) * ROUND * PER_SECOND)))
      await side.flush()
      idleDelays.push(await longestDelay(() => evenly(() => undefined, 0)))
    }
    return { delays, idleDelays }
  },

  sum: async (side: Side): Promise<Partial<Measured>> => {
    for (const begun = performance.now(); performance.now() - begun < WARM_UP;)
      await forAll(side, () => Promise.resolve())
    const times: number[] = []
    for (let round = 0; round < SUMMINGS; round++) times.push((await forAll(side, () => Promise.resolve())).seconds)
    return { seconds: median(times) }
  },

  compose: (side: Side) => {
    let number = 0
    return forAll(side, async (policies) => {
      const parties = { organization: 'Example', contact: 'tls@example.org' }
      const reportId = makeReportId('example.org', TODAY, `u${number++}`)
      await fitReport(composeReport({ ...parties, reportId, period: TODAY, policies }).report, 26_214_400)
    })
  },
}

/** Of the event loop, while something goes on: milliseconds. */
async function longestDelay(work: () => Promise<void>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await work()
  histogram.disable()
  return histogram.max / 1e6
}

async function evenly(record: Side['record'], from: number): Promise<void> {
  const begun = performance.now()
  const upcoming = sessions(from, ROUND * PER_SECOND)
  for (let done = 0; done < ROUND * PER_SECOND;) {
    const due = Math.min(ROUND * PER_SECOND, ((performance.now() - begun) * PER_SECOND) / 1000)
    for (; done < due; done++) record(upcoming.next().value as SessionOutcome)
    await sleep(1)
  }
}

/** Of all threads; what others do on the machine hardly matters to it. @returns seconds since the call */
function measureCpu(): () => number {
  const begun = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(begun)
    return (user + system) / 1e6
  }
}

async function forAll(
  side: Side,
  work: (policies: readonly PolicyFacts[]) => Promise<void>,
): Promise<Pick<Measured, 'seconds' | 'sum' | 'memory'>> {
  const before = process.memoryUsage.rss()
  const cpu = measureCpu()
  let sum = 0
  for (let after = ''; ;) {
    const page = await side.domains(after, 500)
    if (page.length === 0) break
    for (let from = 0; from < page.length; from += AT_ONCE) {
      const each = await side.facts(page.slice(from, from + AT_ONCE))
      for (const { successes, failures } of each.flat()) sum += successes + failures
      await Promise.all(each.map(work))
    }
    after = page.at(-1) ?? ''
  }
  const seconds = cpu()
  return { seconds, sum, memory: process.resourceUsage().maxRSS * 1024 - before }
}

/** the path of a SQLite file, or a PostgreSQL URL */
const [name = '', work = '', place = ''] = process.argv.slice(2)
const sides = {
  ...{ ours: openOurs, nothing: openNothing, peer: openPeer },
  ...{ 'ours on PostgreSQL': openOursOnPostgres, 'peer on PostgreSQL': openPeerOnPostgres },
}
const side = sides[name as keyof typeof sides](place)
const measured = await works[work as keyof typeof works](side)
side.close()
console.log(JSON.stringify(measured))
