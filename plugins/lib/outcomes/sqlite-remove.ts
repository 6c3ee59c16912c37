/**
 * Removing old days, a little at a time: each piece is a transaction of its own of a few milliseconds, and between two of them
 * deliveries go on.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { Connection, Done, SharedDatabase } from '../store'
import { DAY } from './written'

/** How many days of domains are removed at once: each may have some ten kilobytes. */
const DAYS = 100
/** How many texts are looked at at once. */
const TEXTS = 1000

/** Does one piece, from the beginning or behind the last one. @returns how far it came; undefined: nothing is left */
type Piece = (connection: Connection, from: number | undefined) => number | undefined

/**
 * Removes the days before a day, then what only they had use for. Of all processes that come to it, one does it, once for each day.
 *
 * @param day - counted from 1970 in UTC
 */
export async function removeDays(run: SharedDatabase['run'], day: number): Promise<Done<void>> {
  const isOurs = await run(({ prepare }) =>
    Number(prepare("UPDATE number SET value = ? WHERE name = 'removed' AND value <> ?").run(day, day).changes),
  )
  if (!isOurs.ok) return isOurs
  if (isOurs.value === 0) return { ok: true, value: undefined }

  const pieces = [removeCounts(day), removeUnused(day), removeEnded(day)]
  for (const piece of pieces) {
    const done = await inPieces(run, piece)
    if (!done.ok) return done
  }
  return { ok: true, value: undefined }
}

async function inPieces(run: SharedDatabase['run'], piece: Piece): Promise<Done<void>> {
  let from: number | undefined
  do {
    const begin = from
    const done = await run((connection) => piece(connection, begin))
    if (!done.ok) return done
    from = done.value
    await setImmediate()
  } while (from !== undefined)
  return { ok: true, value: undefined }
}

/** A day comes first in the key, so the oldest rows are the first ones. */
function removeCounts(day: number): Piece {
  const oldest = 'SELECT day, domain FROM day WHERE day < ? ORDER BY day, domain LIMIT ?'
  return ({ prepare }) => {
    const { changes } = prepare(`DELETE FROM day WHERE (day, domain) IN (${oldest})`).run(day, DAYS)
    return Number(changes) === DAYS ? 0 : undefined
  }
}

/** What was last used before that day, nothing refers to any more. */
function removeUnused(day: number): Piece {
  return ({ prepare }, from = 0) => {
    const piece = prepare('SELECT max(id) AS last FROM (SELECT id FROM text WHERE id > ? ORDER BY id LIMIT ?)')
    const last = piece.get(from, TEXTS)?.last
    if (typeof last !== 'number') return undefined
    prepare('DELETE FROM text WHERE id > ? AND id <= ? AND seen < ?').run(from, last, day)
    return last
  }
}

function removeEnded(day: number): Piece {
  return ({ prepare, transaction }) =>
    transaction(() => {
      prepare('DELETE FROM hour WHERE hour < ?').run(day * 24)
      prepare('DELETE FROM writer WHERE at < ?').run(day * DAY)
      return undefined
    })
}
