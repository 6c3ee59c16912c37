/**
 * A clock that a test moves on, for all threads of this process. The time goes on from where it is put.
 *
 * @module
 */
import { createRequire } from 'node:module'
import { setEnvironmentData, type Worker, type WorkerOptions } from 'node:worker_threads'

/** Whoever looks again and again within this many milliseconds does so much more often: nobody waits for it. */
const IMPATIENCE = 5000
const HURRY = 20

const realNow = Date.now.bind(Date)
const realClock = performance.now.bind(performance)
/** of all threads */
const ahead = new Float64Array(new SharedArrayBuffer(8))
const KEY = 'clock of the test'
/** What a thread begins with. */
const PRELOAD = `data:text/javascript,${encodeURIComponent(`
  import { getEnvironmentData } from 'node:worker_threads'
  const ahead = new Float64Array(getEnvironmentData('${KEY}'))
  const now = Date.now.bind(Date)
  Date.now = () => now() + ahead[0]
`)}`

/** Has the whole process ask this clock. */
export function installClock(): void {
  const real = Date
  real.now = () => realNow() + moved()
  performance.now = () => realClock() + moved() // time that has passed has passed on all clocks
  globalThis.Date = new Proxy(real, {
    construct: (target, given: unknown[], newTarget) =>
      Reflect.construct(target, given.length === 0 ? [target.now()] : given, newTarget) as object,
  })
  const { setInterval: every } = globalThis
  const hurried = (work: () => void, delay = 0): NodeJS.Timeout =>
    every(work, delay <= IMPATIENCE ? delay / HURRY : delay)
  globalThis.setInterval = hurried
  installInThreads()
}

const moved = (): number => ahead[0] ?? 0

function installInThreads(): void {
  setEnvironmentData(KEY, ahead.buffer)
  const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: typeof Worker }
  threads.Worker = class extends threads.Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      super(file, { ...options, execArgv: [...(options.execArgv ?? []), '--import', PRELOAD] })
    }
  }
}

/** @param at - milliseconds since 1970; the clock is never put back */
export function moveClock(at: number): void {
  ahead[0] = Math.max(moved(), at - realNow())
}
