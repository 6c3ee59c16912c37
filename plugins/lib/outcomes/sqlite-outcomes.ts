/**
 * Outcomes in a SQLite file: the engine for one machine, whatever the number of its workers.
 *
 * @module
 */

import { openShared, type Log } from '../store'
import { addBatch, closedUntil } from './sqlite-add'
import { policiesOfEach } from './sqlite-policies'
import { domainsOf, firstHour, sessionsOf } from './sqlite-read'
import { removeDays } from './sqlite-remove'
import { MIGRATIONS } from './sqlite-tables'
import type { OutcomeStore } from './store'
import { DAY } from './written'

export interface SqliteOutcomesOptions {
  /** of the file; what SQLite has beside it (`-wal`, `-shm`) belongs to it */
  readonly path: string
  readonly log: Log
  /** false, for the command: only workers make the file, so that it is theirs */
  readonly create?: boolean
}

/** Opens the store when it is first used. A damaged file is put aside. */
export function createSqliteOutcomes(options: SqliteOutcomesOptions): OutcomeStore {
  const { run, runNow, close } = openShared({ ...options, migrations: MIGRATIONS })
  return {
    add: (batch, now) => run((connection) => addBatch(connection, batch, now)),
    addNow: (batch, now) => runNow((connection) => addBatch(connection, batch, now)),
    close: (instant) =>
      run((connection) => {
        connection.prepare("UPDATE number SET value = max(value, ?) WHERE name = 'closed'").run(instant)
        return closedUntil(connection)
      }),
    reopen: (instant) =>
      run((connection) => {
        connection.prepare("UPDATE number SET value = min(value, ?) WHERE name = 'closed'").run(instant)
      }),
    firstHour: () => run(firstHour),
    domainsOf: (period, after, limit) => domainsOf(run, period, after, limit),
    policiesOf: async (domain, period) => {
      const facts = await policiesOfEach(run, [domain], period)
      return facts.ok ? { ok: true, value: facts.value[0] ?? [] } : facts
    },
    policiesOfEach: (domains, period) => policiesOfEach(run, domains, period),
    sessionsOf: (query) => run((connection) => sessionsOf(connection, query)),
    removeOld: (before) => removeDays(run, Math.floor(before / DAY)),
    end: close,
  }
}
