/**
 * Reads the reports in a message that has come: as many at once as there are places for, no longer than there is time for.
 *
 * The SMTP client waits for as little as possible: until the reports have been read, since the message is to say what is wrong with
 * them, and until they are kept only where the message goes no further.
 *
 * @module
 */

import type { Lookup } from '../lib/dns'
import { readSignedMessage, type Refusal, type SignedMessage } from '../lib/tlsrpt/parsing'
import { errorText } from '../lib/error-text'
import type { Captured } from './capture'
import { keepReport, type Keeper } from './keeping'
import type { Turns } from './turns'

export interface Reader extends Keeper {
  readonly lookup: Lookup
  readonly turns: Turns
}

/** What came of a message. */
export interface Reading {
  /** what is wrong with its reports, or why they were not read; undefined: nothing, or there are none */
  readonly problem: string | undefined
  /** it held reports, and nothing but valid ones, each of them about us, all of which have been kept */
  readonly isDone: boolean
}

/** From the end of the message until its reports are kept: milliseconds. */
const READING_TIMEOUT = 20_000
const MOST_REFUSALS = 3

/**
 * Reads a message.
 *
 * @param from - what it is called in the log
 * @param waitsForKeeping - whether the answer waits until reports are kept. Otherwise that goes on, and `isDone` is false
 */
export async function read(
  reader: Reader,
  captured: Captured,
  from: string,
  waitsForKeeping: boolean,
): Promise<Reading> {
  const { log, turns } = reader
  const unread = (why: string): Reading => {
    log('warn', `${from}: not looked into for TLS reports: ${why}`)
    return { problem: `not-read: ${why}`, isDone: false }
  }
  if (captured.state === 'too-large') return unread('too large a message')
  if (captured.state === 'no-room') return unread('too many messages at once')
  const deadline = performance.now() + READING_TIMEOUT
  const end = await turns.take(READING_TIMEOUT)
  if (end === undefined) return unread('too many messages at once')

  return new Promise((resolve) => {
    const abort = new AbortController()
    let isAnswered = false
    const answer = (reading: Reading): void => {
      isAnswered = true
      resolve(reading)
    }
    const timer = setTimeout(() => {
      abort.abort()
      end()
      if (isAnswered) log('warn', `${from}: its TLS reports are not kept: no time left`)
      else answer(unread('no time left'))
    }, deadline - performance.now())
    const onRead = (refusals: readonly Refusal[]): void => {
      if (!waitsForKeeping) answer({ problem: problemOf(refusals), isDone: false })
    }
    readAndKeep(reader, captured.blocks, from, abort.signal, onRead)
      .then(answer, (error: unknown) => {
        if (!abort.signal.aborted) answer(unread(errorText(error)))
      })
      .finally(() => {
        clearTimeout(timer)
        end()
      })
  })
}

async function readAndKeep(
  reader: Reader,
  blocks: Buffer[],
  from: string,
  signal: AbortSignal,
  onRead: (refusals: readonly Refusal[]) => void,
): Promise<Reading> {
  const now = Date.now()
  const limits = { maxSize: reader.settings.maxSize, now }
  const message = await readSignedMessage(untilAborted(blocks, signal), reader.lookup, limits, ({ refusals }) =>
    onRead(refusals),
  )
  const { reports, refusals, signatures } = message
  for (const { code, text } of refusals) {
    reader.log('notice', `${from}: no TLS report that can be read: ${code}: ${text}`)
    reader.count('invalid')
  }
  const why = whyUnsigned(message)
  let done = 0
  for (const { report, notes, signedBy } of reports) {
    if (signal.aborted) break
    const arrival = { report, notes, receivedAt: now, source: 'mail', signedBy } as const
    const { report: kept, state } = await keepReport(reader, arrival, from, why)
    // one about others only is not for us: a client may be relaying it to a report address elsewhere
    if (state !== 'lost' && kept.ours.includes(true)) done++
  }
  const isDone = reports.length > 0 && done === reports.length && refusals.length === 0 && !signatures.isTemporary
  return { problem: problemOf(refusals), isDone }
}

function whyUnsigned({ signatures }: SignedMessage): string {
  const { verified, failures } = signatures
  if (verified.length > 0) return `signed by ${verified.join(', ')}, not by the domain of contact-info or From`
  return failures.length > 0 ? failures.join('; ') : 'not signed'
}

function problemOf(refusals: readonly Refusal[]): string | undefined {
  if (refusals.length === 0) return undefined
  return refusals
    .slice(0, MOST_REFUSALS)
    .map(({ code, text }) => `${code}: ${text}`)
    .join('; ')
}

/** What has been read is let go of: looking up keys may take its time. */
// eslint-disable-next-line @typescript-eslint/require-await -- the reader decides the pace
async function* untilAborted(blocks: Buffer[], signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    signal.throwIfAborted()
    yield block
  }
}
