/**
 * What is due is done: a bounded number of reports at once, the longest overdue first, until nothing is due.
 *
 * @module
 */

import type { OutcomeStore } from '../counting'
import type { Log } from '../../store'
import { MINUTE } from '../../time'
import type { PolicyFacts } from '../format'
import type { Lease, Refusing, ReportEntry } from './entry'
import type { ReportLedger } from './ledger'
import { logGivenUp, type StatusRecorder } from './delivery-status'
import { prepare, readFacts, type PrepareOptions } from './prepare'
import { send, type SendOptions } from './send'
import type { ReporterSettings } from './settings'
import { createSuppression } from './suppression'
import type { Throttle } from './throttle'
import type { Transmit } from './transmission'
import { reportName } from './wording'

/** Reports in memory, and look-ups at once. */
const MOST_AT_ONCE = 50

export interface PumpOptions extends Omit<PrepareOptions, 'settings' | 'suppression'> {
  readonly store: Pick<OutcomeStore, 'policiesOfEach'>
  readonly ledger: ReportLedger
  readonly transmit: Transmit
  readonly throttle: Throttle
  readonly statuses: StatusRecorder
  readonly log: Log
  /** the lease, while it holds */
  readonly lease: () => Lease | undefined
}

export interface Pump {
  /** Works until nothing is due, or something keeps it from that. */
  readonly run: (settings: ReporterSettings) => Promise<void>
  /** When what is under way is done. */
  readonly idle: () => Promise<void>
  /** Nothing more is begun. */
  readonly stop: () => void
}

export function createPump(options: PumpOptions): Pump {
  const { store, ledger, lease, now } = options
  const underWay = new Map<string, Promise<void>>()
  let isStopped = false
  let known: { readonly at: number; readonly refusing: ReadonlyMap<string, Refusing> } | undefined

  const begin = (entry: ReportEntry, work: () => Promise<boolean>, trouble: () => void): void => {
    const key = keyOf(entry)
    const working = work()
      .catch((error: unknown) => {
        options.log('error', `${reportName(entry)}: ${String(error)}`) // a mistake of ours
        return false
      })
      .then((isDone) => {
        underWay.delete(key)
        if (!isDone) trouble()
      })
    underWay.set(key, working)
  }

  /** Thousands, where many publish addresses that are gone: read once a minute. */
  const readRefusing = async (): Promise<ReadonlyMap<string, Refusing> | undefined> => {
    if (known !== undefined && Math.abs(now() - known.at) < MINUTE) return known.refusing
    const read = await ledger.refusing()
    if (read.ok) known = { at: now(), refusing: new Map(read.value.map((one) => [one.rua, one])) }
    return read.ok ? known?.refusing : undefined
  }

  return {
    run: async (settings) => {
      const suppressions = await ledger.suppressions()
      const refusing = await readRefusing()
      if (!suppressions.ok || refusing === undefined) return
      const patterns = [...settings.suppress, ...suppressions.value.map(({ pattern }) => pattern)]
      const suppression = createSuppression(patterns)
      const work = workWith({ ...options, settings, suppression, refusing: (rua) => refusing.get(rua) })
      const round = { isStuck: false }
      const mayGoOn = (): boolean => !isStopped && !round.isStuck && lease() !== undefined
      while (mayGoOn()) {
        const before = new Set(underWay.keys()) // what ends while we ask is not due any more
        const due = await ledger.due(now(), MOST_AT_ONCE + before.size)
        const fresh = due.ok
          ? due.value.filter((entry) => !before.has(keyOf(entry)) && !underWay.has(keyOf(entry)))
          : []
        if (fresh.length === 0) return
        const next = fresh.slice(0, MOST_AT_ONCE - underWay.size)
        const trouble = (): void => void (round.isStuck = true)
        const scheduled = next.filter(({ state }) => state === 'scheduled')
        const composed = next.filter(({ state }) => state !== 'scheduled')
        for (const entry of composed) begin(entry, () => work(entry, undefined), trouble)
        const facts = await readFacts(store, scheduled, mayGoOn)
        if (!mayGoOn()) return
        for (const entry of scheduled) begin(entry, () => work(entry, facts.get(entry)), trouble)
        while (underWay.size > MOST_AT_ONCE / 2) await Promise.race(underWay.values())
      }
    },
    idle: async () => {
      await Promise.all(underWay.values())
    },
    stop: () => {
      isStopped = true
    },
  }
}

function keyOf({ start, domain }: ReportEntry): string {
  return `${start} ${domain}`
}

type WorkOptions = PumpOptions & PrepareOptions & Pick<SendOptions, 'refusing'>

/**
 * @param policies - of a scheduled report; undefined: they cannot be read now
 * @returns false: the ledger or the counts cannot be used now, or another worker has changed it: not before the next round
 */
type Work = (entry: ReportEntry, policies: readonly PolicyFacts[] | undefined) => Promise<boolean>

function workWith(options: WorkOptions): Work {
  const retryFor = options.settings.retryFor
  return async (entry, policies) => {
    if (entry.state !== 'scheduled') return send(entry, { ...options, retryFor })
    if (policies === undefined) return false
    const frozen = await prepareOne(entry, policies, options)
    if (frozen === undefined) return false
    return frozen.state === 'sending' ? send(frozen, { ...options, retryFor }) : true
  }
}

async function prepareOne(
  entry: ReportEntry,
  policies: readonly PolicyFacts[],
  options: WorkOptions,
): Promise<ReportEntry | undefined> {
  const { ledger, lease, log } = options
  const change = await prepare(entry, policies, options)
  const held = lease()
  if (held === undefined) return undefined
  const changed = await ledger.change(entry, change, held)
  if (!changed.ok || changed.value === undefined) return undefined
  const { state, note } = changed.value
  logGivenUp(log, changed.value)
  if (state === 'not-wanted' || state === 'scheduled') log('debug', `${reportName(entry)} ${state}: ${note ?? ''}`)
  return changed.value
}
