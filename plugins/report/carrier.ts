/**
 * How a report travels: as mail through Haraka's queue, or by HTTPS.
 *
 * @module
 */

import type { Plugin } from '../runtime/haraka'
import { printable } from '../lib/delivery'
import type { HttpsClient } from '../lib/https'
import type { OutgoingReport, Transmission, Transmit } from '../lib/tlsrpt/sending'
import { composeMail, postReport } from '../lib/tlsrpt/transmit'
import { queueMail } from './queue'
import type { SenderIdentity } from './sender-identity'

export interface CarrierOptions {
  readonly plugin: Plugin
  readonly ask: HttpsClient
  /** as they are now; undefined: something is missing */
  readonly identity: () => SenderIdentity | undefined
}

const LONGEST_NOTE = 400

/** One attempt at one destination, whichever it is. Its text may come from the receiver, and fits a log line. */
export function createCarrier({ plugin, ask, identity }: CarrierOptions): Transmit {
  return async (report, rua) => {
    const to = addressIn(rua)
    const transmission =
      to === undefined ? await postReport(ask, report, rua) : await sendMail(plugin, report, { rua, to }, identity())
    return { ...transmission, note: printable(transmission.note, LONGEST_NOTE) }
  }
}

function addressIn(rua: string): string | undefined {
  return rua.startsWith('mailto:') ? rua.slice('mailto:'.length) : undefined
}

async function sendMail(
  plugin: Plugin,
  report: OutgoingReport,
  { rua, to }: { readonly rua: string; readonly to: string },
  identity: SenderIdentity | undefined,
): Promise<Transmission> {
  if (identity === undefined)
    return { status: 'failed', isFinal: false, note: 'the configuration lacks what is needed' }
  const { sender, keys } = identity
  const mail = await composeMail(report, { sender, to, keys, now: Date.now() })
  if (!mail.ok) return { status: 'failed', isFinal: false, note: mail.text }
  const mark = { domain: report.domain, start: report.period.start, rua }
  return queueMail(plugin, { mark, from: sender.fromAddress, to, message: mail.read() })
}
