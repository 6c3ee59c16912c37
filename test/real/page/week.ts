/**
 * A week of a mail server that sends some thousand messages a day, written into the stores of an instance: what the page is to show.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import type { ConnectionEvent } from '../../../dist/lib/monitor/index.js'
import { readStsPolicy } from '../../../dist/lib/mta-sts/index.js'
import type { Batch, LevelCount } from '../../../dist/lib/tlsrpt/counting/index.js'
import type { EntryChange } from '../../../dist/lib/tlsrpt/sending/index.js'
import { writeReceived } from './month.ts'
import { REPORT } from './report.ts'
import { DAY, HOUR, MINUTE, value, type Stores } from './stores.ts'

/** The same numbers each time, 0 to 1. */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** Writes all of it. @param now - milliseconds since 1970 */
export async function writeWeek(stores: Stores, now: number): Promise<void> {
  await writeMonitor(stores, now)
  await writePolicies(stores, now)
  await writeOutcomes(stores, now)
  await writeReports(stores, now)
  await writeReceived(stores, now)
}

const REFUSALS = {
  'krause-logistik.example': {
    reason: 'dane-no-match',
    text: 'none of 2 TLSA records at _25._tcp.mx1.krause-logistik.example matches its certificate (3 1 1 9f86d081…, 3 1 1 60303ae2…; presented 3 1 1 fd61a03a…). RFC 7672 2.2',
  },
  'stadtwerke-nord.example': {
    reason: 'certificate-expired',
    text: 'MTA-STS: its certificate has expired on 2026-11-24 (policy of stadtwerke-nord.example, mode enforce). RFC 8461 4.2',
  },
  'alpenverein.example': {
    reason: 'starttls-not-offered',
    text: 'STARTTLS is not offered; MTA-STS policy of alpenverein.example, mode enforce. RFC 8461 4.2',
  },
} as const

const FINE = [
  ...['posthaus.example', 'nordlicht.example', 'uni-harz.example', 'kanzlei-weber.example', 'museum.example'],
  ...['bakery.example', 'atelier-lumiere.example', 'fjord-shipping.example', 'olive.example', 'kiosk.example'],
  ...['xn--bcher-kva.example', 'mail.regionalverkehr.example', 'feinkost.example', 'segelclub.example'],
]
const PLAIN = ['druckerei-alt.example', 'oldpost.example']

async function writeMonitor({ monitor }: Stores, now: number): Promise<void> {
  const seen = (domain: string, at: number, change: Partial<ConnectionEvent>): ConnectionEvent => {
    const host = `mx1.${domain}`
    const text = `Verified TLS connection to ${host}[192.0.2.7]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384, matched DANE-EE 3 1 1 151098f4… (RFC 7672 3.1.1)`
    return { at, domain, host, level: 'verified', tlsVersion: 'TLSv1.3', reason: 'dane-match', text, ...change }
  }
  const sightings = [
    ...FINE.map((domain, index) => seen(domain, now - (index + 1) * 11 * MINUTE, index % 3 === 2 ? TRUSTED : {})),
    ...PLAIN.map((domain, index) => seen(domain, now - (index + 2) * HOUR, CLEAR)),
    seen('stadtwerke-nord.example', now - 2 * DAY, TRUSTED),
    seen('krause-logistik.example', now - 3 * DAY, {}),
    seen('museum.example', now - DAY, {
      ...refused('starttls-refused', 'STARTTLS is refused: 454 4.7.0 TLS not available'),
      host: 'mx2.museum.example',
    }),
    ...Object.entries(REFUSALS).map(([domain, { reason, text }], index) =>
      seen(domain, now - (index + 1) * 7 * MINUTE, refused(reason, text)),
    ),
  ]
  const waits = (id: string, domain: keyof typeof REFUSALS, since: number, nextAt: number) => {
    const { reason, text } = REFUSALS[domain]
    const status = reason === 'starttls-not-offered' ? '4.7.4' : '4.7.5'
    const message = { id, domain, since, nextAt, status, reasons: [reason], text: `mx1.${domain} refused: ${text}` }
    return { id, message }
  }
  await value(
    monitor.add(
      {
        ...{ writer: 'week', number: 1, machine: 'mail1.example.net' },
        amounts: [],
        connections: sightings,
        waiting: [
          waits(
            '1764201600000_1764208800000_3_101_ab_1_mail1',
            'krause-logistik.example',
            now - 5 * HOUR,
            now + 22 * MINUTE,
          ),
          waits(
            '1764201600001_1764208800000_2_101_cd_1_mail1',
            'krause-logistik.example',
            now - 2 * HOUR,
            now + 51 * MINUTE,
          ),
          waits(
            '1764201600002_1764208800000_4_101_ef_1_mail1',
            'stadtwerke-nord.example',
            now - 26 * HOUR,
            now + 3 * HOUR,
          ),
          waits(
            '1764201600003_1764208800000_1_101_gh_1_mail1',
            'alpenverein.example',
            now - 21 * MINUTE,
            now + 9 * MINUTE,
          ),
        ],
        resolver: resolver('mail1.example.net', now - 18 * MINUTE),
      },
      now,
    ),
  )
  const other = {
    writer: 'week2',
    number: 1,
    machine: 'mail2.example.net',
    amounts: [],
    connections: [],
    waiting: [],
  }
  await value(monitor.add({ ...other, resolver: resolver('mail2.example.net', now - 33 * MINUTE) }, now))
}

const TRUSTED = {
  level: 'trusted',
  reason: 'starttls-optional',
  text: 'Trusted TLS connection: its certificate is valid for its name',
} as const
const CLEAR = {
  level: 'clear-text',
  tlsVersion: undefined,
  reason: 'starttls-not-offered',
  text: 'in clear text: STARTTLS is not offered; no policy asks for TLS; starttls = optional',
} as const

function refused(reason: string, text: string): Partial<ConnectionEvent> {
  return { level: 'refused', tlsVersion: undefined, reason, text }
}

function resolver(machine: string, at: number) {
  const text = '127.0.0.1:53: org comes with AD; nlnetlabs.nl comes with AD'
  const servers = [{ server: '127.0.0.1:53', validates: true, answered: true, text }]
  return { machine, at, trustAd: true, validates: true, secureAnswers: true, servers }
}

/** Busy by day, quiet by night and at weekends; two days ago somebody broke a certificate. */
function levels(now: number): LevelCount[] {
  const roll = dice(7)
  const last = Math.floor(now / HOUR) * HOUR
  return Array.from({ length: 7 * 24 }, (_, ago) => last - ago * HOUR).flatMap((hour, ago) => {
    const date = new Date(hour)
    const byDay = Math.max(0.08, Math.sin(((date.getUTCHours() - 5) / 15) * Math.PI))
    const busy = Math.round((date.getUTCDay() % 6 === 0 ? 60 : 240) * byDay * (0.8 + 0.4 * roll()))
    const of = (level: LevelCount['level'], count: number, tlsVersion?: string): LevelCount[] => {
      return count < 1 ? [] : [{ hour, level, tlsVersion, count: Math.round(count) }]
    }
    return [
      ...of('verified', busy * 0.31, 'TLSv1.3'),
      ...of('trusted', busy * 0.56, 'TLSv1.3'),
      ...of('trusted', busy * 0.05, 'TLSv1.2'),
      ...of('untrusted', busy * 0.06, 'TLSv1.2'),
      ...of('clear-text', busy * 0.012),
      ...of('refused', ago < 40 ? 1 + 6 * byDay * roll() : busy * 0.006),
    ]
  })
}

export function policyText(domain: string, mode = 'enforce'): string {
  return `version: STSv1\r\nmode: ${mode}\r\nmx: mx1.${domain}\r\nmx: *.${domain}\r\nmax_age: 604800\r\n`
}

async function writePolicies({ policies }: Stores, now: number): Promise<void> {
  const save = async (domain: string, mode: string, fetchedAt: number, failures = 0) => {
    const read = readStsPolicy(policyText(domain, mode))
    assert.ok(read.ok)
    const times = { fetchedAt, usedAt: now - DAY, refreshAt: fetchedAt + DAY }
    await value(policies.save({ domain, id: `20261101T${fetchedAt % 1000}`, policy: read.policy, failures, ...times }))
  }
  const domains = [...FINE.slice(0, 8), 'alpenverein.example', 'stadtwerke-nord.example']
  for (const [index, domain] of domains.entries())
    await save(domain, index % 4 === 3 ? 'testing' : 'enforce', now - (index + 2) * 67 * MINUTE)
  await save('segelclub.example', 'enforce', now - 5 * DAY, 4)
  const failure = { type: 'sts-webpki-invalid', text: 'mta-sts.segelclub.example: certificate has expired' } as const
  await value(policies.noteFailedFetch('segelclub.example', { id: '20261101', at: now - 40 * MINUTE, failure }))
  const none = { type: 'sts-policy-fetch-error', text: 'mta-sts.oldpost.example: HTTP status 404' } as const
  await value(policies.noteFailedFetch('oldpost.example', { id: '1', at: now - 3 * HOUR, failure: none }))
}

async function writeOutcomes({ outcomes }: Stores, now: number): Promise<void> {
  const roll = dice(3)
  const domain = 'krause-logistik.example'
  const sessions: Batch['sessions'][number][] = []
  const policies: Batch['policies'][number][] = []
  for (let ago = 0; ago < 7 * 24; ago += 3) {
    const hour = Math.floor(now / HOUR) * HOUR - ago * HOUR
    const [host, failing] = [`mx1.${domain}`, ago < 72]
    const count = 1 + Math.floor(5 * roll())
    const level = failing ? 'refused' : 'verified'
    sessions.push({ hour, domain, host, level, tlsVersion: failing ? undefined : 'TLSv1.3', count })
    if (!failing)
      sessions.push({ hour, domain, host: `mx2.${domain}`, level: 'verified', tlsVersion: 'TLSv1.3', count: 1 })
    const tlsa = { type: 'tlsa', domain: host, strings: ['3 1 1 9F86D081'] } as const
    const failure = { type: 'validation-failure', reason: 'dane-no-match', receivingHost: host } as const
    policies.push({ hour, domain, policy: tlsa, failure: failing ? failure : undefined, count })
  }
  const [other = ''] = FINE
  sessions.push(...levels(now).map((level) => ({ ...level, domain: other, host: `mx1.${other}` })))
  await value(outcomes.add({ writer: 'week of outcomes', number: 1, policies, sessions }, now))
}

/** When the day began that a report is about. */
export const dayStart = (now: number, ago: number): number => Math.floor(now / DAY) * DAY - ago * DAY

async function writeReports({ ledger }: Stores, now: number): Promise<void> {
  const lease = await value(ledger.takeLease('week', MINUTE))
  assert.ok(lease)
  const write = async (domain: string, ago: number, change: EntryChange): Promise<void> => {
    const start = dayStart(now, ago)
    const reportId = `${new Date(start).toISOString().slice(0, 10)}.${domain}@example.net`
    await value(ledger.schedule(lease, [{ domain, start, end: start + DAY, reportId, dueAt: now + 2 * HOUR }]))
    const entry = await value(ledger.read({ domain, start }))
    assert.ok(entry)
    if (Object.keys(change).length > 0) await value(ledger.change(entry, change, lease))
  }
  const to = (rua: string, state: 'accepted' | 'failed' | 'waiting' | 'skipped', note?: string) => {
    return { rua, state, attempts: 1, nextAt: state === 'waiting' ? now + HOUR : Infinity, note }
  }
  const size = Buffer.from(gzipSync(JSON.stringify(REPORT)))
  for (let ago = 2; ago <= 7; ago++) {
    for (const [index, domain] of FINE.slice(0, 6).entries()) {
      const destinations = [to(`mailto:tls-reports@${domain}`, 'accepted', '250 2.0.0 Ok: queued')]
      const sessions = { successful: 80 + 31 * index + ago, failed: index === 2 ? ago : 0 }
      await write(domain, ago, {
        state: 'sent',
        dueAt: Infinity,
        firstTriedAt: now - ago * DAY,
        destinations,
        sessions,
        frozen: size,
      })
      await write(domain, ago, {})
    }
  }
  for (const domain of FINE.slice(0, 4)) await write(domain, 1, {})
  const unreachable = 'https://reports.stadtwerke-nord.example/tlsrpt: HTTP status 503'
  await write('stadtwerke-nord.example', 3, {
    ...{ state: 'given-up', dueAt: Infinity, firstTriedAt: now - 2 * DAY, frozen: size },
    ...{
      destinations: [to('https://reports.stadtwerke-nord.example/tlsrpt', 'failed', unreachable)],
      sessions: { successful: 41, failed: 9 },
    },
  })
  await write('krause-logistik.example', 1, {
    ...{
      state: 'sending',
      dueAt: now + HOUR,
      firstTriedAt: now - HOUR,
      frozen: size,
      sessions: { successful: 0, failed: 11 },
    },
    destinations: [to('mailto:tlsrpt@krause-logistik.example', 'waiting', 'deferred: 451 4.3.0 try again later')],
  })
  await write('druckerei-alt.example', 1, { state: 'not-wanted', dueAt: Infinity, note: 'it has no TLSRPT record' })
}
