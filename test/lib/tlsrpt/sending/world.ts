/**
 * Reporters on one store, with a clock that stands still until it is moved, and receivers that remember what they got.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { OutcomeStore } from '../../../../dist/lib/tlsrpt/counting/index.js'
import {
  createReporter,
  periodText,
  type Reporter,
  type ReporterOptions,
  type ReporterSettings,
  type ReportEntry,
  type ReportLedger,
  type Transmission,
} from '../../../../dist/lib/tlsrpt/sending/index.js'
import type { Done, StoreOptions } from '../../../../dist/lib/store/index.js'
import type { Report } from '../../../../dist/lib/tlsrpt/format/index.js'
import { sqlite, type TestEngine } from '../../../support/store.ts'
import { outcomesOf } from '../../../support/modules.ts'
import { ledgerIn, value } from './ledger-ground.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const at = (text: string): number => Date.parse(`${text}Z`)

/** One attempt that a receiver has seen. */
export interface Received {
  readonly at: number
  readonly rua: string
  readonly domain: string
  readonly period: string
  readonly reportId: string
  readonly frozen: string
  readonly report: Report
  readonly by: string
}

type Answer = Transmission | Promise<Transmission>

export interface Places {
  readonly store: StoreOptions
}

let engine = sqlite

/** Has all worlds from now on on another engine, each in a database of its own. */
export function playOn(other: TestEngine): void {
  engine = other
}

export class World {
  /** milliseconds since 1970 */
  now: number
  readonly store: OutcomeStore
  readonly ledger: ReportLedger
  readonly received: Received[] = []
  readonly log: string[] = []
  /** the TXT records of a domain; by default each wants its reports by mail */
  records: (domain: string) => Done<readonly string[]> = (domain) => record(`mailto:tls@${domain}`)
  /** what becomes of an attempt */
  answer: (received: Received) => Answer = () => ({ status: 'accepted', note: '250 ok' })
  settings: ReporterSettings | undefined = {
    organization: 'Example',
    contact: 'tls@example.org',
    submitter: 'example.org',
    send: 'daily',
    when: 'always',
    maxSize: 1_000_000,
    spread: 4 * HOUR,
    retryFor: DAY,
    suppress: [],
    domains: new Map(),
  }
  random = 0.5
  #batches = 0
  #ids = 0
  readonly #arrivals = new Set<() => void>()
  readonly #ends: (() => void)[] = []
  /** a test may have several worlds, each with a store of its own */
  readonly #own = { after: (end: () => void) => this.#ends.push(end) } as unknown as TestContext

  constructor(t: TestContext, begun: string) {
    t.after(() => this.end())
    this.now = at(begun)
    this.store = this.openStore()
    this.ledger = this.openLedger()
  }

  /** Where its counts and its ledger are, for another process. */
  get places(): Places {
    return { store: engine.options(this.#own) }
  }

  /** Another opening of the counts, as another process would have it. */
  openStore(): OutcomeStore {
    return outcomesOf(engine.store(this.#own))
  }

  /** Another opening of the ledger. Its store goes by the clock of the world. */
  openLedger(): ReportLedger {
    const ledger = ledgerIn(engine.store(this.#own))
    return {
      ...ledger,
      now: () => Promise.resolve({ ok: true, value: this.now }),
      takeLease: (holder, lasting) => ledger.takeLease(holder, lasting, this.now),
    }
  }

  end(): void {
    for (const end of this.#ends.splice(0).reverse()) end()
  }

  set(changes: Partial<ReporterSettings>): void {
    assert.ok(this.settings)
    this.settings = { ...this.settings, ...changes }
  }

  /** Sessions of a domain, all at one time: by default now. */
  async sessions(domain: string, count: number, { when = this.now, failed = false } = {}): Promise<void> {
    const hour = Math.floor(when / HOUR) * HOUR
    const policy = { type: 'no-policy-found', domain } as const
    const failure = failed ? ({ type: 'starttls-not-supported', reason: 'starttls-not-offered' } as const) : undefined
    const policies = [{ hour, domain, policy, failure, count }]
    await value(this.store.add({ writer: 'w', number: ++this.#batches, policies, sessions: [] }, this.now))
  }

  /** What a worker works with. */
  parts(by: string): Pick<ReporterOptions, 'store' | 'ledger' | 'transmit'> {
    const transmit: ReporterOptions['transmit'] = async ({ domain, period, reportId, frozen }, rua) => {
      const report = JSON.parse(gunzipSync(frozen).toString()) as Report
      const text = Buffer.from(frozen).toString('base64')
      const received = { at: this.now, rua, domain, period: periodText(period), reportId, frozen: text, report, by }
      this.received.push(received)
      for (const arrival of this.#arrivals) arrival()
      return await this.answer(received)
    }
    return { store: this.store, ledger: this.ledger, transmit }
  }

  /** Another worker, on this host or another one. It works when it is told to. */
  worker(by = 'a', changes: Partial<ReporterOptions> = {}): Reporter {
    return createReporter({
      ...this.parts(by),
      lookupTlsrpt: (domain) => Promise.resolve(this.records(domain)),
      settings: () => this.settings,
      retention: () => 30 * DAY,
      holder: by,
      clock: () => this.now,
      random: () => this.random,
      unique: () => `u${++this.#ids}`,
      log: (level, text) => this.log.push(`${level} ${text}`),
      ...changes,
    })
  }

  /** Lets time pass until `until`; the workers look around again and again, and once more at its end. */
  async run(until: number | string, workers: readonly Reporter[], step = 10 * MINUTE): Promise<void> {
    const end = typeof until === 'string' ? at(until) : until
    for (;;) {
      for (const worker of workers) {
        await worker.look()
        await worker.idle()
      }
      if (this.now >= end) return
      this.now = Math.min(this.now + step, end)
    }
  }

  /** When so many reports have arrived. */
  async arrival(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const look = (): void => {
      if (this.received.length >= count) resolve(undefined)
    }
    this.#arrivals.add(look)
    look()
    await promise
    this.#arrivals.delete(look)
  }

  /** Lets a worker look around until it has an attempt under way that hangs: nothing more comes of waiting for it. */
  async hang(worker: Reporter): Promise<void> {
    for (let looks = 0; this.received.length === 0; looks++) {
      assert.ok(looks < 10)
      await worker.look()
      await Promise.race([this.arrival(1), worker.idle()])
      this.now += MINUTE
    }
  }

  /** What arrived, in order: domain and period. */
  get arrived(): string[] {
    return this.received.map(({ domain, period }) => `${domain} ${period}`)
  }

  async entry(domain: string, start: string): Promise<ReportEntry> {
    const entry = await value(this.ledger.read({ domain, start: at(start) }))
    assert.ok(entry)
    return entry
  }

  entries(): Promise<readonly ReportEntry[]> {
    return value(this.ledger.list({ limit: 1000 }))
  }
}

/** A TLSRPT record with these URIs. */
export function record(...uris: readonly string[]): Done<readonly string[]> {
  return { ok: true, value: [`v=TLSRPTv1; rua=${uris.join(',')}`] }
}

export const noRecord: Done<readonly string[]> = { ok: true, value: [] }

export function failed(note = '421 not now', isFinal = false): Transmission {
  return { status: 'failed', isFinal, note }
}

/** Sessions by what became of them, over all policies of a report. */
export function counts(report: Report): { successful: number; failed: number } {
  const sum = (field: 'total-successful-session-count' | 'total-failure-session-count'): number =>
    report.policies.reduce((total, { summary }) => total + summary[field], 0)
  return { successful: sum('total-successful-session-count'), failed: sum('total-failure-session-count') }
}

/** A day with one session of `a.test` is over, in which `world` has begun; its report is due two hours later. */
export async function due(world: World): Promise<Reporter> {
  const worker = world.worker()
  await worker.look()
  await worker.idle()
  await world.sessions('a.test', 1)
  await world.run('2027-02-01T00:10', [worker], 5 * MINUTE)
  return worker
}
