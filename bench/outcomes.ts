/**
 * What it takes to record a day of TLS sessions and to make its reports: how many sessions a second are recorded, how long the event loop
 * is held up when they come evenly, how large the database is, and what the reports of all domains take. Beside a row for each session in
 * SQLite, summed up when reports are due; and the same with both on PostgreSQL, where it is installed.
 *
 * Each of both sides does each of these in a process of its own. Both are told the same sessions, and compose the same reports by the
 * same code, so that what differs is how sessions are kept. Where the event loop is measured, nobody else may take the processor from it,
 * if that can be had: as root.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { noPostgres, startServer } from '../test/support/postgres.ts'
import type { Measured } from './outcomes/inside.ts'
import { DOMAINS, SESSIONS } from './outcomes/workload.ts'
import { format, median, type Row } from './row.ts'

const PEER = 'a row for each session'
const CHRT = '/usr/bin/chrt'

type Side = 'ours' | 'peer'
/** Beyond what the event loop is held up with a store that does nothing: milliseconds. */
const MOST_DELAY = 2

/** How often the two take turns at adding up, for the machine is faster at times. */
const TURNS = 3

export async function benchOutcomes(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-outcomes-'))
  try {
    const run = (side: Side | 'nothing', work: string) => runInside(side, work, join(folder, `${side}.db`))
    const rows = rowsOf(await compare(run), await run('nothing', 'pace'))
    return noPostgres === false ? [...rows, ...(await onPostgres())] : rows
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type Run = (side: Side, work: string) => Promise<Measured>

async function compare(run: Run): Promise<Readonly<Record<Side, All>>> {
  const recorded = { ours: await run('ours', 'record'), peer: await run('peer', 'record') }
  const sums: Record<Side, number[]> = { ours: [], peer: [] }
  for (let turn = 0; turn < TURNS; turn++)
    for (const side of ['ours', 'peer'] as const) sums[side].push((await run(side, 'sum')).seconds)
  const rest = async (side: Side): Promise<All> => {
    const composed = await run(side, 'compose')
    return { ...recorded[side], ...composed, ...(await run(side, 'pace')), summing: median(sums[side]) }
  }
  const [ours, peer] = [await rest('ours'), await rest('peer')]
  if (ours.sum !== peer.sum) throw new Error(`${ours.sum} sessions in our reports, ${peer.sum} in the others`)
  return { ours, peer }
}

/** The same with both on one PostgreSQL server: told, not limited. The CPU time is that of our side of the connection. */
async function onPostgres(): Promise<Row[]> {
  const server = await startServer('synchronous_commit=on')
  const databases = { ours: server.createDatabase(), peer: server.createDatabase() }
  const compared = await compare(async (side, work) => {
    const measured = await runInside(`${side} on PostgreSQL`, work, server.url(databases[side]))
    return { ...measured, size: Number(server.sql(databases[side], 'SELECT pg_database_size(current_database())')) }
  })
  await server.stop()
  return rowsOf(compared).map((row) => ({ ...row, what: `${row.what}, on PostgreSQL`, limit: '', holds: true }))
}

interface All extends Measured {
  /** seconds, without composing */
  readonly summing: number
}

/** Does one thing in a process of its own; where the event loop is measured, nobody else may take the processor from it. */
async function runInside(side: string, work: string, place: string): Promise<Measured> {
  const undisturbed = work === 'pace' && process.getuid?.() === 0 && existsSync(CHRT) ? [CHRT, '--fifo', '1'] : []
  const program = [
    ...undisturbed,
    process.execPath,
    join(import.meta.dirname, 'outcomes', 'inside.ts'),
    side,
    work,
    place,
  ]
  const { stdout } = await promisify(execFile)(program[0] ?? '', program.slice(1), { timeout: 600_000 })
  console.error(`outcomes, ${side}, ${work}: ${stdout.trim()}`)
  return JSON.parse(stdout) as Measured
}

/** @param nothing - left out: nothing is limited */
function rowsOf({ ours, peer }: Readonly<Record<Side, All>>, nothing?: Measured): Row[] {
  const delay = nothing && median(nothing.delays)
  const row = (what: string, unit: string, value: (one: All) => number, limits: Limits = {}): Row => {
    const { most = Infinity, ratio: mostRatio = Infinity } = limits
    const ratio = value(ours) / value(peer)
    return {
      what: `outcomes: ${what}`,
      plugin: `${format(value(ours))} ${unit}`.trim(),
      plain: `${format(value(peer))} ${unit === '' ? '' : `${unit} `}(${PEER})`,
      ratio: format(ratio),
      limit: mostRatio < Infinity ? `at most ${mostRatio}` : most === Infinity ? '' : `at most ${format(most)} ${unit}`,
      holds: value(ours) <= most && ratio <= mostRatio,
    }
  }
  const millions = `${SESSIONS / 1e6} million sessions`
  const all = `of ${DOMAINS} reports`
  return [
    row('recorded in a second of CPU time', '', ({ rate }) => rate),
    row('longest delay of the event loop at 5,000 a second', 'ms', ({ delays }) => median(delays), {
      ...(delay !== undefined && { most: delay + MOST_DELAY }),
    }),
    ...(delay === undefined
      ? []
      : [{ ...row('the same, a store that does nothing', 'ms', () => delay), plain: '', ratio: '' }]),
    row('the same, recording nothing', 'ms', ({ idleDelays }) => median(idleDelays)),
    row(`database of ${millions}`, 'MB', ({ size }) => size / 1e6, { ratio: 0.4 }),
    row(`CPU time, sums ${all}`, 's', ({ summing }) => summing, { ratio: 0.7 }),
    row(`CPU time, sums and text ${all}`, 's', ({ seconds }) => seconds),
    row(`memory ${all}`, 'MB', ({ memory }) => memory / 1e6, { most: 150 }),
  ]
}

interface Limits {
  readonly most?: number
  /** to the peer's */
  readonly ratio?: number
}
