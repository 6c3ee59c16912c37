/**
 * Noting what happens, off the path of deliveries: memory first, the store within a second. Nothing waits for it, nothing fails by it,
 * and where the store cannot be written it takes no more memory than its bounds.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { SessionOutcome } from '../tlsrpt/counting'
import { LONGEST_TEXT, MOST_REASONS, type ResolverState, type ConnectionEvent, type WaitingMessage } from './facts'
import { createClockGuard, type Done } from '../store'
import { bucketOf, METERS, seriesOf, type Amount, type MeterLabels, type MeterName } from './meters'
import type { Added, MonitorBatch, WaitingChange } from './add'
import type { Downgrade } from './downgrades'

export interface MonitorRecorderOptions {
  readonly store: {
    readonly add: (batch: MonitorBatch) => Promise<Done<Added | undefined>>
    readonly addNow: (batch: MonitorBatch) => Done<unknown>
    readonly removeOld: (retention: number) => Promise<Done<void>>
  }
  /** the name of this machine: its counters are kept under it */
  readonly machine: string
  /** how long what was seen is kept: milliseconds */
  readonly retention: number
  /** told of hosts that are worse than they were, each at most once a day */
  readonly onDowngrade?: (downgrade: Downgrade) => void
  /** milliseconds since 1970 */
  readonly now?: () => number
  /** monotonic, milliseconds */
  readonly clock?: () => number
  readonly random?: () => number
}

export interface MonitorRecorder {
  /** Counts one more, or `by` more, of something. */
  readonly count: <Name extends MeterName>(meter: Name, labels: MeterLabels<Name>, by?: number) => void
  /** Counts something that took its time. */
  readonly time: <Name extends MeterName>(meter: Name, labels: MeterLabels<Name>, milliseconds: number) => void
  /** A connection was opened or refused. */
  readonly recordConnection: (connection: ConnectionEvent) => void
  /** A session was judged for TLS reports. */
  readonly judged: (outcome: SessionOutcome) => void
  /** A message was deferred because of TLS. */
  readonly addDeferred: (message: WaitingMessage) => void
  /** It was delivered, bounced, or deferred for another reason. */
  readonly removeDeferred: (id: string) => void
  /** The resolver was tested. */
  readonly tested: (state: Omit<ResolverState, 'machine'>) => void
  /** Writes what there is, if it can be written. */
  readonly flush: () => Promise<void>
  /** The same for the end of the process, where nothing can be waited for. */
  readonly flushNow: () => void
  /** Writes what there is, and ends. The store stays open. */
  readonly close: () => Promise<void>
}

/** How soon the page follows: milliseconds. */
const INTERVAL = 1000
const MAINTENANCE = 3_600_000
/** Items of each kind in a batch: a transaction of a few milliseconds. */
const PIECE = 40
/** Items of each kind that are kept while they cannot be written. */
const MOST_KEPT = 10_000
const LONGEST_NAME = 300

interface State {
  readonly amounts: Map<string, { readonly amount: Omit<Amount, 'value'>; value: number }>
  readonly connections: Map<string, ConnectionEvent>
  readonly waiting: Map<string, WaitingChange>
  resolver: ResolverState | undefined
  pending: MonitorBatch | undefined
  number: number
}

/** Makes a recorder. Its timer runs only while there is something to write, and does not keep the process alive. */
export function createMonitorRecorder({
  store,
  machine,
  retention,
  onDowngrade = () => undefined,
  now = Date.now,
  clock = () => performance.now(),
  random = Math.random,
}: MonitorRecorderOptions): MonitorRecorder {
  const writer = randomUUID()
  const state: State = {
    ...{ amounts: new Map(), connections: new Map(), waiting: new Map() },
    ...{ resolver: undefined, pending: undefined, number: 0 },
  }
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<void> | undefined
  let closed = false
  // about once an hour: workers that start together need not clean up together
  const isSteady = createClockGuard(now, clock, MAINTENANCE * (0.75 + random() / 2))

  const schedule = () => {
    if (!closed) timer ??= setTimeout(() => void flush(), INTERVAL).unref()
  }
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    flushing ??= writeAll().finally(() => {
      flushing = undefined
      if (!isEmpty(state)) schedule()
    })
    return flushing
  }
  const writeAll = async () => {
    for (
      let batch = nextBatch(state, writer, machine);
      batch !== undefined;
      batch = nextBatch(state, writer, machine)
    ) {
      const done = await store.add(batch)
      if (!done.ok) return // kept for the next time, and the engine has logged it
      state.pending = undefined
      for (const downgrade of done.value?.downgrades ?? []) {
        addAmount(state, 'downgrades', seriesOf('downgrades', {}), 1)
        onDowngrade(downgrade)
      }
      await setImmediate()
    }
    if (isSteady()) await store.removeOld(retention)
  }
  const writeAllNow = () => {
    for (
      let batch = nextBatch(state, writer, machine);
      batch !== undefined;
      batch = nextBatch(state, writer, machine)
    ) {
      if (!store.addNow(batch).ok) return
      state.pending = undefined
    }
  }
  const note = (change: () => void) => {
    if (closed) return
    change()
    schedule()
  }

  return {
    count: (meter, labels, by = 1) => note(() => addAmount(state, meter, seriesOf(meter, labels), by)),
    time: (meter, labels, milliseconds) =>
      note(() => {
        const seconds = milliseconds / 1000
        addAmount(state, meter, seriesOf(meter, labels, bucketOf(meter, seconds)), 1)
        addAmount(state, meter, seriesOf(meter, labels, 'sum'), seconds)
      }),
    recordConnection: (connection) => note(() => addConnection(state, connection)),
    judged: ({ results }) =>
      note(() => {
        for (const { policy, failure } of results)
          addAmount(
            state,
            'policyResults',
            seriesOf('policyResults', { policy: policy.type, result: failure?.type ?? 'success' }),
            1,
          )
      }),
    addDeferred: (message) =>
      note(() => {
        const reasons = [...new Set(message.reasons)].slice(0, MOST_REASONS)
        const bounded = {
          ...message,
          domain: nameOf(message.domain),
          reasons,
          text: message.text.slice(0, LONGEST_TEXT),
        }
        setLatest(state.waiting, message.id, { id: message.id, message: bounded })
      }),
    removeDeferred: (id) => note(() => setLatest(state.waiting, id, { id, message: undefined })),
    tested: (health) => note(() => (state.resolver = { ...health, machine })),
    flush,
    flushNow: writeAllNow,
    close: async () => {
      await flush()
      closed = true
      clearTimeout(timer)
    },
  }
}

function addAmount({ amounts }: State, meter: MeterName, labels: string, by: number): void {
  const { name } = METERS[meter]
  const key = `${name} ${labels}` // as many as the labels allow
  const known = amounts.get(key)
  if (known === undefined) amounts.set(key, { amount: { meter: name, labels }, value: by })
  else known.value += by
}

function addConnection(state: State, seen: ConnectionEvent): void {
  const { level, tlsVersion, reason } = seen
  addAmount(state, 'connections', seriesOf('connections', { level, reason }), 1)
  if (level !== 'refused' && tlsVersion !== undefined)
    addAmount(state, 'tlsVersions', seriesOf('tlsVersions', { version: tlsVersion }), 1)

  const domain = nameOf(seen.domain)
  const host = seen.host === undefined ? undefined : nameOf(seen.host)
  const kind = level === 'refused' ? 'refused' : 'opened'
  const connection = { ...seen, domain, host, text: seen.text.slice(0, LONGEST_TEXT) }
  setLatest(state.connections, `${kind} ${host ?? ''} ${domain}`, connection)
}

function nameOf(name: string): string {
  return name.slice(0, LONGEST_NAME)
}

/** The last one counts, and comes last. Where there are too many, the first ones go. */
function setLatest<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= MOST_KEPT) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

function isEmpty({ amounts, connections, waiting, resolver, pending }: State): boolean {
  return [amounts, connections, waiting].every(({ size }) => size === 0) && !resolver && !pending
}

/** What comes next: what was tried before and may not have arrived, else a piece of what there is. */
function nextBatch(state: State, writer: string, machine: string): MonitorBatch | undefined {
  if (state.pending !== undefined || isEmpty(state)) return state.pending
  const { resolver } = state
  state.resolver = undefined
  state.pending = {
    ...{ writer, number: ++state.number, machine, resolver },
    amounts: take(state.amounts).map(({ amount, value }) => ({ ...amount, value })),
    connections: take(state.connections),
    waiting: take(state.waiting),
  }
  return state.pending
}

function take<Value>(map: Map<string, Value>): Value[] {
  const taken: Value[] = []
  for (const [key, value] of map) {
    if (taken.length === PIECE) break
    map.delete(key)
    taken.push(value)
  }
  return taken
}
