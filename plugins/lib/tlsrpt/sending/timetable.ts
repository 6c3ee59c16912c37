/**
 * Which period of which domains comes next (RFC 8460 §4.1, R9).
 *
 * Domains are in groups: those with a `[domain:…]` section each have their own, all others share one. For each group the timetable
 * knows up to where everything is scheduled, and how long the period is that begins there. That length was settled when the period
 * began, so a change of `send` takes effect with the next period, and no hour is in two periods or in none.
 *
 * @module
 */

import { periodAt, periodsBetween, type Period, type PeriodLength } from '../format'
import type { Timetable } from './entry'

export type Sending = PeriodLength | 'never'

/** How often reports are sent, as it is configured now. */
export interface Frequencies {
  readonly send: Sending
  /** of the domains that have a section */
  readonly domains: ReadonlyMap<string, Sending>
}

/** The group of the domains that have no section. */
export const OTHER_DOMAINS = ''

/** What lies further ahead of the clock was written down while the clock was wrong: milliseconds. Zones and DST are no reason in UTC. */
export const FAR_AHEAD = 24 * 3_600_000
/**
 * How far back periods are scheduled: milliseconds. A schedule that began in 1970, as clocks without a battery have it, would have half a
 * million hours to catch up with; and a report that is older than a month is of no use.
 */
const CATCH_UP = 30 * 24 * 3_600_000

/**
 * What is to be done next. Timetables are saved when it is done: until then nothing that they depend on is forgotten, and what is
 * done again comes out the same.
 */
export interface Step {
  /** whose reports on which period are to be scheduled; undefined: only the timetables have changed */
  readonly scheduled: { readonly group: string; readonly period: Period } | undefined
  readonly timetables: readonly Timetable[]
}

/**
 * The next step; undefined: everything is scheduled that can be.
 *
 * @param until - an hour before which all hours are closed, in milliseconds since 1970
 */
export function nextStep(timetables: readonly Timetable[], frequencies: Frequencies, until: number): Step | undefined {
  const regrouped = regroup(timetables, frequencies, until)
  if (regrouped !== undefined) return { scheduled: undefined, timetables: regrouped }

  const idle = timetables.map((table) => passIdleTime(table, frequencies, until))
  if (idle.some((table, index) => table !== timetables[index])) return { scheduled: undefined, timetables: idle }

  const [first] = timetables
    .map((table) => ({ table, period: periodUnderWay(table, until) }))
    .filter(({ period }) => period !== undefined)
    .sort((a, b) => (a.period?.end ?? 0) - (b.period?.end ?? 0))
  if (first?.period === undefined) return undefined
  const { table, period } = first
  const next = { group: table.group, through: period.end, length: sendingOf(frequencies, table.group) }
  return {
    scheduled: { group: table.group, period },
    timetables: timetables.map((other) => (other === table ? next : other)),
  }
}

/** The groups whose domains are not in {@link OTHER_DOMAINS}. */
export function groupsOf(timetables: readonly Timetable[]): ReadonlySet<string> {
  return new Set(timetables.map(({ group }) => group).filter((group) => group !== OTHER_DOMAINS))
}

function sendingOf({ send, domains }: Frequencies, group: string): Sending {
  return domains.get(group) ?? send
}

/**
 * The timetables with the groups that there are now; undefined: nothing has changed. A domain that gets a section goes on where all
 * others are. One that has lost it stays by itself until it has reached the others.
 */
function regroup(
  timetables: readonly Timetable[],
  frequencies: Frequencies,
  until: number,
): readonly Timetable[] | undefined {
  const { domains } = frequencies
  const others = timetables.find(({ group }) => group === OTHER_DOMAINS)
  if (others === undefined) return [OTHER_DOMAINS, ...domains.keys()].map((group) => begin(group, frequencies, until))

  const kept = timetables.filter(
    ({ group, through, length }) =>
      group === OTHER_DOMAINS || domains.has(group) || through !== others.through || length !== others.length,
  )
  const known = groupsOf(kept)
  const joined = [...domains.keys()].filter((group) => !known.has(group)).map((group) => ({ ...others, group }))
  return joined.length === 0 && kept.length === timetables.length ? undefined : [...kept, ...joined]
}

/** The first period is the whole of the one that is under way: what was counted before there was a timetable belongs to it. */
function begin(group: string, frequencies: Frequencies, until: number): Timetable {
  const length = sendingOf(frequencies, group)
  return { group, through: length === 'never' ? until : periodAt(length, until).start, length }
}

/**
 * The timetables without what a wrong clock has made of them, and what that was; undefined: nothing is wrong. One that lies far ahead
 * begins anew; one that is far behind leaves out what is too old.
 *
 * @param until - see {@link nextStep}
 */
export function correctTimetables(
  timetables: readonly Timetable[],
  frequencies: Frequencies,
  until: number,
): { readonly timetables: readonly Timetable[]; readonly wrong: string } | undefined {
  const corrected = timetables.map((table) => correct(table, frequencies, until))
  const wrong = timetables.find((table, index) => table !== corrected[index])
  if (wrong === undefined) return undefined
  return {
    timetables: corrected,
    wrong: `TLS reports were scheduled up to ${new Date(wrong.through).toISOString()}`,
  }
}

function correct(table: Timetable, frequencies: Frequencies, until: number): Timetable {
  if (table.through > until + FAR_AHEAD) return begin(table.group, frequencies, until)
  if (table.length === 'never') return table
  const oldest = periodAt(table.length, until - CATCH_UP).start
  return table.through < oldest ? { ...table, through: oldest } : table
}

/** Hours of which nothing is to be reported just pass. */
function passIdleTime(table: Timetable, frequencies: Frequencies, until: number): Timetable {
  if (table.length !== 'never' || table.through >= until) return table
  return { group: table.group, through: until, length: sendingOf(frequencies, table.group) }
}

function periodUnderWay({ length, through }: Timetable, until: number): Period | undefined {
  if (length === 'never') return undefined
  for (const period of periodsBetween(length, through, until)) return period
  return undefined
}
