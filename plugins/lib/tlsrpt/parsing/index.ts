/**
 * Reads TLS reports that others send (RFC 8460 §4 and §5, V*): tolerant of what is really sent, strict about
 * everything that could do harm. It keeps nothing and decides nothing about mail.
 *
 * @module
 */

export { readMessage } from './message'
export type { FoundReport, MessageReading } from './message'
export type { Note, NoteCode } from './notes'
export { createOursTest } from './ours'
export { readReport } from './read'
export type { ReadingLimits, ReportReading } from './read'
export type { Refusal, RefusalCode } from './refusal'
export type { ReceivedDetail, ReceivedPolicy, ReceivedReport } from './report'
export type { Signatures } from './signature'
export { readSignedMessage } from './signed-message'
export type { SignedMessage } from './signed-message'
export { sumOf } from './sum'
export type { PolicySum, ReportSum, Totals } from './sum'
