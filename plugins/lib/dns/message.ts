/**
 * DNS messages: queries as we send them, and replies read with every length, count and name checked (RFC 1035 §4,
 * RFC 6891). A reply that is not what it should be is a result, never an exception.
 *
 * @module
 */

import { AUTHENTIC_DATA, CHECKING_DISABLED, DNSSEC_OK, RECURSION_DESIRED, encode } from 'dns-packet'
import type { RecordType } from './answer'
import { type Decoded, type Extent, TYPE_CODE, decodeData, decodeName } from './records'

/** What a name server is asked; `name` as {@link isDomainName} has it. SOA is for the self-test only. */
export interface DnsQuestion {
  readonly name: string
  readonly type: RecordType | 'SOA'
}

/** A record of the answer section: a CNAME, or one of the type that was asked for. */
export type AnswerRecord = Decoded & { readonly name: string; readonly type: RecordType; readonly ttl: number }

/** What a name server said. */
export interface DnsReply {
  /** with the upper bits that EDNS adds */
  readonly rcode: number
  /** the server only refers to others: it is not recursive, and has said nothing about the name */
  readonly isReferral: boolean
  /** the AD bit: what the server found authentic (RFC 4035 §3.2.3). Whether that counts is decided elsewhere (D4) */
  readonly authenticated: boolean
  readonly records: readonly AnswerRecord[]
  /** of a negative answer: its zone, and how long it may be kept, in seconds (RFC 2308 §5) */
  readonly soa: { readonly zone: string; readonly ttl: number } | undefined
  /** RFC 8914, in the order of the reply */
  readonly extendedErrors: readonly number[]
  /** octets, for the cache's idea of what it holds */
  readonly size: number
}

/** What a datagram or a TCP message is to the query that waits for it. */
export type Relevance = 'reply' | 'truncated' | 'unrelated'

export const RCODE = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const

/** Reading at most this many keeps a hostile message from costing more than a glance; 100 records and signatures fit. */
const MAX_ANSWER_RECORDS = 256
const UDP_PAYLOAD_SIZE = 1232
const HEADER_LENGTH = 12
const CLASS_IN = 1
const OPTION_EXTENDED_ERROR = 15
/** RFC 8914 has no limit; a server that sends more has nothing more to say */
const MAX_EXTENDED_ERRORS = 8

/** A query with RD, AD (RFC 6840 §5.7) and EDNS0 with DO; with CD, validation is left to us, who only want to know why it failed. */
export function encodeQuery(question: DnsQuestion, id: number, checkingDisabled: boolean): Buffer {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA | (checkingDisabled ? CHECKING_DISABLED : 0),
    questions: [{ name: question.name, type: question.type, class: 'IN' }],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: UDP_PAYLOAD_SIZE, flags: DNSSEC_OK }],
  })
}

/** Whether `message` answers this query: a response with its id, and its question and nothing but that (RFC 5452 §9.1). */
export function relevance(message: Buffer, question: DnsQuestion, id: number): Relevance {
  if (message.length < HEADER_LENGTH || message.readUInt16BE(0) !== id) return 'unrelated'
  const flags = message.readUInt16BE(2)
  const isResponseToQuery = (flags & 0xf800) === 0x8000
  if (!isResponseToQuery || message.readUInt16BE(4) !== 1) return 'unrelated'

  const end = skipName(message, HEADER_LENGTH)
  if (end === undefined || end + 4 > message.length) return 'unrelated'
  if (decodeName(message, HEADER_LENGTH) !== question.name) return 'unrelated'
  if (message.readUInt16BE(end) !== TYPE_CODE[question.type]) return 'unrelated'
  if (message.readUInt16BE(end + 2) !== CLASS_IN) return 'unrelated'
  return (flags & 0x0200) === 0 ? 'reply' : 'truncated'
}

/**
 * Reads a reply whose {@link relevance} is known.
 *
 * @returns undefined where it is malformed: cut short, counts that do not hold, more than 256 answer records
 */
export function readReply(message: Buffer, question: DnsQuestion): DnsReply | undefined {
  const flags = message.readUInt16BE(2)
  const answers = message.readUInt16BE(6)
  const others = message.readUInt16BE(8) + message.readUInt16BE(10)
  if (answers > MAX_ANSWER_RECORDS) return undefined

  const start = (skipName(message, HEADER_LENGTH) ?? message.length) + 4
  const frames = readFrames(message, start, answers + others)
  if (frames === undefined) return undefined

  const records = readAnswerSection(message, frames.slice(0, answers), question)
  if (records === undefined) return undefined
  const opt = frames.slice(answers).find((frame) => frame.type === TYPE_CODE.OPT)
  const upperRcode = opt === undefined ? 0 : opt.ttl >>> 24 // RFC 6891 §6.1.3
  const soa = readSoa(message, frames.slice(answers))
  const isAuthoritativeOrRecursive = (flags & 0x0480) !== 0 // AA, RA
  return {
    rcode: (flags & 0xf) | (upperRcode << 4),
    isReferral: answers === 0 && soa === undefined && !isAuthoritativeOrRecursive,
    authenticated: (flags & 0x20) !== 0,
    records,
    soa,
    extendedErrors: opt === undefined ? [] : readExtendedErrors(message, opt),
    size: message.length,
  }
}

/** A record's outside: what it is called and where its data is. */
interface Frame extends Extent {
  readonly nameAt: number
  readonly type: number
  readonly class: number
  readonly ttl: number
}

/** Goes by the lengths that the records state: dns-packet goes by those it expects, and loses its way behind the first odd one. */
function readFrames(message: Buffer, offset: number, count: number): Frame[] | undefined {
  const frames: Frame[] = []
  while (frames.length < count) {
    const fixed = skipName(message, offset)
    if (fixed === undefined || fixed + 10 > message.length) return undefined
    const length = message.readUInt16BE(fixed + 8)
    const start = fixed + 10
    if (start + length > message.length) return undefined
    frames.push({
      nameAt: offset,
      type: message.readUInt16BE(fixed),
      class: message.readUInt16BE(fixed + 2),
      ttl: message.readUInt32BE(fixed + 4),
      start,
      length,
    })
    offset = start + length
  }
  return frames
}

/** Where the name at `offset` ends; undefined where that is outside of the message. */
function skipName(message: Buffer, offset: number): number | undefined {
  while (offset < message.length) {
    const length = message.readUInt8(offset)
    if (length === 0) return offset + 1
    if ((length & 0xc0) === 0xc0) return offset + 2
    if ((length & 0xc0) !== 0) return undefined
    offset += length + 1
  }
  return undefined
}

/** The CNAMEs and the records of the type that was asked for. Others, signatures for example, mean nothing to a stub. */
function readAnswerSection(
  message: Buffer,
  frames: readonly Frame[],
  question: DnsQuestion,
): AnswerRecord[] | undefined {
  const records: AnswerRecord[] = []
  for (const frame of frames) {
    const type = typeOfInterest(frame, question)
    if (type === undefined) continue
    const name = decodeName(message, frame.nameAt)
    if (name === undefined) return undefined
    records.push({ name, type, ttl: readTtl(frame.ttl), ...decodeData(type, message, frame) })
  }
  return records
}

function typeOfInterest(frame: Frame, question: DnsQuestion): RecordType | undefined {
  if (frame.class !== CLASS_IN || question.type === 'SOA') return undefined
  if (frame.type === TYPE_CODE[question.type]) return question.type
  return frame.type === TYPE_CODE.CNAME ? 'CNAME' : undefined
}

/** RFC 2181 §8: a TTL with the highest bit set counts as 0. */
function readTtl(ttl: number): number {
  return ttl > 0x7fffffff ? 0 : ttl
}

/** Its last field is all that counts, whatever the two names in front of it look like. */
function readSoa(message: Buffer, frames: readonly Frame[]): DnsReply['soa'] {
  const frame = frames.find(({ type, class: klass }) => type === TYPE_CODE.SOA && klass === CLASS_IN)
  if (frame === undefined || frame.length < 22) return undefined
  const zone = decodeName(message, frame.nameAt)
  if (zone === undefined) return undefined
  const minimum = message.readUInt32BE(frame.start + frame.length - 4)
  return { zone, ttl: Math.min(readTtl(frame.ttl), readTtl(minimum)) }
}

function readExtendedErrors(message: Buffer, { start, length }: Frame): number[] {
  const codes: number[] = []
  const end = start + length
  let offset = start
  while (offset + 4 <= end && codes.length < MAX_EXTENDED_ERRORS) {
    const option = message.readUInt16BE(offset)
    const optionLength = message.readUInt16BE(offset + 2)
    if (offset + 4 + optionLength > end) break
    if (option === OPTION_EXTENDED_ERROR && optionLength >= 2) codes.push(message.readUInt16BE(offset + 4))
    offset += 4 + optionLength
  }
  return codes
}
