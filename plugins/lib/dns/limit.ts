/**
 * Which lookups go out when: fairly by domain, so that a domain whose names get no answer holds up no other.
 *
 * @module
 */

/**
 * How long a lookup holds a place, in milliseconds. One without an answer by then has left the receive buffer of our
 * name server, and waits for another one's. MX, addresses and TLSA together wait less than a second for their places.
 */
const HOLD = 250
/** Places. More queries at once overflow the receive buffer of a name server. With {@link HOLD}, 400 silent names a second: 2,000 sockets in a time-out of 5 s. */
const MAX_PLACES = 100
/** Places of one group: A and AAAA of eight hosts. */
const MAX_PLACES_OF_GROUP = 16

interface Group {
  /** places that it holds */
  places: number
  /** lookups without an answer, with a place or not */
  underWay: number
  readonly waiting: Waiting[]
}

interface Waiting {
  readonly until: number
  readonly resolve: (leave: (() => void) | undefined) => void
}

/**
 * Waits for a place. The group with the fewest lookups under way has the next one, its lookups in the order in which
 * they came.
 *
 * @returns what is to be called when the lookup has ended; undefined: no place has been free in time
 */
export type Enter = (group: string) => Promise<(() => void) | undefined>

/**
 * @param timeout - milliseconds that a lookup waits for its place while others of its group are under way
 * @param now - monotonic, in milliseconds
 */
export function createLimit(timeout: number, now: () => number): Enter {
  const groups = new Map<string, Group>()
  let places = 0

  const begin = (name: string, group: Group): (() => void) => {
    let holdsPlace = true
    const giveWay = (): void => {
      clearTimeout(hold)
      if (!holdsPlace) return
      holdsPlace = false
      places--
      group.places--
      admit()
    }
    places++
    group.places++
    group.underWay++
    groups.delete(name)
    groups.set(name, group) // behind those that have as many under way
    const hold = setTimeout(giveWay, HOLD).unref() // the lookup's own time-out keeps the process alive
    return () => {
      group.underWay--
      giveWay()
      if (group.underWay === 0 && group.waiting.length === 0) groups.delete(name)
    }
  }

  const admit = (): void => {
    dropLate(groups, now())
    while (places < MAX_PLACES) {
      const [name, group] = nextOf(groups) ?? []
      if (name === undefined || group === undefined) return
      group.waiting.shift()?.resolve(begin(name, group))
    }
  }

  return (name) =>
    new Promise((resolve) => {
      const group = groups.get(name) ?? { places: 0, underWay: 0, waiting: [] }
      groups.set(name, group)
      group.waiting.push({ until: now() + timeout, resolve })
      admit()
    })
}

/** Of those that wait and may have another place, the one with the least under way; of several, the one that had its turn longest ago. */
function nextOf(groups: ReadonlyMap<string, Group>): [string, Group] | undefined {
  let next: [string, Group] | undefined
  for (const entry of groups) {
    const [, { waiting, places, underWay }] = entry
    if (waiting.length === 0 || places >= MAX_PLACES_OF_GROUP) continue
    if (next === undefined || underWay < next[1].underWay) next = entry
  }
  return next
}

/**
 * The caller has given up by now: without this, the lookups of a group that asks for too much pile up. A group with
 * nothing under way waits because of others, and is never failed for it.
 */
function dropLate(groups: ReadonlyMap<string, Group>, now: number): void {
  for (const group of groups.values()) {
    const late = group.underWay === 0 ? 0 : group.waiting.findIndex(({ until }) => until > now)
    for (const { resolve } of group.waiting.splice(0, late < 0 ? group.waiting.length : late)) resolve(undefined)
  }
}
