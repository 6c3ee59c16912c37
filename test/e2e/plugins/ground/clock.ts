/**
 * A clock that a test moves on: all that runs in this process believes it. The time goes on from where it is put.
 *
 * @module
 */

/** Whoever looks again and again within this many milliseconds does so much more often: nobody waits for it. */
const IMPATIENCE = 5000
const HURRY = 20

const realNow = Date.now.bind(Date)
const realClock = performance.now.bind(performance)
let ahead = 0

/** Has the whole process ask this clock. */
export function installClock(): void {
  const real = Date
  real.now = () => realNow() + ahead
  performance.now = () => realClock() + ahead // time that has passed has passed on all clocks
  globalThis.Date = new Proxy(real, {
    construct: (target, given: unknown[], newTarget) =>
      Reflect.construct(target, given.length === 0 ? [target.now()] : given, newTarget) as object,
  })
  const { setInterval: every } = globalThis
  const hurried = (work: () => void, delay = 0): NodeJS.Timeout =>
    every(work, delay <= IMPATIENCE ? delay / HURRY : delay)
  globalThis.setInterval = hurried
}

/** @param at - milliseconds since 1970; the clock is never put back */
export function moveClock(at: number): void {
  ahead = Math.max(ahead, at - realNow())
}
