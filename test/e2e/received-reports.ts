/**
 * Reports that others send to a Haraka: as mail, signed or not, and what became of them there.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { receivedSql, type KeptReport } from '../../dist/lib/tlsrpt/received/index.js'
import { createStore } from '../../dist/lib/store/index.js'
import type { PrivateInternet } from '../internet/index.ts'
import { counts, json, sts } from '../lib/tlsrpt/parsing/corpus/specimen.ts'
import { message, multipart, reportPart, textPart, type MailPart } from '../lib/tlsrpt/parsing/mail.ts'
import { ed25519Key, signed } from '../lib/tlsrpt/parsing/signing.ts'
import type { Ini } from './instance.ts'

const DAY = 86_400_000
const key = ed25519Key()

/** Who sends reports, and who signs with the key in DNS. */
export const REPORTER = 'sender.test'
/** Whom they are about. */
export const OURS = 'example.org'

/** An analysis.ini for reports about {@link OURS}, sent to report addresses of any domain. */
export function analysisIni(changes: Ini[string] = {}): Ini {
  return { main: { addresses: ['tls-reports@*'], domains: [OURS], ...changes } }
}

/** Puts the reporter's key into DNS. */
export function publishKey(net: PrivateInternet, domain = REPORTER): void {
  net.dns.declare(`tlsrpt._domainkey.${domain}`, { TXT: [`v=DKIM1; s=tlsrpt; ${key.record}`] })
}

export interface ReportOptions {
  readonly id: string
  /** of contact-info */
  readonly domain?: string
  readonly organization?: string
  readonly successes?: number
  readonly failures?: number
  readonly policies?: readonly object[]
}

/** A report about yesterday, as JSON. */
export function reportJson({ id, domain = REPORTER, ...more }: ReportOptions): Buffer {
  const { organization = 'Sender', successes = 9, failures = 0 } = more
  const day = new Date(Date.now() - DAY).toISOString().slice(0, 10)
  const detail = { 'result-type': 'certificate-expired', 'receiving-mx-hostname': 'mx1.example.org' }
  const details = failures === 0 ? [] : [{ ...detail, 'failed-session-count': failures }]
  const policy = { policy: sts, summary: counts(successes, failures), 'failure-details': details }
  return json({
    'organization-name': organization,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': `tls@${domain}`,
    'report-id': id,
    policies: more.policies ?? [policy],
  })
}

/** A message with a report in it. */
export function reportMail(options: ReportOptions, ...others: readonly MailPart[]): Buffer {
  return message(multipart([textPart, reportPart(gzipSync(reportJson(options))), ...others]), {
    From: `TLS <noreply@${options.domain ?? REPORTER}>`,
  })
}

/** The same with a signature of the reporter. @param length - of the body that is signed, where not all of it is (`l=`) */
export function signedMail(options: ReportOptions, signer = REPORTER, length?: number): Promise<Buffer> {
  return signed(reportMail(options), key, { domain: signer, ...(length !== undefined && { length }) })
}

/** What is kept in an instance: what counts, then what does not. */
export async function keptIn(folder: string): Promise<readonly KeptReport[]> {
  const path = join(folder, 'outbound-tls.db')
  if (!existsSync(path)) return []
  const store = createStore({ engine: 'sqlite', path, create: false, readOnly: true }, () => undefined)
  const received = store.module(receivedSql)
  try {
    const kept: KeptReport[] = []
    for (const isCounted of [true, false]) {
      const entries = await received.entries({ since: 0, isCounted, limit: 10_000 })
      if (!entries.ok && entries.text.includes('no tables')) return [] // outcomes were written before any report
      if (!entries.ok) throw new Error(entries.text)
      for (const { id } of entries.value) {
        const report = await received.read(id)
        if (report.ok && report.value !== undefined) kept.push(report.value)
      }
    }
    return kept
  } finally {
    store.end()
  }
}

/** What a stranger's message has become in the mailbox of the plugin mailbox; undefined: it is not there. */
export function inMailbox(folder: string, uuid: string): string | undefined {
  const file = join(folder, 'mailbox', `${uuid.replace(/\.$/, '')}.eml`)
  return existsSync(file) ? readFileSync(file, 'latin1') : undefined
}
