/**
 * The failure details of one policy, added up as they come: those that say the same become one, and whatever their number, only so
 * many are kept apart.
 *
 * @module
 */

import { canonicalAddress, FOLDED, resultTypes } from '../format'
import { countOf, domainOf, isObject, shown, textOf, type JsonObject } from './fields'
import type { ReportNotes } from './notes'
import { refuse } from './refusal'
import type { ReceivedDetail } from './report'

export interface Details {
  /** @throws RefusedError `invalid-count` */
  add(values: readonly unknown[]): void
  /**
   * Those of one policy, and how many sessions they stand for; begins anew then.
   *
   * @param failures - of the summary: a single detail that has no count stands for all of them. Several share no guess
   */
  take(failures: number | undefined): { readonly details: readonly ReceivedDetail[]; readonly count: number }
}

/** In one report, all its policies together. What is more says no more to people. */
const MOST_APART = 1000
const LONGEST_TEXT = 255
const LONGEST_URI = 1000

const known: ReadonlySet<string> = new Set(resultTypes)

/** Whether a result type is one of RFC 8460 §4.3. */
export function isResultType(type: string): type is (typeof resultTypes)[number] {
  return known.has(type)
}

interface Counted {
  readonly detail: Omit<ReceivedDetail, 'count'>
  count: number
  /** none of those that are counted here said how many sessions it is about */
  isUncounted: boolean
}

/** For all policies of a report, one after the other. */
export function createDetails(notes: ReportNotes): Details {
  let byText = new Map<string, Counted>()
  let folded = new Map<string, Counted>()
  let left = MOST_APART

  /** The entry where a detail is counted: one for each that differs, up to the limit. */
  const placeOf = (value: JsonObject): Counted => {
    const key = keyOf(value)
    const place = byText.get(key)
    if (place !== undefined) return place
    if (left === 0) return foldedPlace(value)
    left--
    const fresh = { detail: readDetail(value, notes), count: 0, isUncounted: true }
    byText.set(key, fresh)
    return fresh
  }

  const foldedPlace = (value: JsonObject): Counted => {
    notes.add('details-folded', `details beyond ${MOST_APART} that differ are one for each result type`)
    const type = value['result-type']
    const name = typeof type === 'string' && isResultType(type) ? type : 'other'
    const place = folded.get(name) ?? { detail: { type: name, reason: FOLDED }, count: 0, isUncounted: true }
    folded.set(name, place)
    return place
  }

  return {
    add: (values) => {
      for (const value of values) {
        if (isObject(value)) {
          const place = placeOf(value)
          const count = countOf(value['failed-session-count'], 'failed-session-count', notes)
          place.count += count ?? 0
          if (count !== undefined) place.isUncounted = false
        } else notes.add('not-an-object', `a failure detail is ${shown(value)}`)
      }
    },
    take: (failures) => {
      const places = [...merged(byText.values()), ...folded.values()]
      byText = new Map()
      folded = new Map()
      const [first] = places
      if (failures && places.length === 1 && first?.isUncounted) {
        first.count = failures
        notes.add('count-of-summary', 'the only failure detail has no count: it stands for all failures of its policy')
      }
      const details = places.map(({ detail, count }) => ({ ...detail, count }))
      const count = details.reduce((sum, detail) => sum + detail.count, 0)
      if (!Number.isSafeInteger(count)) refuse('invalid-count', 'failed-session-count: absurd in sum')
      return { details, count }
    },
  }
}

/** What is the same before it is read is the same afterwards, and most details are like others. One template: it is made for all of them. */
function keyOf(value: JsonObject): string {
  const from = `${plain(value['sending-mta-ip'])}\0${plain(value['result-type'])}\0${plain(value['failure-reason-code'])}`
  const to = `${plain(hostNameIn(value))}\0${plain(value['receiving-ip'])}\0${plain(value['receiving-mx-helo'])}`
  return `${from}\0${to}\0${plain(value['additional-information'])}`
}

/** SocketLabs spells the field in its own way. */
function hostNameIn(value: JsonObject): unknown {
  return value['receiving-mx-hostname'] ?? value['receiving-mx-host-name']
}

function plain(value: unknown): string | number {
  return typeof value === 'string' || typeof value === 'number' ? value : ''
}

/** Those that differed in spelling only. */
function merged(places: Iterable<Counted>): readonly Counted[] {
  const byDetail = new Map<string, Counted>()
  for (const one of places) {
    const key = JSON.stringify(Object.entries(one.detail))
    const place = byDetail.get(key)
    if (place === undefined) byDetail.set(key, one)
    else {
      place.count += one.count
      place.isUncounted &&= one.isUncounted
    }
  }
  return [...byDetail.values()]
}

function readDetail(value: JsonObject, notes: ReportNotes): Omit<ReceivedDetail, 'count'> {
  const text = (name: string, longest = LONGEST_TEXT): string | undefined => textOf(value[name], name, longest, notes)
  const host = textOf(hostNameIn(value), 'receiving-mx-hostname', LONGEST_TEXT, notes)
  const receivingAddress = address(text('receiving-ip'), 'receiving-ip', notes)
  // some name a host that a route named by its address so
  const hostAddress = host === undefined ? undefined : canonicalAddress(host)
  return present({
    type: resultType(text('result-type'), notes),
    sendingAddress: address(text('sending-mta-ip'), 'sending-mta-ip', notes),
    receivingHost: hostAddress === undefined ? hostName(host, notes) : undefined,
    receivingHelo: text('receiving-mx-helo'),
    receivingAddress: receivingAddress ?? hostAddress,
    information: text('additional-information', LONGEST_URI),
    reason: text('failure-reason-code'),
  })
}

function resultType(type: string | undefined, notes: ReportNotes): string {
  if (type === undefined) notes.add('result-type-missing', 'a failure detail without result-type')
  else if (!isResultType(type)) notes.add('result-type-unknown', `result-type: ${shown(type)}`)
  return type ?? 'other'
}

function address(text: string | undefined, name: string, notes: ReportNotes): string | undefined {
  if (text === undefined) return undefined
  const canonical = canonicalAddress(text.replace(/^\[(?:IPv6:)?(.*)\]$/i, '$1'))
  if (canonical === undefined) notes.add('address-invalid', `${name}: ${shown(text)}`)
  return canonical
}

function hostName(name: string | undefined, notes: ReportNotes): string | undefined {
  if (name === undefined) return undefined
  const host = domainOf(name)
  if (host === undefined) notes.add('host-invalid', `receiving-mx-hostname: ${shown(name)}`)
  return host
}

/** Without the fields that have no value. */
function present(detail: Omit<ReceivedDetail, 'count'>): Omit<ReceivedDetail, 'count'> {
  const entries = Object.entries(detail).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as unknown as Omit<ReceivedDetail, 'count'>
}
