/**
 * What reports cannot be sent without: who sends them, and keys to sign them with. None of it has a default that could leave a machine
 * unnoticed.
 *
 * @module
 */

import type { ReporterSettings } from '../lib/reports'
import { isAligned, missingForReports, type ReportSettings } from '../lib/settings'
import { readSigningKeys, type ReadConfigFile, type Sender, type SigningKey } from '../lib/transmit'
import { REPORT_FILE } from './configuration'

export interface Means {
  readonly reporter: ReporterSettings
  readonly sender: Sender
  /** at least one */
  readonly keys: readonly SigningKey[]
}

/** The means, or what is missing, one text each. */
export type MeansRead =
  | { readonly ok: true; readonly means: Means; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly missing: readonly string[] }

export function readMeans(settings: ReportSettings, readFile: ReadConfigFile): MeansRead {
  const { fromName, fromAddress, orgName: organization, contactInfo: contact, submitter } = settings
  const read = readSigningKeys(settings, readFile)
  const isNamed = organization !== undefined && contact !== undefined && submitter !== undefined
  if (!isNamed || fromAddress === undefined || !read.ok)
    return { ok: false, missing: [...missingForReports(settings), ...(read.ok ? [] : read.problems)] }

  const { rules, domains, spread, retryFor, suppress } = settings
  const names = { organization, contact, submitter }
  const means = {
    reporter: { ...rules, ...names, domains, spread, retryFor, suppress },
    sender: { ...names, fromName, fromAddress },
    keys: read.keys,
  }
  return { ok: true, means, warnings: [...read.warnings, ...strangers(settings, submitter, read.keys)] }
}

/** Keys of haraka-plugin-dkim's that are no use; of those that `sign[]` names the settings say it themselves. */
function strangers({ signatures }: ReportSettings, submitter: string, keys: readonly SigningKey[]): readonly string[] {
  if (signatures !== undefined || keys.some(({ domain }) => isAligned(domain, submitter))) return []
  const signers = keys.map(({ domain }) => domain).join(', ')
  return [
    `${REPORT_FILE}: reports of ${submitter} are signed by ${signers}: receivers ignore them (RFC 8460 3); sign[] may name a key of ${submitter}`,
  ]
}
