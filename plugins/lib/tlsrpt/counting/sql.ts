/**
 * The SQL of outcomes, which runs in the thread of the store.
 *
 * @module
 */

import type { Database } from '../../store'
import { DAY, HOUR } from '../../time'
import { add, readState, writeState } from './add'

import { domainsOf, levels, policiesOf, policiesOfEach, sessionsOf } from './read'
import { OUTCOME_TABLES } from './tables'

/** Removed in one transaction, so that it is short. */
const REMOVED_AT_ONCE = 1000
/** Such transactions in one call, so that it ends in its time. */
const MOST_PIECES = 50

export const sql = {
  file: __filename,
  name: 'outcomes',
  tables: OUTCOME_TABLES,
  methods: { add, close, reopen, domainsOf, policiesOf, policiesOfEach, sessionsOf, levels, removeOld },
}

/**
 * Closes all hours that end by `instant` (a full hour): what arrives later for them is booked forward, so that no report misses what
 * is added after it was composed. Never goes back.
 *
 * @returns the instant before which all hours are closed now
 */
async function close(database: Database, instant: number): Promise<number> {
  return database.transaction('outcomes', async (inner) => {
    const hour = Math.max(await readState(inner, 'closed_until'), instant / HOUR)
    await writeState(inner, 'closed_until', hour)
    return hour * HOUR
  })
}

/** Opens the hours from `instant` on again, which a wrong clock has closed. */
async function reopen(database: Database, instant: number): Promise<void> {
  await database.transaction('outcomes', async (inner) => {
    await writeState(inner, 'closed_until', Math.min(await readState(inner, 'closed_until'), instant / HOUR))
  })
}

/** Keys of what is removed, and by which day. */
const REMOVED = [
  ['outcome_count', '(day, domain, hour, policy, failure)', 'day'],
  ['outcome_session', '(day, domain, hour, connection)', 'day'],
  ['outcome_level', '(day, hour, level, tls_version)', 'day'],
  ['outcome_policy', '(id)', 'last_day'],
  ['outcome_failure', '(id)', 'last_day'],
  ['outcome_connection', '(id)', 'last_day'],
] as const

/**
 * Removes some of the UTC days that ended `retention` ago: short transactions, between which others have their turn.
 *
 * @param now - milliseconds since 1970; the store's clock, unless tests have one of their own
 * @returns whether there may be more to remove
 */
async function removeOld(database: Database, retention: number, now?: number): Promise<boolean> {
  const day = Math.floor(((now ?? (await database.now())) - retention) / DAY)
  await database.transaction('outcomes', (inner) => writeState(inner, 'removed_until', day)) // nothing is added to these days from now on
  let piece = 0
  for (const [table, key, column] of REMOVED) {
    const old = `SELECT ${key.slice(1, -1)} FROM ${table} WHERE ${column} < ? LIMIT ${REMOVED_AT_ONCE}`
    const remove = (inner: Database): Promise<number> =>
      inner.run(`DELETE FROM ${table} WHERE ${key} IN (${old})`, [day])
    while ((await database.transaction('outcomes', remove)) > 0) if (++piece === MOST_PIECES) return true
  }
  return false
}
