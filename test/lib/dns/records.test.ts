import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AnswerRecord, type DnsQuestion, readReply } from '../../../dist/lib/dns/message.js'
import { TYPE, number16, rawMessage, readOne, wire } from './raw-message.ts'

const outcome = (record: AnswerRecord): unknown => ('data' in record ? record.data : record.defect)

describe('the data of a record', () => {
  test('A has four octets and nothing else', () => {
    assert.equal(outcome(readOne('A', Buffer.from([192, 0, 2, 255]))), '192.0.2.255')
    for (const length of [0, 3, 5]) assert.equal(outcome(readOne('A', Buffer.alloc(length))), 'broken')
  })

  test('RFC 5952: AAAA has sixteen octets and is written in its shortest form', () => {
    const address = Buffer.from('20010db8000000000001000000000001', 'hex')
    assert.equal(outcome(readOne('AAAA', address)), '2001:db8::1:0:0:1')
    assert.equal(outcome(readOne('AAAA', Buffer.alloc(16))), '::')
    for (const length of [0, 4, 15, 17]) assert.equal(outcome(readOne('AAAA', Buffer.alloc(length))), 'broken')
  })

  test('T1: the strings of a TXT record are joined, octet by octet', () => {
    assert.equal(outcome(readOne('TXT', Buffer.from('\x02v=\x00\x03STS', 'latin1'))), 'v=STS')
    assert.equal(outcome(readOne('TXT', Buffer.from([3, 0xc3, 0xbc, 0]))), '\u00c3\u00bc\0')
    assert.equal(outcome(readOne('TXT', Buffer.alloc(0))), '')
    assert.equal(outcome(readOne('TXT', Buffer.from('\x04abc'))), 'broken')
    assert.equal(outcome(readOne('TXT', Buffer.alloc(5000))), 'broken')
  })

  test('a TLSA record is read as it is', () => {
    const data = readOne('TLSA', Buffer.from('030101aabb', 'hex'))
    assert.deepEqual(outcome(data), { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array([0xaa, 0xbb]) })
  })

  test('K14: a TLSA record that is too short has no data, and nothing of its neighbour', () => {
    const neighbour = { type: TYPE.TLSA, rdata: Buffer.from('030101aabb', 'hex') }
    const question: DnsQuestion = { name: 'host.test', type: 'TLSA' }
    for (const [rdata, fields] of [
      ['', [255, 255, 255]],
      ['03', [3, 255, 255]],
      ['0301', [3, 1, 255]],
      ['030101', [3, 1, 1]],
    ] as const) {
      const answers = [{ type: TYPE.TLSA, rdata: Buffer.from(rdata, 'hex') }, neighbour]
      const [short, whole] = readReply(rawMessage({ question, answers }), question)?.records ?? []
      assert.ok(short && whole)
      const [usage, selector, matchingType] = fields
      assert.deepEqual(outcome(short), { usage, selector, matchingType, data: new Uint8Array() })
      assert.deepEqual(outcome(whole), { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array([0xaa, 0xbb]) })
    }
  })

  test('an MX record is read in lower case, the root as an empty exchange', () => {
    const preference = number16(10)
    assert.deepEqual(outcome(readOne('MX', Buffer.concat([preference, wire('MX1', 'Test')]))), {
      preference: 10,
      exchange: 'mx1.test',
    })
    assert.deepEqual(outcome(readOne('MX', Buffer.concat([preference, wire()]))), { preference: 10, exchange: '' })
  })

  test('an MX record of another length than its name is broken', () => {
    const rdata = Buffer.concat([number16(10), wire('mx1', 'test')])
    assert.equal(outcome(readOne('MX', Buffer.concat([rdata, Buffer.from([0])]))), 'broken')
    for (const length of [0, 1, 2]) assert.equal(outcome(readOne('MX', Buffer.alloc(length))), 'broken')
  })

  const hostile: readonly [string, Buffer][] = [
    ['a dot inside of a label', wire('mx1.evil', 'test')],
    ['a backslash', wire('mx1\\', 'test')],
    ['a line break', wire('mx1\r\nx', 'test')],
    ['NUL', wire('mx1\0', 'test')],
    ['octets that are not ASCII', wire('m\xfcx', 'test')],
    ['a space', wire('mx 1', 'test')],
    ['markup', wire('<script>', 'test')],
  ]
  for (const [why, name] of hostile) {
    test(`a name with ${why} is no host name`, () => {
      assert.equal(outcome(readOne('MX', Buffer.concat([number16(1), name]))), 'not-a-host-name')
      assert.equal(outcome(readOne('CNAME', name)), 'not-a-host-name')
    })
  }

  test('a name that goes on beyond its record is broken', () => {
    assert.equal(outcome(readOne('CNAME', wire('target', 'test'), { length: 6 })), 'broken')
    assert.equal(outcome(readOne('CNAME', Buffer.alloc(0))), 'broken')
  })

  test('a CNAME may be compressed, and may not be the root', () => {
    assert.equal(outcome(readOne('CNAME', Buffer.from([1, 0x61, 0xc0, 12]))), 'a.host.test')
    assert.equal(outcome(readOne('CNAME', wire())), 'not-a-host-name')
  })
})
