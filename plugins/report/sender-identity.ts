/**
 * Who sends reports, and the keys to sign them with: reports cannot be sent without. None of it has a default that could leave a machine
 * unnoticed.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ReporterSettings } from '../lib/tlsrpt/sending'
import { isAligned, missingForReports, sendsReports, type ReportSettings } from '../lib/settings'
import { readSigningKeys, type ReadConfigFile, type Sender, type SigningKey } from '../lib/tlsrpt/transmit'
import { configDirectory, REPORT_FILE } from '../runtime/config'
import type { Plugin } from '../runtime/haraka'
import { MINUTE } from '../lib/time'

export interface SenderIdentity {
  readonly reporter: ReporterSettings
  readonly sender: Sender
  /** at least one */
  readonly keys: readonly SigningKey[]
}

/** The identity, or what is missing, one text each. */
export type IdentityRead =
  | { readonly ok: true; readonly identity: SenderIdentity; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly missing: readonly string[] }

export function readIdentity(settings: ReportSettings, readFile: ReadConfigFile): IdentityRead {
  const { fromName, fromAddress, orgName: organization, contactInfo: contact, submitter } = settings
  const read = readSigningKeys(settings, readFile)
  const isNamed = organization !== undefined && contact !== undefined && submitter !== undefined
  if (!isNamed || fromAddress === undefined || !read.ok)
    return { ok: false, missing: [...missingForReports(settings), ...(read.ok ? [] : read.problems)] }

  const { rules, domains, spread, retryFor, suppress } = settings
  const names = { organization, contact, submitter }
  const identity = {
    reporter: { ...rules, ...names, domains, spread, retryFor, suppress },
    sender: { ...names, fromName, fromAddress },
    keys: read.keys,
  }
  const warnings = [
    ...read.warnings,
    ...misalignedKeys(settings, submitter, read.keys),
    ...misalignedFrom(fromAddress, read.keys),
  ]
  return { ok: true, identity, warnings }
}

/** Receivers with DMARC want a signature that is aligned with the From field (RFC 7489 §3.1.1). */
function misalignedFrom(fromAddress: string, keys: readonly SigningKey[]): readonly string[] {
  const from = fromAddress.replace(/^.*@/, '')
  if (keys.some(({ domain }) => isAligned(domain, from))) return []
  const signers = keys.map(({ domain }) => domain).join(', ')
  return [
    `${REPORT_FILE}: from-address is of ${from}, and reports are signed by ${signers}: receivers that want DMARC to pass reject them`,
  ]
}

/** Keys of haraka-plugin-dkim's that are no use; of those that `sign[]` names the settings say it themselves. */
function misalignedKeys(
  { signatures }: ReportSettings,
  submitter: string,
  keys: readonly SigningKey[],
): readonly string[] {
  if (signatures !== undefined || keys.some(({ domain }) => isAligned(domain, submitter))) return []
  const signers = keys.map(({ domain }) => domain).join(', ')
  return [
    `${REPORT_FILE}: reports of ${submitter} are signed by ${signers}: receivers ignore them (RFC 8460 3); sign[] may name a key of ${submitter}`,
  ]
}

export interface Identity {
  /** Reads it from these settings from now on, and says what is missing. */
  readonly use: (settings: ReportSettings) => void
  /** Undefined: something is missing. It is looked for once a minute: a key file may have been forgotten. */
  readonly now: () => SenderIdentity | undefined
}

/** The identity of this process as it changes. */
export function createIdentity(plugin: Plugin): Identity {
  let settings: ReportSettings | undefined
  let read: IdentityRead | undefined
  let readAt = -Infinity
  let said: string | undefined

  const look = (): void => {
    if (settings === undefined) return
    readAt = performance.now()
    read = readIdentity(settings, (path) => readConfigFile(plugin, path))
    const text = read.ok || !sendsReports(settings) ? undefined : missingText(read.missing)
    if (text !== undefined && text !== said) plugin.logcrit(text)
    if (text === undefined && said !== undefined) plugin.lognotice(`${REPORT_FILE}: nothing is missing any more`)
    said = text
    for (const warning of read.ok ? read.warnings : []) plugin.logwarn(warning)
  }
  return {
    use: (changed) => {
      settings = changed
      look()
    },
    now: () => {
      if (read?.ok === false && performance.now() - readAt >= MINUTE) look()
      return read?.ok ? read.identity : undefined
    },
  }
}

function missingText(what: readonly string[]): string {
  return `${REPORT_FILE}: no TLS reports are sent, outcomes are recorded all the same; what is missing: ${what.join('; ')}`
}

function readConfigFile({ config }: Plugin, path: string): string | undefined {
  try {
    return readFileSync(resolve(configDirectory(config), path), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
