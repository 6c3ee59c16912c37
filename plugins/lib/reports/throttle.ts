/**
 * How many reports one host gets, and at once. One receiver must not be flooded, for it may ask for the reports of all the domains it
 * serves; and one that is slow must not keep the others from theirs.
 *
 * @module
 */

import { hostOf } from './suppression'

/** To one host, by mail and by https. */
export const MOST_A_MINUTE = 300
/** To one host by https. How many mails are on their way at once is up to Haraka's queue, which takes them in a moment. */
export const MOST_POSTS_TO_A_HOST = 5
/** To all hosts by https: those that hang leave room for mail. */
export const MOST_POSTS = 25

export interface Throttle {
  /**
   * Lets one attempt begin. It must be ended with {@link Throttle.leave}.
   *
   * @returns undefined: it may begin; otherwise how long to wait before asking again, in milliseconds
   */
  enter(rua: string): number | undefined
  leave(rua: string): void
}

const MINUTE = 60_000

interface Host {
  posts: number
  minute: number
  begun: number
  /** how many have been told to come later, and whose minute has not come */
  ahead: number
}

/** How many hosts are remembered before those that have nothing to wait for are forgotten. */
const MANY_HOSTS = 10_000

/**
 * Makes a throttle. Who has to wait is given a minute of its own among those who wait, so that nobody asks again and again.
 *
 * @param clock - monotonic, milliseconds
 */
export function createThrottle(clock: () => number, random: () => number): Throttle {
  const hosts = new Map<string, Host>()
  let posts = 0

  const hostNow = (rua: string): Host => {
    const minute = Math.floor(clock() / MINUTE)
    if (hosts.size > MANY_HOSTS) forgetIdle(hosts, minute)
    const host = hosts.get(hostOf(rua)) ?? { posts: 0, minute, begun: 0, ahead: 0 }
    hosts.set(hostOf(rua), host)
    if (host.minute === minute) return host
    host.ahead = Math.max(0, host.ahead - MOST_A_MINUTE * (minute - host.minute))
    host.begun = 0
    host.minute = minute
    return host
  }

  return {
    enter: (rua) => {
      const host = hostNow(rua)
      const isFull = isPost(rua) && (host.posts >= MOST_POSTS_TO_A_HOST || posts >= MOST_POSTS)
      if (isFull || host.begun >= MOST_A_MINUTE) {
        const minutes = 1 + Math.floor(host.ahead++ / MOST_A_MINUTE)
        return Math.round((host.minute + minutes + random()) * MINUTE - clock())
      }
      host.begun++
      if (!isPost(rua)) return undefined
      host.posts++
      posts++
      return undefined
    },
    leave: (rua) => {
      if (!isPost(rua)) return
      hostNow(rua).posts--
      posts--
    },
  }
}

function isPost(rua: string): boolean {
  return !rua.startsWith('mailto:')
}

function forgetIdle(hosts: Map<string, Host>, minute: number): void {
  for (const [name, host] of hosts) if (host.posts === 0 && host.minute + 1 < minute) hosts.delete(name)
}
