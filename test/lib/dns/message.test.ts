import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode } from 'dns-packet'
import fc from 'fast-check'
import { type DnsReply, encodeQuery, readReply, relevance } from '../../../dist/lib/dns/message.js'
import { type RawMessage, ID, TYPE, host, number16, rawMessage, readOne, wire } from './raw-message.ts'
import { a, cname, encodeReply, mx, soa } from './scripted-server.ts'
import { runs } from '../../support/runs.ts'

const numRuns = runs(3000, 100_000)
describe('a query', () => {
  test('has RD, AD, EDNS0 with 1232 octets and DO, and one question', () => {
    const query = decode(encodeQuery({ name: '_25._tcp.mx.test', type: 'TLSA' }, ID, false))
    assert.equal(query.id, ID)
    assert.equal(query.flags, 0x0120)
    assert.deepEqual(query.questions, [{ name: '_25._tcp.mx.test', type: 'TLSA', class: 'IN' }])
    const [opt] = query.additionals
    assert.deepEqual([opt?.type, opt?.udpPayloadSize, opt?.flag_do], ['OPT', 1232, true])
  })

  test('with checking disabled has CD', () => {
    assert.equal(decode(encodeQuery(host, ID, true)).flags, 0x0130)
  })
})

describe('a message', () => {
  const query = encodeQuery(host, ID, false)
  const answers = (question: { name: string; type: string; class?: string }): Buffer => encodeReply({ question }, query)

  test('is the reply where id and question agree, whatever the case of the letters', () => {
    assert.equal(relevance(encodeReply({}, query), host, ID), 'reply')
    assert.equal(relevance(answers({ name: 'HOST.Test', type: 'A' }), host, ID), 'reply')
    assert.equal(relevance(encodeReply({ tc: true }, query), host, ID), 'truncated')
  })

  const unrelated: readonly [string, Buffer][] = [
    ['another id', encodeReply({ id: ID + 1 }, query)],
    ['another name', answers({ name: 'host.test.evil', type: 'A' })],
    ['another type', answers({ name: 'host.test', type: 'AAAA' })],
    ['another class', answers({ name: 'host.test', type: 'A', class: 'CH' })],
    ['a query', query],
    ['another opcode', rawMessage({ flags: 0xa180 })],
    ['no question', Buffer.concat([number16(ID), Buffer.from('81800000000000000000', 'hex')])],
    ['no question though it says so', Buffer.concat([number16(ID), Buffer.from('81800001000000000000', 'hex')])],
    ['a header cut short', encodeReply({}, query).subarray(0, 11)],
    ['a question cut short', rawMessage({}).subarray(0, 24)],
    ['nothing', Buffer.alloc(0)],
  ]
  for (const [why, message] of unrelated) {
    test(`with ${why} is unrelated`, () => assert.equal(relevance(message, host, ID), 'unrelated'))
  }

  test('with a label "host.test" is not about host.test', () => {
    const message = Buffer.concat([
      ...[ID, 0x8180, 1, 0, 0, 0].map(number16),
      wire('host.test'),
      number16(1),
      number16(1),
    ])
    assert.equal(relevance(message, host, ID), 'unrelated')
  })
})

describe('a reply', () => {
  test('is read with AD, RCODE, denial and extended errors', () => {
    const message = encodeReply(
      { ad: true, rcode: 3, authorities: [soa('test', 100, 60)], ede: [22, 6] },
      encodeQuery(host, ID, false),
    )
    const reply = readReply(message, host)
    assert.deepEqual(reply, {
      rcode: 3,
      isReferral: false,
      authenticated: true,
      records: [],
      soa: { zone: 'test', ttl: 60 },
      extendedErrors: [22, 6],
      size: message.length,
    })
  })

  test('has the upper bits of its RCODE in EDNS', () => {
    assert.equal(readReply(encodeReply({ rcode: 16 }, encodeQuery(host, ID, false)), host)?.rcode, 16)
  })

  test('only its CNAMEs and the type that was asked for are read', () => {
    const answers = [
      { type: TYPE.RRSIG, rdata: Buffer.from('garbage') },
      { type: TYPE.SRV, rdata: Buffer.alloc(0) },
      { type: TYPE.MX, rdata: Buffer.alloc(1) },
      { type: TYPE.A, class: 3, rdata: Buffer.alloc(4) },
      { type: TYPE.A, rdata: Buffer.from([192, 0, 2, 1]) },
    ]
    assert.deepEqual(readReply(rawMessage({ answers }), host)?.records, [
      { name: 'host.test', type: 'A', ttl: 300, data: '192.0.2.1' },
    ])
  })

  test('RFC 2308: the SOA counts with the lesser of TTL and minimum, and only a whole one', () => {
    const read = (ttl: number, minimum: number): DnsReply['soa'] =>
      readReply(encodeReply({ authorities: [soa('test', ttl, minimum)] }, encodeQuery(host, ID, false)), host)?.soa
    assert.equal(read(60, 100)?.ttl, 60)
    assert.equal(read(100, 60)?.ttl, 60)
    assert.equal(read(0xffffffff, 60)?.ttl, 0)
    const short = [{ type: TYPE.SOA, rdata: Buffer.alloc(21) }]
    assert.equal(readReply(rawMessage({ authorities: short }), host)?.soa, undefined)
  })

  test('RFC 2181 §8: a TTL with the highest bit set is 0', () => {
    assert.equal(readOne('A', Buffer.alloc(4), { ttl: 0x80000000 }).ttl, 0)
    assert.equal(readOne('A', Buffer.alloc(4), { ttl: 0x7fffffff }).ttl, 0x7fffffff)
  })

  test('is a referral where nobody recursive or authoritative says that there is nothing', () => {
    assert.equal(readReply(rawMessage({ flags: 0x8100 }), host)?.isReferral, true)
    assert.equal(readReply(rawMessage({ flags: 0x8180 }), host)?.isReferral, false)
    assert.equal(readReply(rawMessage({ flags: 0x8500 }), host)?.isReferral, false)
  })

  const one = { type: TYPE.A, rdata: Buffer.alloc(4) }
  const malformed: readonly [string, RawMessage][] = [
    ['fewer answers than it says', { answers: [one], counts: [2, 0, 0] }],
    ['65535 records that are not there', { counts: [256, 65535, 65535] }],
    ['data longer than the message', { answers: [{ ...one, length: 5 }] }],
    ['more than 256 answers', { answers: Array.from({ length: 257 }, () => one) }],
    ['a name that points to itself', { answers: [{ ...one, name: Buffer.from([0xc0, 27]) }] }],
    ['a name that points forward', { answers: [{ ...one, name: Buffer.from([0xc0, 40]) }] }],
    ['a label of a kind that does not exist', { answers: [{ ...one, name: Buffer.from([0x80, 0]) }] }],
    ['a name that is too long', { answers: [{ ...one, name: wire(...Array<string>(5).fill('a'.repeat(63))) }] }],
  ]
  for (const [why, message] of malformed) {
    test(`with ${why} is malformed`, () => assert.equal(readReply(rawMessage(message), host), undefined))
  }

  test('one that is all compression pointers is read in no time', () => {
    const pointers = Buffer.alloc(60_000)
    const base = 12 + 11 + 4 + 12 // header, question, and the record's fixed fields in front of its data
    pointers.writeUInt16BE(0xc00c, 0)
    for (let n = 2; n < 16_000; n += 2) pointers.writeUInt16BE(0xc000 + base + n - 2, n)
    const top = number16(0xc000 + base + 15_998)
    const answers = [{ type: TYPE.TXT, rdata: pointers }, ...Array.from({ length: 255 }, () => ({ ...one, name: top }))]
    const start = performance.now()
    assert.equal(readReply(rawMessage({ answers }), host)?.records.length, 255)
    assert.ok(performance.now() - start < 500)
  })
})

describe('garbage', () => {
  const valid = encodeReply(
    {
      ad: true,
      answers: [cname('host.test', 'x.test'), a('x.test'), mx('x.test', 1, 'y.test')],
      authorities: [soa('test')],
      ede: [6],
    },
    encodeQuery(host, ID, false),
  )
  const types = ['A', 'AAAA', 'CNAME', 'MX', 'TLSA', 'TXT', 'SOA'] as const
  const readsAnyway = (message: Buffer): void => {
    for (const type of types) {
      relevance(message, { name: 'host.test', type }, ID)
      if (message.length >= 12) readReply(message, { name: 'host.test', type })
    }
  }

  test('of any kind throws nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), (bytes) => readsAnyway(Buffer.from(bytes))),
      { numRuns },
    )
  })

  test('behind a valid header and question throws nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), fc.nat(5), (bytes, count) =>
        readsAnyway(Buffer.concat([rawMessage({ counts: [count, count, count] }), bytes])),
      ),
      { numRuns },
    )
  })

  test('made of a valid reply with a few octets changed or cut off throws nothing', () => {
    const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), fc.nat(valid.length), (changes, length) => {
        const message = Buffer.from(valid)
        for (const [at, value] of changes) message[at] = value
        readsAnyway(message.subarray(0, length))
      }),
      { numRuns },
    )
  })
})
