/**
 * The clock of a PostgreSQL server, moved on by a test for one database: hosts that share a store go by it.
 *
 * @module
 */
import type { Haraka } from '../e2e/haraka.ts'
import type { PostgresServer } from '../support/postgres.ts'

/** A clock that leaps by an hour and more is not believed for a while. */
const STEP = 40 * 60_000

/** To be made before anybody connects to the database. */
export function movableClock(server: PostgresServer, database: string) {
  server.sql(
    database,
    `CREATE SCHEMA clock; CREATE TABLE clock.ahead (by INTERVAL NOT NULL); INSERT INTO clock.ahead VALUES ('0');
     CREATE FUNCTION clock.clock_timestamp() RETURNS TIMESTAMPTZ VOLATILE LANGUAGE sql
       AS 'SELECT pg_catalog.clock_timestamp() + by FROM clock.ahead';
     ALTER DATABASE ${database} SET search_path = public, clock, pg_catalog`,
  )
  let ahead = 0
  const put = (at: number): void => {
    ahead = at - Date.now()
    server.sql(database, `UPDATE clock.ahead SET by = INTERVAL '${ahead} milliseconds'`)
  }
  return {
    put,
    /** Moves it on with the clocks of some Harakas. @param off - how far each of them is ahead of it: milliseconds */
    moveTo: async (at: number, ...harakas: readonly (readonly [haraka: Haraka, off: number])[]): Promise<void> => {
      for (let now = Date.now() + ahead; now < at;) {
        now = Math.min(now + STEP, at)
        put(now)
        for (const [haraka, off] of harakas) await haraka.moveClock(now + off)
      }
    },
  }
}
