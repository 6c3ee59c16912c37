/**
 * Reports in Haraka's own queue: how a mail gets there, and what the queue says of it later. Queued is not accepted.
 *
 * @module
 */

import constants from 'haraka-constants'
import type { Readable } from 'node:stream'
import type { HMailItem, Outbound, Plugin, Recipient } from '../runtime/haraka'
import { printable } from '../lib/delivery'
import { markTlsReport, tlsReportOf, type TlsReportMark } from '../lib/requiretls'
import type { QueueEvents, Transmission } from '../lib/tlsrpt/sending'
import { errorText } from '../lib/error-text'
import { withDotsDoubled } from './dots'

/** By when Haraka has said whether it has queued a mail; a plugin of others may be asked first. Milliseconds. */
const QUEUE_TIMEOUT = 4 * 60_000
const LONGEST_TEXT = 400

export interface QueuedMail {
  readonly mark: TlsReportMark
  readonly from: string
  readonly to: string
  /** signed, US-ASCII, dots as they are */
  readonly message: Readable
}

/** Hands a mail to Haraka's queue. Does not reject, and comes to an end by itself. */
export function queueMail(plugin: Plugin, { mark, from, to, message }: QueuedMail): Promise<Transmission> {
  const outbound = plugin.haraka_require('outbound')
  return new Promise((resolve) => {
    const late = { status: 'failed', isFinal: false, note: "Haraka's queue has not taken it in time" } as const
    const timer = setTimeout(() => resolve(late), QUEUE_TIMEOUT).unref()
    const answered: Parameters<Outbound['send_email']>[3] = (code, text) => {
      clearTimeout(timer)
      const note = String(text)
      if (code === constants.ok) resolve({ status: 'queued', note })
      else resolve({ status: 'failed', isFinal: code === constants.deny, note }) // denied: not an address for it
    }
    const notes = notesOf(plugin, mark)
    outbound.send_email(`<${from}>`, `<${to}>`, withDotsDoubled(message), answered, { notes })
  })
}

/** Core's own notes, for other plugins call their methods. */
function notesOf(plugin: Plugin, mark: TlsReportMark): object {
  const { notes } = plugin.haraka_require('transaction').createTransaction()
  markTlsReport(notes, mark)
  return Object.assign(notes, { dkim_signed: true }) // haraka-plugin-dkim would sign it once more
}

/** A mail that has arrived. Only reports are of interest here. */
export function noteDelivered(news: QueueEvents, { todo }: HMailItem, facts: readonly unknown[]): void {
  const mark = tlsReportOf(todo?.notes)
  if (mark === undefined) return
  const [host, ip, response] = facts
  void news.delivered(mark, mark.rua, sayOf(`${String(host)}[${String(ip)}]: ${String(response)}`))
}

/**
 * A mail that waits for another attempt of Haraka's.
 *
 * @param retryFor - milliseconds: what would be tried later than that, counted from when it was queued, is given up
 * @returns whether it is a report that is not tried any more
 */
export function noteDeferred(
  news: QueueEvents,
  { todo }: HMailItem,
  { delay, err }: { readonly delay: number; readonly err: unknown },
  { now, retryFor }: { readonly now: number; readonly retryFor: number },
): boolean {
  const mark = tlsReportOf(todo?.notes)
  if (todo === null || mark === undefined) return false
  const text = sayOf(String(err), todo)
  const queuedAt = Number.isFinite(todo.queue_time) ? todo.queue_time : now
  const isOver = now + delay * 1000 >= queuedAt + retryFor
  if (isOver) void news.bounced(mark, mark.rua, `${text}; retry-for is over`, false)
  else void news.deferred(mark, mark.rua, text)
  return isOver
}

/** A mail that no host has taken. */
export function noteBounced(news: QueueEvents, { todo }: HMailItem, error: unknown): void {
  const mark = tlsReportOf(todo?.notes)
  if (mark === undefined) return
  void news.bounced(mark, mark.rua, sayOf(errorText(error), todo), isRefusal(todo))
}

/** Whether a server has said that it will never take it. */
function isRefusal(todo: HMailItem['todo']): boolean {
  return String(recipientOf(todo).dsn_smtp_code).startsWith('5')
}

/** What a server said and which it is, where Haraka keeps that; else what Haraka says, which may name no more than recipients. */
function sayOf(text: string, todo?: HMailItem['todo']): string {
  const {
    dsn_remote_mta: host,
    dsn_smtp_code: code,
    dsn_smtp_extc: status,
    dsn_smtp_response: response,
  } = recipientOf(todo)
  if (typeof response !== 'string' || text.includes(response)) return printable(text, LONGEST_TEXT)
  const said = [typeof host === 'string' ? `${host}:` : '', code ?? '', status ?? '', response]
    .filter(Boolean)
    .join(' ')
  return printable(text.startsWith('Some recipients ') ? said : `${text}: ${said}`, LONGEST_TEXT)
}

function recipientOf(todo: HMailItem['todo'] | undefined): Partial<Recipient> {
  const recipients: readonly (Recipient | null)[] | undefined | null = todo?.rcpt_to
  return recipients?.[0] ?? {}
}
