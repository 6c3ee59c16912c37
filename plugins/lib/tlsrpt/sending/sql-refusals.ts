/**
 * Destinations that refuse reports for good, period after period: they are asked once a week, until they take one again.
 *
 * @module
 */

import { DAY } from '../../time'
import type { Database } from '../../store'
import type { DeliveryStatus } from './attempt'
import type { Refusing } from './entry'

const PERIODS = 3
const PAUSE = 7 * DAY
/** Of those remembered; the ones beyond that refused longest ago are asked as any other is. */
const MOST = 10_000

/** Those that are not asked for a while. */
export async function refusing(database: Database): Promise<readonly Refusing[]> {
  const rows = await database.all('SELECT rua, periods, period_start FROM report_refusal WHERE periods >= ?', [PERIODS])
  return rows.map((row) => ({
    rua: String(row.rua),
    periods: Number(row.periods),
    until: Number(row.period_start) + PAUSE,
  }))
}

/** Remembers that a report was refused for good, and forgets all of it where one was taken. */
export async function noteRefusal(
  database: Database,
  rua: string,
  start: number,
  status: DeliveryStatus,
): Promise<void> {
  if (status.status === 'accepted') await forgetRefusals(database, rua)
  if (status.status !== 'failed' || status.isRefused !== true) return
  await database.run(
    `INSERT INTO report_refusal (rua, periods, period_start) VALUES (?, 1, ?)
     ON CONFLICT (rua) DO UPDATE SET periods = report_refusal.periods + 1, period_start = excluded.period_start
       WHERE excluded.period_start > report_refusal.period_start`,
    [rua, start],
  )
}

export async function forgetRefusals(database: Database, rua: string): Promise<void> {
  await database.run('DELETE FROM report_refusal WHERE rua = ?', [rua])
}

/** Removes those of long ago, and the oldest beyond the bound. */
export async function removeOldRefusals(database: Database, before: number): Promise<void> {
  await database.run('DELETE FROM report_refusal WHERE period_start < ?', [before])
  await database.run(
    `DELETE FROM report_refusal WHERE rua IN
       (SELECT rua FROM report_refusal ORDER BY period_start DESC, rua LIMIT 1000 OFFSET ${MOST})`,
  )
}
