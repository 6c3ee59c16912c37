/**
 * `outbound-tls stats`: how deliveries of the last days went, and which destinations fail.
 *
 * @module
 */

import {
  LEVELS,
  type Census,
  type DestinationEntry,
  type ConnectionLevel,
  type MonitorStore,
  type Waiting,
} from '../lib/monitor'
import type { LevelCount, OutcomeStore } from '../lib/tlsrpt/counting'
import type { Done } from '../lib/store'
import { isoTime } from '../lib/time'
import { createMonitor, createOutcomes } from '../runtime/stores'
import { destinationView, waitingDomainView } from '../views'
import type { Answer, Call, Command, Paint, Style } from './command'
import { lastDays, readDays, USUAL_DAYS } from './numbers'
import { unreadable, withStore } from './store'
import { columns, fromNow, inAscii, printable, span, wrap } from './text'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Of the destinations that fail, and of those for which messages wait. */
const MOST_SHOWN = 20

export const stats: Command = {
  name: ['stats'],
  operands: [],
  summary: 'how deliveries of the last days went, and which destinations fail',
  description: [
    'Counts the connections of the last days by what they came to (verified, trusted, untrusted, clear text, refused) and ' +
      'by TLS version, over all workers, and over all hosts that share a store. Shows the destinations that were refused ' +
      'since they were last delivered to, each with the latest reason, and how many messages wait because of TLS.',
    'Exits with 1 where there was no connection.',
  ],
  examples: [
    ['stats', `the last ${USUAL_DAYS} days`],
    ['stats --days 1 --json', 'the last day, for a program'],
  ],
  options: { days: { type: 'string', value: 'N', help: `how many days back; default: ${USUAL_DAYS}` } },
  run: async (call) => {
    const days = readDays(call)
    if (typeof days !== 'number') return days
    return withStore(call, openStores, { readOnly: true }, async ({ store, outcomes }) => {
      const seen = await look(store, outcomes, call.world.now(), days)
      return seen.ok ? answer(call, days, seen.value) : unreadable('what deliveries have left', seen)
    })
  },
}

interface Seen {
  /** whole hours, up to that which is under way */
  readonly from: number
  readonly counts: readonly Count[]
  readonly census: Census
  readonly failing: readonly DestinationEntry[]
  readonly waiting: Waiting
}

type Count = Omit<LevelCount, 'hour'>

function openStores(...where: Parameters<typeof createMonitor>) {
  const [store, outcomes] = [createMonitor(...where), createOutcomes(...where)]
  const end = (): void => {
    store.end()
    outcomes.end()
  }
  return { store, outcomes, end }
}

async function look(store: MonitorStore, outcomes: OutcomeStore, now: number, days: number): Promise<Done<Seen>> {
  const from = Math.floor((now - days * DAY) / HOUR) * HOUR
  const levels = await outcomes.levels({ start: from, end: now + HOUR })
  if (!levels.ok) return levels
  const census = await store.census()
  if (!census.ok) return census
  const page = await store.destinations({ search: '', after: undefined, limit: MOST_SHOWN })
  if (!page.ok) return page
  const waiting = await store.waiting(now, MOST_SHOWN)
  if (!waiting.ok) return waiting
  const failing = page.value.entries.filter(({ state }) => state === 'failing')
  return { ok: true, value: { from, counts: sum(levels.value), census: census.value, failing, waiting: waiting.value } }
}

/** By level, the best first, and by version, the latest first. */
function sum(levels: readonly LevelCount[]): readonly Count[] {
  const groups = Map.groupBy(levels, ({ level, tlsVersion = '' }) => `${LEVELS.indexOf(level)} ${tlsVersion}`)
  return [...groups.values()]
    .map(([first, ...others]) => ({
      level: first?.level ?? 'refused',
      tlsVersion: first?.tlsVersion,
      count: others.reduce((total, { count }) => total + count, first?.count ?? 0),
    }))
    .sort(
      (a, b) =>
        LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || ((a.tlsVersion ?? '') < (b.tlsVersion ?? '') ? 1 : -1),
    )
}

function answer({ world: { now, paint } }: Call, days: number, seen: Seen): Answer {
  const { from, counts, census, failing, waiting } = seen
  return {
    code: counts.length === 0 ? 1 : 0,
    lines: [
      paint('bold', `Connections of ${lastDays(days)}`),
      ...(counts.length === 0 ? ['  none'] : countLines(counts, paint)),
      '',
      ...destinationLines(seen, now(), paint),
      '',
      ...waitingLines(waiting, now(), paint),
    ],
    json: {
      schema: 1,
      from: isoTime(from),
      to: isoTime(now()),
      connections: counts.map(({ level, tlsVersion, count }) => ({ level, tlsVersion: tlsVersion ?? null, count })),
      destinations: {
        known: census.destinations,
        failing: census.failing,
        latest: failing.map(destinationView),
      },
      waiting: {
        messages: waiting.messages,
        domains: waiting.domains.map(waitingDomainView),
      },
    },
  }
}

const STYLES: Readonly<Record<ConnectionLevel, Style>> = {
  verified: 'green',
  trusted: 'green',
  untrusted: 'yellow',
  'clear-text': 'yellow',
  refused: 'red',
}

function countLines(counts: readonly Count[], paint: Paint): readonly string[] {
  const total = counts.reduce((all, { count }) => all + count, 0)
  const width = String(total).length
  return counts.map(({ level, tlsVersion = '', count }) => {
    const share = `${((100 * count) / total).toFixed(1)} %`.padStart(8)
    const name = paint(STYLES[level], level.padEnd('clear-text'.length))
    return `  ${name}  ${printable(tlsVersion).padEnd('TLSv1.3'.length)}  ${String(count).padStart(width)}${share}`
  })
}

function destinationLines({ census, failing }: Seen, now: number, paint: Paint): readonly string[] {
  const head = `Destinations: ${census.destinations} known, ${census.failing} failing`
  const rows = failing.flatMap(({ domain, refused }) =>
    refused === undefined
      ? []
      : [`  ${printable(domain)}`, ...wrap(printable(inAscii(refusedText(refused, now))), '    ')],
  )
  const more = census.failing > failing.length ? [`  ... and ${census.failing - failing.length} more`] : []
  return [paint('bold', head), ...rows, ...more]
}

function refusedText(refused: NonNullable<DestinationEntry['refused']>, now: number): string {
  return `refused ${fromNow(refused.at, now)}, ${refused.reason}: ${refused.text}`
}

function waitingLines({ messages, domains }: Waiting, now: number, paint: Paint): readonly string[] {
  const rows = domains.map(
    ({ domain, messages: count, since, reasons }) =>
      [printable(domain), printable(`${count}, the first for ${span(now - since)}: ${reasons.join(', ')}`)] as const,
  )
  return [paint('bold', `Messages that wait because of TLS: ${messages}`), ...columns(rows)]
}
