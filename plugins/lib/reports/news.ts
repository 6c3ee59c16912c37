/**
 * What is heard of a destination: from an attempt, or later from Haraka's queue. It is a fact, whoever holds the lease by then, so it is
 * written down without one, and never lost to somebody else's change.
 *
 * @module
 */

import type { Done, Log } from '../store'
import { isoTime } from '../time'
import { afterNews, type News } from './course'
import type { ReportEntry, ReportKey, ReportLedger } from './ledger'
import { reportName } from './wording'

/** How often another change may come first. */
const MOST_TRIES = 20
/** How much news is kept while the ledger cannot be written. */
const MOST_KEPT = 10_000

interface Heard {
  readonly key: ReportKey
  readonly rua: string
  readonly news: News
}

export interface NewsDesk {
  /** Writes news down, now or as soon as it can. */
  readonly hear: (key: ReportKey, rua: string, news: News) => Promise<void>
  /** Tries again to write down what could not be. */
  readonly writeKept: () => Promise<void>
}

/** Makes it. Nothing rejects. */
export function createNewsDesk(ledger: ReportLedger, log: Log): NewsDesk {
  let kept: Heard[] = []
  const write = async (heard: Heard): Promise<boolean> => {
    const noted = await noteNews(ledger, heard)
    if (noted.ok && noted.value !== undefined) tell(log, heard, noted.value)
    return noted.ok
  }
  const keep = (heard: Heard): void => {
    kept.push(heard)
    if (kept.length <= MOST_KEPT) return
    const { key, rua } = kept.shift() ?? heard
    log('error', `what became of the TLS report on ${key.domain} at ${rua} could not be written down, and is forgotten`)
  }
  return {
    hear: async (key, rua, news) => {
      if (!(await write({ key, rua, news }))) keep({ key, rua, news })
    },
    writeKept: async () => {
      const again = kept
      kept = []
      for (const [index, heard] of again.entries()) {
        if (await write(heard)) continue
        kept = [...again.slice(index), ...kept]
        return
      }
    },
  }
}

/** @returns the report when the news has been written down; undefined: it was of no consequence */
async function noteNews(ledger: ReportLedger, { key, rua, news }: Heard): Promise<Done<ReportEntry | undefined>> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const read = await ledger.read(key)
    if (!read.ok) return read
    const change = read.value && afterNews(read.value, rua, news)
    if (read.value === undefined || change === undefined) return { ok: true, value: undefined }
    const changed = await ledger.change(read.value, change)
    if (!changed.ok) return changed
    if (changed.value !== undefined) return changed
  }
  return { ok: false, text: `the report on ${key.domain} is changed by others all the time` }
}

function tell(log: Log, { rua, news }: Heard, entry: ReportEntry): void {
  const name = reportName(entry)
  switch (news.status) {
    case 'accepted':
      return log('info', `${name}: accepted by ${rua}: ${news.note}`)
    case 'queued':
      return log('debug', `${name}: queued for ${rua}`)
    case 'deferred':
      return log('info', `${name}: ${rua} has not taken it yet: ${news.note}`)
    case 'failed': {
      const next = news.nextAt === Infinity ? 'not tried again' : `tried again at ${isoTime(news.nextAt)}`
      log('info', `${name}: ${rua} has not taken it, ${next}: ${news.note}`)
      tellEnd(log, entry)
    }
  }
}

/** What nobody would notice otherwise: a report that was wanted and has not arrived. */
export function tellEnd(log: Log, entry: ReportEntry): void {
  if (entry.state !== 'given-up') return
  const tried = entry.destinations.map(
    ({ rua, attempts, note }) => `${rua} (${attempts} attempts): ${note ?? 'no answer'}`,
  )
  log('warn', `${reportName(entry)} given up: ${tried.join(' | ') || (entry.note ?? '')}`)
}
