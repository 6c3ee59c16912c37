/**
 * The worker that sends reports. Every worker of every host has one; the one that holds the lease works, the others wait for it to die.
 *
 * @module
 */

import { createLeapWatch, createSteadiness } from '../store'
import { followRequests } from './follow'
import { createLeaseKeeper, type LeaseOptions } from './lease'
import type { ReportKey } from './ledger'
import { createNewsDesk } from './news'
import { createPump, type PumpOptions } from './pump'
import { scheduleReports, type ScheduleOptions } from './schedule'
import type { ReporterSettings } from './settings'
import { createThrottle } from './throttle'

export interface ReporterOptions
  extends
    Omit<LeaseOptions, 'ledger' | 'log'>,
    Omit<ScheduleOptions, 'settings' | 'store' | 'isClockSteady'>,
    Omit<PumpOptions, 'throttle' | 'news' | 'lease' | 'store'> {
  readonly store: ScheduleOptions['store'] & PumpOptions['store']
  /** undefined: something is missing without which nothing can be sent */
  readonly settings: () => ReporterSettings | undefined
  /** for how long reports that are over can be shown: milliseconds */
  readonly retention: () => number
}

/** What Haraka's queue says of a mail with a report, in whichever worker; it is written down as soon as it can be. */
export interface QueueNews {
  readonly delivered: (key: ReportKey, rua: string, text: string) => Promise<void>
  readonly deferred: (key: ReportKey, rua: string, text: string) => Promise<void>
  readonly bounced: (key: ReportKey, rua: string, text: string) => Promise<void>
}

export interface Reporter extends QueueNews {
  /** Looks what there is to do, begins to do it, and does not wait for its end. */
  readonly look: () => Promise<void>
  /** When what has been begun is done. */
  readonly idle: () => Promise<void>
  /** Looks every few seconds from now on. */
  readonly start: () => void
  /** Begins nothing more, waits for what is under way, and gives the lease back. The ledger stays open. */
  readonly stop: () => Promise<void>
}

const LOOK_EVERY = 2000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** How long a clock goes on evenly before it is believed against what is written down: as long as one that leaps is in doubt. */
const QUARTER = 15 * MINUTE

/** Makes it; nothing happens before it is started. */
export function createReporter(options: ReporterOptions): Reporter {
  const { ledger, log, now, clock, random } = options
  const news = createNewsDesk(ledger, log)
  const lease = createLeaseKeeper(options)
  const throttle = createThrottle(clock, random)
  const pump = createPump({ ...options, throttle, news, lease: lease.held })
  const isSteady = createSteadiness(now, clock, HOUR)
  const isClockSteady = createSteadiness(now, clock, QUARTER)
  const isInDoubt = createLeapWatch(now, clock, (by) => {
    log(
      'notice',
      `the clock was set ahead by ${Math.round(by / HOUR)} hours: TLS reports wait for a while, in case it is set back`,
    )
  })
  const jobs = new Map<string, Promise<void>>()
  const doneAt = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  /** Begins a job that is not under way, and was not begun within `every`. */
  const begin = (name: string, every: number, job: () => Promise<unknown>): void => {
    if (jobs.has(name) || clock() - (doneAt.get(name) ?? -Infinity) < every) return
    doneAt.set(name, clock())
    const working = job()
      .catch((error: unknown) => log('error', `TLS reports, ${name}: ${String(error)}`))
      .then(() => void jobs.delete(name))
    jobs.set(name, working)
  }
  const idle = async (): Promise<void> => {
    while (jobs.size > 0) await Promise.all(jobs.values())
    await pump.idle()
  }
  const look = async (): Promise<void> => {
    await news.writeKept()
    const settings = options.settings()
    if (settings === undefined || !(await lease.keep())) return
    const held = lease.held()
    if (held === undefined) return
    await followRequests(ledger, held, log, now)
    if (isInDoubt()) return // hours that are closed stay closed, and what is given up is given up
    begin('schedule', MINUTE, () => scheduleReports({ ...options, settings, isClockSteady: isClockSteady() }, held))
    begin('send', 0, () => pump.run(settings))
    if (isSteady()) begin('clean up', 0, () => ledger.removeOld(now() - options.retention()))
  }
  const start = (): void => {
    timer ??= setInterval(() => begin('look', 0, look), LOOK_EVERY).unref()
  }
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    pump.stop()
    await idle()
    await news.writeKept()
    await lease.giveBack()
  }
  const failed = (text: string) => ({ status: 'failed', note: text, nextAt: Infinity, attempt: undefined }) as const
  return {
    look,
    idle,
    start,
    stop,
    delivered: (key, rua, text) => news.hear(key, rua, { status: 'accepted', note: text }),
    deferred: (key, rua, text) => news.hear(key, rua, { status: 'deferred', note: text }),
    bounced: (key, rua, text) => news.hear(key, rua, failed(text)),
  }
}
