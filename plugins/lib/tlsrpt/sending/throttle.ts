/**
 * How many reports one host gets, and at once. One receiver must not be flooded, for it may ask for the reports of all the domains it
 * serves; and one that is slow must not keep the others from theirs.
 *
 * @module
 */

import { MINUTE } from '../../time'
import { hostOf } from './suppression'

/** To one host, by mail and by https. */
export const MOST_A_MINUTE = 300
/** By mail, to all hosts: Haraka's queue takes them in a moment, and has others' mail to deliver besides. */
export const MOST_MAILS_A_MINUTE = 1200
/** To one host by https, at once. */
export const MOST_POSTS_TO_A_HOST = 5
/** To all hosts by https, at once: those that hang do not keep mail from being sent. */
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

/** So many a minute. */
interface Gate {
  minute: number
  begun: number
  /** how many have been told to come later, and whose minute has not come */
  ahead: number
}

interface Host extends Gate {
  /** when those began that are under way by https */
  posts: number[]
  /** what the last of them took: milliseconds */
  duration: number
}

/** How many hosts are remembered before those that have nothing to wait for are forgotten. */
const MANY_HOSTS = 10_000

/**
 * Makes a throttle. A report that has to wait is given a minute of its own among those that wait, so that it is not asked for again and again.
 *
 * @param clock - monotonic, milliseconds
 */
export function createThrottle(clock: () => number, random: () => number): Throttle {
  const hosts = new Map<string, Host>()
  const mails: Gate = { minute: 0, begun: 0, ahead: 0 }
  let posts = 0

  const hostOfRua = (rua: string): Host => {
    if (hosts.size > MANY_HOSTS) forgetIdle(hosts, Math.floor(clock() / MINUTE))
    const host = hosts.get(hostOf(rua)) ?? { minute: 0, begun: 0, ahead: 0, posts: [], duration: 0 }
    hosts.set(hostOf(rua), host)
    return host
  }
  /** How long to wait for a turn, one of those who wait already. */
  const waitFor = (gate: Gate, most: number): number => {
    const minutes = 1 + Math.floor(gate.ahead++ / most)
    return Math.round((gate.minute + minutes + random()) * MINUTE - clock())
  }

  return {
    enter: (rua) => {
      const minute = Math.floor(clock() / MINUTE)
      const host = hostOfRua(rua)
      moveOn(host, minute, mostOf(host))
      moveOn(mails, minute, MOST_MAILS_A_MINUTE)
      const isFull = isPost(rua) && (host.posts.length >= MOST_POSTS_TO_A_HOST || posts >= MOST_POSTS)
      if (isFull || host.begun >= MOST_A_MINUTE) return waitFor(host, mostOf(host))
      if (!isPost(rua) && mails.begun >= MOST_MAILS_A_MINUTE) return waitFor(mails, MOST_MAILS_A_MINUTE)
      host.begun++
      if (isPost(rua)) {
        host.posts.push(clock())
        posts++
      } else mails.begun++
      return undefined
    },
    leave: (rua) => {
      if (!isPost(rua)) return
      const host = hostOfRua(rua)
      const begun = host.posts.shift() ?? clock()
      host.duration = clock() - begun
      posts--
    },
  }
}

function isPost(rua: string): boolean {
  return !rua.startsWith('mailto:')
}

/** How many a minute it can take: of a host that does not answer, no more than have their turn. */
function mostOf({ duration }: Host): number {
  const posts = Math.floor((MOST_POSTS_TO_A_HOST * MINUTE) / Math.max(duration, 1))
  return Math.max(1, Math.min(MOST_A_MINUTE, posts))
}

function moveOn(gate: Gate, minute: number, most: number): void {
  if (gate.minute === minute) return
  gate.ahead = Math.max(0, gate.ahead - most * (minute - gate.minute))
  gate.begun = 0
  gate.minute = minute
}

function forgetIdle(hosts: Map<string, Host>, minute: number): void {
  for (const [name, host] of hosts) if (host.posts.length === 0 && host.minute + 1 < minute) hosts.delete(name)
}
