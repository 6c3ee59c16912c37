/**
 * A store of what there is to look at that is as full as it gets: for whoever measures what reads from it.
 *
 * @module
 */
import {
  METERS,
  type Amount,
  type Meter,
  type MonitorBatch,
  type MonitorStore,
  type ResolverState,
  type ConnectionEvent,
  type WaitingChange,
} from '../../dist/lib/monitor/index.js'

export interface Filling {
  /** whose counters they are */
  readonly machine: string
  /** milliseconds since 1970: everything was seen before */
  readonly now: number
  readonly destinations?: number
  /** altogether, each of another host or kind: at least one for each destination */
  readonly sightings?: number
  readonly waiting?: number
}

const HOUR = 3_600_000
const DAYS = 30
/** One in so many destinations fails; as many have recovered. */
const FAILING = 50
const BATCH = 2000

/** 100,000 destinations, a million sightings, ten thousand messages, and every counter there is. Takes half a minute and more. */
export async function fillMonitor(store: MonitorStore, filling: Filling): Promise<void> {
  const { machine, now, destinations = 100_000, sightings = 1_000_000, waiting = 10_000 } = filling
  const write = createWriter(store, machine, now)
  await write({ amounts: everyAmount(), resolver: resolverOf(machine, now) })
  await inBatches(messages(waiting, destinations, now), (changes) => write({ waiting: changes }))
  await inBatches(sightingsOf(destinations, sightings, now), (seen) => write({ connections: seen }))
}

export function domainOf(index: number): string {
  return `mail.destination-${index}.example`
}

function createWriter(store: MonitorStore, machine: string, now: number) {
  const writer = `filler ${now}`
  let number = 0
  const nothing = { amounts: [], connections: [], waiting: [], resolver: undefined }
  return async (part: Partial<MonitorBatch>): Promise<void> => {
    const done = await store.add({ ...nothing, ...part, writer, number: ++number, machine }, now)
    if (!done.ok) throw new Error(done.text)
  }
}

async function inBatches<Item>(items: Iterable<Item>, write: (batch: Item[]) => Promise<void>): Promise<void> {
  let batch: Item[] = []
  for (const item of items) {
    if (batch.push(item) < BATCH) continue
    await write(batch)
    batch = []
  }
  if (batch.length > 0) await write(batch)
}

/** Every series of every meter, `other` and all buckets among them. */
function everyAmount(): Amount[] {
  return Object.values<Meter>(METERS).flatMap(({ name, labels, buckets }) => {
    let series: Record<string, string>[] = [{}]
    for (const [label, values] of Object.entries(labels))
      series = series.flatMap((known) => [...values, 'other'].map((value) => ({ ...known, [label]: value })))
    if (buckets !== undefined)
      series = series.flatMap((known) => [...buckets, '+Inf', 'sum'].map((le) => ({ ...known, le: String(le) })))
    return series.map((one, index) => ({ meter: name, labels: JSON.stringify(one), value: 1000 + index }))
  })
}

function resolverOf(machine: string, at: number): ResolverState {
  const server = { server: '127.0.0.1:53', validates: true, answered: true, text: '127.0.0.1:53: org comes with AD' }
  return { machine, at, trustAd: true, validates: true, secureAnswers: true, servers: [server] }
}

function* messages(count: number, destinations: number, now: number): Generator<WaitingChange> {
  for (let index = 0; index < count; index++) {
    const domain = domainOf((index % 300) * Math.max(1, Math.floor(destinations / 300)))
    const id = `${now}_${index}`
    const times = { since: now - (index % 5000) * 60_000, nextAt: now + (index % 60) * 60_000 }
    const text = `no host of ${domain} satisfied its policy: mx0.${domain}[192.0.2.1] (DANE: no TLSA record matches)`
    yield { id, message: { id, domain, ...times, status: '4.7.5', reasons: ['dane-no-match'], text } }
  }
}

/** Host by host, so that each destination is seen again and again, as mail comes. */
function* sightingsOf(destinations: number, count: number, now: number): Generator<ConnectionEvent> {
  for (let index = 0; index < count; index++) {
    const domain = domainOf(index % destinations)
    const round = Math.floor(index / destinations)
    const isRefusal = round % 2 === 1 && index % FAILING < 2
    const host = `mx${Math.floor(round / 2)}.${domain}`
    const age = (((index * 7919) % destinations) / destinations) * DAYS * 24 * HOUR
    // the even ones of those that fail were delivered to since
    const at = Math.round(now - age - (isRefusal && index % 2 === 0 ? HOUR : 0))
    yield isRefusal ? refusalOf(domain, host, at) : openingOf(domain, host, at - (index % 2 === 0 ? 0 : HOUR), round)
  }
}

function refusalOf(domain: string, host: string, at: number): ConnectionEvent {
  const text = `refused ${host}[192.0.2.1]:25 for ${domain}: none of 2 TLSA records matches its certificate. RFC 7672 2.2. Next host.`
  return { at, domain, host, level: 'refused', tlsVersion: 'TLSv1.3', reason: 'dane-no-match', text }
}

function openingOf(domain: string, host: string, at: number, round: number): ConnectionEvent {
  const text = `Verified TLS connection to ${host}[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (RFC 7672 3.1.1)`
  // the other kind of a host that is never refused is another host
  const other = round % 2 === 1 ? `x${host}` : host
  return { at, domain, host: other, level: 'verified', tlsVersion: 'TLSv1.3', reason: 'dane-match', text }
}
