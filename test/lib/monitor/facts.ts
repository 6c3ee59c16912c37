/** Short ways to what is seen and kept, for the tests of this room. */
import type { TestContext } from 'node:test'
import type {
  MonitorBatch,
  MonitorStore,
  ResolverState,
  ConnectionEvent,
  WaitingMessage,
} from '../../../dist/lib/monitor/index.js'

import { monitorOf } from '../../support/modules.ts'
import { sqlite } from '../../support/store.ts'

export const NOW = Date.parse('2026-06-01T12:30:00Z')
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A store as a worker opens it; the second of the two is another worker's, on the same file. */
export function sqliteStores(t: TestContext): readonly [MonitorStore, MonitorStore] {
  return [monitorOf(sqlite.store(t)), monitorOf(sqlite.store(t))]
}

export function sighting(changes: Partial<ConnectionEvent> = {}): ConnectionEvent {
  return {
    at: NOW,
    domain: 'example.org',
    host: 'mx1.example.org',
    level: 'verified',
    tlsVersion: 'TLSv1.3',
    reason: 'dane-match',
    text: 'Verified TLS connection to mx1.example.org[192.0.2.7]:25',
    ...changes,
  }
}

export function refusal(changes: Partial<ConnectionEvent> = {}): ConnectionEvent {
  const text = 'none of 1 TLSA record matches its certificate. RFC 7672 2.2'
  return sighting({ level: 'refused', tlsVersion: undefined, reason: 'dane-no-match', text, ...changes })
}

export function message(changes: Partial<WaitingMessage> = {}): WaitingMessage {
  return {
    id: '1',
    domain: 'example.org',
    since: NOW - HOUR,
    nextAt: NOW + HOUR,
    status: '4.7.5',
    reasons: ['dane-no-match'],
    text: 'no host of example.org satisfied its policy',
    ...changes,
  }
}

export function resolver(changes: Partial<ResolverState> = {}): ResolverState {
  const server = { server: '127.0.0.1:53', validates: true, answered: true, text: '127.0.0.1:53: org comes with AD' }
  return {
    machine: 'mail1',
    at: NOW,
    trustAd: true,
    validates: true,
    secureAnswers: true,
    servers: [server],
    ...changes,
  }
}

let last = 0

/** A batch of a writer of its own. */
export function batch(changes: Partial<MonitorBatch> = {}): MonitorBatch {
  return {
    writer: `writer ${++last}`,
    number: 1,
    machine: 'mail1',
    amounts: [],
    connections: [],
    waiting: [],
    resolver: undefined,
    ...changes,
  }
}

/** The value of what must have been done. */
export async function done<Value>(
  work: Promise<{ readonly ok: true; readonly value: Value } | { readonly ok: false; readonly text: string }>,
): Promise<Value> {
  const result = await work
  if (!result.ok) throw new Error(result.text)
  return result.value
}
