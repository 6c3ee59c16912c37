/**
 * A Haraka that reports, in an internet of its own: its configuration, its time, and what arrives of its reports.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { reportSql, type ReportEntry, type ReportLedger } from '../../dist/lib/tlsrpt/sending/index.js'
import { createStore, type Done } from '../../dist/lib/store/index.js'
import type { PolicyFacts, Report } from '../../dist/lib/tlsrpt/format/index.js'
import type { PrivateInternet } from '../internet/index.ts'
import type { MailServer } from '../internet/mail-server.ts'
import { assertReport } from '../lib/tlsrpt/format/schema.ts'
import { keyRecord, verifySignatures } from '../support/dkim.ts'
import { readReportMail, type ReportMail } from '../support/report-mail.ts'
import type { Haraka } from './haraka.ts'
import { mergeIni, type ConfigFiles, type Ini } from './instance.ts'
import { openOutcomes } from '../support/modules.ts'
import { sendTo } from './telling.ts'

export type { ReportEntry }

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** When a period is over, and its reports leave: the store closes an hour five minutes after its end. */
export const GRACE = 5 * MINUTE

export const FROM = 'noreply-tls@reporter.test'
export const CONTACT = 'postmaster@reporter.test'
export const ORGANIZATION = 'The Reporters of the Private Internet'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ed25519 = generateKeyPairSync('ed25519').privateKey
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** What is published of the keys, by name. */
const keyRecords: Readonly<Record<string, string>> = {
  'rsa._domainkey.reporter.test': keyRecord(rsa),
  'ed._domainkey.reporter.test': keyRecord(ed25519),
  'plugin._domainkey.reporter.test': keyRecord(otherRsa, 's=email'),
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The files that the keys are in, those of haraka-plugin-dkim's layout too. */
export const keyFiles: ConfigFiles = {
  'keys/rsa.pem': pem(rsa),
  'keys/ed25519.pem': pem(ed25519),
  'dkim/reporter.test/private': pem(otherRsa),
  'dkim/reporter.test/selector': 'plugin\n',
}

const reportIni: Ini = {
  main: {
    send: 'hourly',
    'from-address': FROM,
    'org-name': ORGANIZATION,
    'contact-info': CONTACT,
    spread: '0s',
    sign: ['rsa', 'ed25519'],
    'allow-private-addresses': true,
  },
  'signature:rsa': { domain: 'reporter.test', selector: 'rsa', 'private-key': 'keys/rsa.pem' },
  'signature:ed25519': { domain: 'reporter.test', selector: 'ed', 'private-key': 'keys/ed25519.pem' },
}

/** outbound-tls.report.ini of a Haraka that reports every hour. */
export function reportSettings(changes: Ini = {}): Ini {
  return mergeIni(reportIni, changes)
}

/** All that a Haraka needs to report, but for the rest of its configuration. */
export function reporting(changes: Ini = {}) {
  return {
    plugins: ['outbound-tls', 'outbound-tls/plugins/report'],
    clock: true,
    config: { ...keyFiles, 'outbound-tls.report.ini': reportSettings(changes) },
  } as const
}

/** A clock that begins with the day to come, and is only ever moved on. */
export function createTime(haraka: () => Haraka) {
  let hour = Math.ceil(Date.now() / DAY) * DAY
  return {
    /** the hour it is, in milliseconds since 1970 */
    get hour() {
      return hour
    },
    /** Goes on to an instant, in whichever hour it is. */
    moveTo: async (at: number): Promise<void> => {
      hour = Math.floor(at / HOUR) * HOUR
      await haraka().moveClock(at)
    },
    /** Ends the period that ends with `end`, so that its reports are due. */
    endPeriod: async (end: number): Promise<void> => {
      hour = end
      await haraka().moveClock(end + GRACE)
    },
  }
}

/** One message to a domain, in the hour that it is, which the store then has. */
export async function sessionWith(
  net: PrivateInternet,
  domain: string,
  { hour }: { readonly hour: number },
): Promise<void> {
  assert.equal((await sendTo(net, domain)).fate, 'delivered')
  await recorded(net.haraka, domain, 1, { start: hour, end: hour + HOUR })
}

/** Waits until the store has this many sessions of a domain in a period, as policies count them. */
export async function recorded(
  { folder }: Haraka,
  domain: string,
  count: number,
  period: { readonly start: number; readonly end: number },
  file = 'outbound-tls.db',
): Promise<readonly PolicyFacts[]> {
  const store = openOutcomes({ path: join(folder, file), log: () => undefined })
  try {
    for (let patience = 500; patience > 0; patience--) {
      const policies = valueOf(await store.policiesOf(domain, period))
      if (policies.reduce((sum, { successes, failures }) => sum + successes + failures, 0) >= count) return policies
      await sleep(20)
    }
    throw new Error(`fewer than ${count} outcomes of ${domain}`)
  } finally {
    store.end()
  }
}

/** What the ledger says of the reports on a domain, the latest first, as soon as it is as it should be. */
export function ledgerOf(
  haraka: Haraka,
  domain: string,
  isThere: (entries: readonly ReportEntry[]) => boolean,
): Promise<readonly ReportEntry[]> {
  return inLedger(haraka, (ledger) => ledger.list({ domain, limit: 100 }), isThere)
}

/** Something that the ledger knows, as soon as it is as it should be. */
export async function inLedger<Known>(
  { folder }: Haraka,
  read: (ledger: ReportLedger) => Promise<Done<Known>>,
  isThere: (known: Known) => boolean,
): Promise<Known> {
  const store = createStore({ engine: 'sqlite', path: join(folder, 'outbound-tls.db'), create: false }, () => undefined)
  const ledger = { ...store.module(reportSql), end: store.end }
  try {
    for (let patience = 500; ; patience--) {
      const known = valueOf(await read(ledger))
      if (isThere(known)) return known
      if (patience === 0) throw new Error(`the ledger says: ${JSON.stringify(known)}`)
      await sleep(20)
    }
  } finally {
    ledger.end()
  }
}

export function valueOf<Value>(done: Done<Value>): Value {
  assert.ok(done.ok, done.ok ? '' : done.text)
  return done.value
}

export interface ReadReport extends Omit<ReportMail, 'report'> {
  readonly report: Report
  readonly from: string
  readonly tls: boolean
}

/** The next report that a server gets, which must be signed by the reporter with each of these selectors, and be as the RFC has it. */
export async function nextReport(
  server: MailServer,
  selectors: readonly string[] = ['rsa', 'ed'],
): Promise<ReadReport> {
  const { data, from, tls } = await server.nextMessage(10_000)
  const signatures = verifySignatures(data, (name) => keyRecords[name])
  assert.deepEqual(
    signatures.map(({ selector, problem }) => [selector, problem]),
    selectors.map((selector) => [selector, undefined]),
  )
  const mail = readReportMail(data)
  return { ...mail, report: asReport(mail.report), from, tls }
}

export function asReport(report: unknown): Report {
  assertReport(report)
  return report as Report
}
