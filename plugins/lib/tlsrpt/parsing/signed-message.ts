/**
 * A message read once: its reports, and who stands behind each of them (V1).
 *
 * @module
 */

import type { Lookup } from '../../dns'
import { readMessage, type FoundReport, type MessageReading } from './message'
import type { ReadingLimits } from './read'
import type { Refusal } from './refusal'
import { createSignatureCheck, reportingDomain, type Signatures } from './signature'

export interface SignedMessage {
  readonly reports: readonly SignedReport[]
  /** see {@link MessageReading} */
  readonly refusals: readonly Refusal[]
  readonly signatures: Signatures
}

export interface SignedReport extends FoundReport {
  /** the domain whose signature makes it count; undefined: anyone may have written it */
  readonly signedBy: string | undefined
}

/**
 * Reads the reports in a message and verifies its signatures.
 *
 * @param source - the message as it came, with CRLF; read to its end. What rejects there rejects here
 * @param onRead - called when all reports have been read, while the keys of signatures are still to be looked up
 */
export async function readSignedMessage(
  source: AsyncIterable<Uint8Array>,
  lookup: Lookup,
  limits: ReadingLimits,
  onRead: (reading: MessageReading) => void = () => undefined,
): Promise<SignedMessage> {
  const chunks = source[Symbol.asyncIterator]()
  const check = createSignatureCheck(lookup, limits.now)
  const checked = async (): Promise<IteratorResult<Uint8Array, unknown>> => {
    const result = await chunks.next()
    if (result.done !== true) await check.write(result.value)
    return result
  }
  // without `return`: a consumer that stops early leaves the rest to us
  const shared = { [Symbol.asyncIterator]: () => ({ next: checked }) }
  const { reports, refusals } = await readMessage(shared, limits)
  for (let rest = await checked(); rest.done !== true; rest = await checked());
  onRead({ reports, refusals })
  const signatures = await check.end()
  return {
    reports: reports.map((found) => ({ ...found, signedBy: reportingDomain(signatures, found.report.contactDomain) })),
    refusals,
    signatures,
  }
}
