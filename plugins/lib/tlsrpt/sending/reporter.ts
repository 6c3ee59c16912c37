/**
 * The worker that sends reports. Every worker of every host has one; the one that holds the lease works, the others wait for it to die.
 *
 * @module
 */

import { createClockGuard, createLeapWatch } from '../../store'
import { HOUR, MINUTE } from '../../time'
import { createStatusRecorder } from './delivery-status'
import { followRequests } from './follow'
import { createLeaseKeeper, type LeaseOptions } from './lease'
import type { ReportKey } from './entry'
import { createPump, type PumpOptions } from './pump'
import { scheduleReports, type ScheduleOptions } from './schedule'
import type { ReporterSettings } from './settings'
import { createStoreClock } from './store-clock'
import { createThrottle } from './throttle'

export interface ReporterOptions
  extends
    Omit<LeaseOptions, 'ledger' | 'log'>,
    Omit<ScheduleOptions, 'settings' | 'store' | 'isClockSteady' | 'now'>,
    Omit<PumpOptions, 'throttle' | 'statuses' | 'lease' | 'store' | 'now'> {
  readonly store: ScheduleOptions['store'] & PumpOptions['store']
  /** undefined: something is missing without which nothing can be sent */
  readonly settings: () => ReporterSettings | undefined
  /** for how long reports that are over can be shown: milliseconds */
  readonly retention: () => number
}

/** What Haraka's queue says of a mail with a report, in any worker; it is recorded as soon as the store can be used. */
export interface QueueEvents {
  readonly delivered: (key: ReportKey, rua: string, text: string) => Promise<void>
  readonly deferred: (key: ReportKey, rua: string, text: string) => Promise<void>
  /** @param isRefused - the receiver has said that it will never take it */
  readonly bounced: (key: ReportKey, rua: string, text: string, isRefused: boolean) => Promise<void>
}

export interface Reporter extends QueueEvents {
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
/** How long a clock goes on evenly before it is believed against what is written down: as long as one that leaps is in doubt. */
const QUARTER = 15 * MINUTE

/** Makes it; nothing happens before it is started. */
export function createReporter(given: ReporterOptions): Reporter {
  const { ledger, log, clock, random } = given
  const time = createStoreClock(ledger, clock)
  const options = { ...given, now: time.now }
  const statuses = createStatusRecorder(ledger, log)
  const lease = createLeaseKeeper(options)
  const throttle = createThrottle(clock, random)
  const pump = createPump({ ...options, throttle, statuses, lease: lease.held })
  const jobs = new Map<string, Promise<void>>()
  const doneAt = new Map<string, number>()
  let guards: ClockGuards | undefined
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
    await statuses.retry()
    const settings = options.settings()
    if (settings === undefined || !(await lease.keep()) || !(await time.sync())) return
    guards ??= createClockGuards(options)
    const { isInDoubt, isSteady, isClockSteady } = guards
    const held = lease.held()
    if (held === undefined) return
    await followRequests(ledger, held, log, time.now)
    if (isInDoubt()) return // hours that are closed stay closed, and what is given up is given up
    begin('schedule', MINUTE, () => scheduleReports({ ...options, settings, isClockSteady: isClockSteady() }, held))
    begin('send', 0, () => pump.run(settings))
    if (isSteady()) begin('clean up', 0, () => ledger.removeOld(time.now() - options.retention()))
  }
  const start = (): void => {
    timer ??= setInterval(() => begin('look', 0, look), LOOK_EVERY).unref()
  }
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    pump.stop()
    await idle()
    await statuses.retry()
    await lease.giveBack()
  }
  const { recordDeliveryStatus: record } = statuses
  const failed = (note: string, isRefused: boolean) =>
    ({ status: 'failed', note, nextAt: Infinity, attempt: undefined, isRefused }) as const
  return {
    look,
    idle,
    start,
    stop,
    delivered: (key, rua, text) => record(key, rua, { status: 'accepted', note: text }),
    deferred: (key, rua, text) => record(key, rua, { status: 'deferred', note: text }),
    bounced: (key, rua, text, isRefused) => record(key, rua, failed(text, isRefused)),
  }
}

type ClockGuards = ReturnType<typeof createClockGuards>

/** They are made when the store has told its time. */
function createClockGuards({ log, now, clock }: Pick<ScheduleOptions, 'log' | 'now'> & Pick<LeaseOptions, 'clock'>) {
  return {
    isSteady: createClockGuard(now, clock, HOUR),
    isClockSteady: createClockGuard(now, clock, QUARTER),
    isInDoubt: createLeapWatch(now, clock, (by) => {
      log(
        'notice',
        `the clock was set ahead by ${Math.round(by / HOUR)} hours: TLS reports wait for a while, in case it is set back`,
      )
    }),
  }
}
