/**
 * What strangers may have put into the stores to run something in the administrator's browser, to hide something, or to break the page.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { readStsPolicy } from '../../../dist/lib/mta-sts/index.js'
import { keep } from '../../../dist/lib/tlsrpt/received/index.js'
import { policy, report } from '../../lib/tlsrpt/parsing/corpus/specimen.ts'
import { DAY, HOUR, MINUTE, value, type Stores } from './stores.ts'

const RUN = 'globalThis.hacked=1;alert(1)'

/** Each of them says who it is, so that it is found on the page. */
export const HOSTILE: readonly string[] = [
  `script-<script>${RUN}</script>`,
  `attribute-"><img src=x onerror="${RUN}">`,
  `single-'><svg onload='${RUN}'>`,
  `style-</style><style>body{display:none}</style>`,
  `comment-<!--`,
  `link-<a href="javascript:${RUN}">x</a><meta http-equiv=refresh content="0;url=https://evil.example/">`,
  `turned-\u202egpj.exe\u2066\u200f`,
  `nothing-\u0000\u0007\u001b[31m\u009b`,
  `half-\ud800`,
  `template-\${${RUN}}{{7*7}}`,
  `long-${'x'.repeat(10_000)}`,
  `wide-${'W'.repeat(250)}.example`,
  `lines-\n\n\r\n`,
]

/** Writes all of them into everything that the page shows. */
export async function writeHostile(stores: Stores, now: number): Promise<void> {
  for (const [number, text] of HOSTILE.entries()) await writeOne(stores, number + 1, text, now)
}

async function writeOne(stores: Stores, number: number, text: string, now: number): Promise<void> {
  await writeSeen(stores, number, text, now)
  await writePolicy(stores, text, now)
  await writeReport(stores, text, now)
  await writeReceived(stores, number, text, now)
}

async function writeSeen({ monitor, outcomes }: Stores, number: number, text: string, now: number): Promise<void> {
  const domain = text
  const seen = { at: now - number * MINUTE, domain, host: text, reason: text, text: `${text} ${text}` }
  const message = { id: text, domain, since: now - DAY, nextAt: now + HOUR, status: text, reasons: [text, text], text }
  const server = { server: text, validates: false, answered: true, text }
  const state = { machine: text, at: now, trustAd: true, validates: false, secureAnswers: false, servers: [server] }
  const sightings = [
    { ...seen, level: 'refused', tlsVersion: undefined } as const,
    { ...seen, at: seen.at - HOUR, level: 'untrusted', tlsVersion: text } as const,
  ]
  const hour = Math.floor(now / HOUR) * HOUR
  const batch = { writer: 'hostile', number, machine: 'mail1', amounts: [] }
  await value(monitor.add({ ...batch, connections: sightings, waiting: [{ id: text, message }], resolver: state }, now))

  const failure = { type: 'validation-failure', reason: text, receivingHost: text } as const
  const policies = [
    { hour, domain, policy: { type: 'tlsa', domain: text, strings: [text] }, failure, count: 3 },
  ] as const
  const sessions = [
    { hour, domain, host: text, level: 'refused', tlsVersion: text, count: 3 },
    { hour, domain, host: text, level: 'trusted', tlsVersion: text, count: 1 },
  ] as const
  await value(outcomes.add({ writer: 'hostile outcomes', number, policies, sessions }, now))
}

async function writePolicy({ policies }: Stores, text: string, now: number): Promise<void> {
  const line = text.replace(/[^\x20-\x7e\u00a0-\u{10ffff}]/gu, '') || 'x'
  const read = readStsPolicy(`version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 604800\nx: ${line}\n`)
  const found = read.ok ? read.policy : undefined
  if (found !== undefined) {
    const entry = {
      policy: { ...found, notes: [text] },
      fetchedAt: now - HOUR,
      usedAt: now,
      refreshAt: now,
      failures: 2,
    }
    await value(policies.save({ ...entry, domain: text, id: text }))
  }
  await value(policies.noteFailedFetch(text, { id: text, at: now, failure: { type: 'sts-policy-invalid', text } }))
}

async function writeReport({ ledger }: Stores, text: string, now: number): Promise<void> {
  const lease = await value(ledger.takeLease('hostile', MINUTE))
  assert.ok(lease)
  const key = { domain: text, start: Math.floor(now / DAY) * DAY - DAY }
  await value(ledger.schedule(lease, [{ ...key, end: key.start + DAY, reportId: text, dueAt: now }]))
  const entry = await value(ledger.read(key))
  assert.ok(entry)
  const destinations = [
    { rua: `https://${text}/`, state: 'failed', attempts: 1, nextAt: Infinity, note: text },
  ] as const
  const frozen = gzipSync(JSON.stringify({ 'organization-name': text, policies: [text] }))
  await value(ledger.change(entry, { state: 'given-up', dueAt: Infinity, destinations, note: text, frozen }, lease))
}

async function writeReceived({ received }: Stores, number: number, text: string, now: number): Promise<void> {
  const detail = { type: text, receivingHost: text, reason: text, information: text, sendingAddress: text, count: 4 }
  const ours = policy('sts', { domain: text, strings: [text], mx: [text], failures: 4, details: [detail] })
  const start = Math.floor(now / DAY) * DAY - DAY
  const said = report({ organization: text, contact: text }, text, [ours], { start, end: start + DAY })
  const notes = [{ code: 'details-folded', text }] as const
  for (const signedBy of [text, undefined]) {
    const arrival = { report: said, notes, receivedAt: now - number * MINUTE, source: 'mail', signedBy } as const
    await value(received.add(keep(arrival, () => true, true)))
  }
}
