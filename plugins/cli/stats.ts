/**
 * `outbound-tls stats`: how deliveries of the last days went, and which destinations fail.
 *
 * @module
 */

import { LEVELS, type Census, type DestinationEntry, type Level, type MonitorStore, type Waiting } from '../lib/monitor'
import type { LevelCount, OutcomeStore } from '../lib/outcomes'
import type { Done } from '../lib/store'
import { isoTime } from '../lib/time'
import { createMonitor, createOutcomes } from '../stores'
import type { Answer, Call, Command, Paint, Style } from './command'
import { groundOf, openInstance } from './instance'
import { readNumber } from './numbers'
import { unreadable } from './report'
import { columns, fromNow, inAscii, printable, span, wrap } from './text'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const USUALLY = 7
const MOST_DAYS = 3650
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
    ['stats', `the last ${USUALLY} days`],
    ['stats --days 1 --json', 'the last day, for a program'],
  ],
  options: { days: { type: 'string', value: 'N', help: `how many days back; default: ${USUALLY}` } },
  run: async (call) => {
    const days = readNumber(call.options.days ?? String(USUALLY), MOST_DAYS)
    if (days === undefined) return { code: 2, problems: [`--days takes a whole number from 1 to ${MOST_DAYS}`] }
    const instance = await openInstance(call)
    if ('problems' in instance) return instance
    const ground = { ...groundOf(instance), readOnly: true }
    const [store, outcomes] = [
      createMonitor(instance.settings.store, ground),
      createOutcomes(instance.settings.store, ground),
    ]
    try {
      const seen = await look(store, outcomes, call.world.now(), days)
      return seen.ok ? answer(call, days, seen.value) : unreadable('what deliveries have left', seen)
    } finally {
      store.end()
      outcomes.end()
    }
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
      paint('bold', days === 1 ? 'Connections of the last day' : `Connections of the last ${days} days`),
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
        latest: failing.map(({ domain, refused, delivered }) => ({
          domain,
          refusedAt: refused === undefined ? null : isoTime(refused.at),
          deliveredAt: delivered === undefined ? null : isoTime(delivered.at),
          host: refused?.host ?? null,
          reason: refused?.reason ?? null,
          text: refused?.text ?? null,
        })),
      },
      waiting: {
        messages: waiting.messages,
        domains: waiting.domains.map(({ domain, messages, since, nextAt, status, reasons, text }) => ({
          ...{ domain, messages, since: isoTime(since), nextAt: isoTime(nextAt), status, reasons, text },
        })),
      },
    },
  }
}

const STYLES: Readonly<Record<Level, Style>> = {
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
