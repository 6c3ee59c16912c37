/**
 * DNS messages octet by octet, for what no well-behaved encoder writes.
 *
 * @module
 */

import assert from 'node:assert/strict'
import { type AnswerRecord, type DnsQuestion, readReply } from '../../../dist/lib/dns/message.js'

export const host: DnsQuestion = { name: 'host.test', type: 'A' }
export const ID = 0x1234
const POINTER_TO_QUESTION = Buffer.from([0xc0, 12])

export const TYPE = { A: 1, CNAME: 5, SOA: 6, MX: 15, TXT: 16, AAAA: 28, OPT: 41, TLSA: 52, RRSIG: 46, SRV: 33 }

export interface RawRecord {
  name?: Buffer
  type: number
  class?: number
  ttl?: number
  rdata: Buffer
  /** instead of that of rdata */
  length?: number
}

/** Two octets. */
export function number16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

/** A name from its labels, each of which may hold anything. */
export function wire(...labels: (string | Buffer)[]): Buffer {
  const parts = labels.map((label) => Buffer.from(label as string, 'latin1'))
  return Buffer.concat([...parts.flatMap((part) => [Buffer.from([part.length]), part]), Buffer.from([0])])
}

function rawRecord({
  name = POINTER_TO_QUESTION,
  type,
  class: klass = 1,
  ttl = 300,
  rdata,
  length,
}: RawRecord): Buffer {
  const ttlBytes = Buffer.alloc(4)
  ttlBytes.writeUInt32BE(ttl)
  return Buffer.concat([name, number16(type), number16(klass), ttlBytes, number16(length ?? rdata.length), rdata])
}

export interface RawMessage {
  question?: DnsQuestion
  flags?: number
  answers?: RawRecord[]
  authorities?: RawRecord[]
  additionals?: RawRecord[]
  counts?: readonly [number, number, number]
}

/** A message from its parts; ones that no encoder would write, too. */
export function rawMessage({
  question = host,
  flags = 0x8180,
  answers = [],
  authorities = [],
  additionals = [],
  counts,
}: RawMessage): Buffer {
  const [an, ns, ar] = counts ?? [answers.length, authorities.length, additionals.length]
  return Buffer.concat([
    ...[ID, flags, 1, an, ns, ar].map(number16),
    wire(...question.name.split('.')),
    number16(TYPE[question.type]),
    number16(1),
    ...[...answers, ...authorities, ...additionals].map(rawRecord),
  ])
}

/** The one record of a reply to a question for it. */
export function readOne(
  type: Exclude<DnsQuestion['type'], 'SOA'>,
  rdata: Buffer,
  rest: Partial<RawRecord> = {},
): AnswerRecord {
  const question: DnsQuestion = { name: 'host.test', type }
  const reply = readReply(rawMessage({ question, answers: [{ type: TYPE[type], rdata, ...rest }] }), question)
  assert.ok(reply)
  const [record, ...others] = reply.records
  assert.ok(record && others.length === 0)
  return record
}
