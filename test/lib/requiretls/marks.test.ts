import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  isTlsReport,
  markRequireTls,
  markTlsReport,
  markTlsRequiredNo,
  newNotes,
  tlsReportOf,
  markedTlsRequest,
  type MessageNotes,
} from '../../../dist/lib/requiretls/index.js'

const REPORT = { domain: 'example.test', start: 1_798_675_200_000, rua: 'mailto:tls@example.test' }

/** As Haraka writes notes into a queue file, and reads them again. */
const throughTheQueue = (notes: MessageNotes): unknown => JSON.parse(JSON.stringify(notes))

describe('what a message says about TLS', () => {
  const unreadable: readonly (readonly [string, unknown])[] = [
    ['no notes', undefined],
    ['null', null],
    ['a string', 'requiretls'],
    ['notes of others only', { skip_plugins: [], dkim: { sign: true } }],
    ['an empty mark', { outbound_tls: {} }],
    ['a mark that is null', { outbound_tls: null }],
    ['a mark that is a string', { outbound_tls: 'requiretls' }],
    ['values of other types', { outbound_tls: { requiretls: 'true', tlsRequired: true, report: 1 } }],
  ]
  for (const [what, notes] of unreadable) {
    test(`${what} says nothing`, () => {
      assert.equal(markedTlsRequest(notes), undefined)
      assert.equal(isTlsReport(notes), false)
      assert.equal(tlsReportOf(notes), undefined)
    })
  }

  test('Q2: it survives the queue', () => {
    const notes = newNotes()
    markRequireTls(notes)
    assert.equal(markedTlsRequest(throughTheQueue(notes)), 'requiretls')
  })

  test('Q7: TLS-Required: No survives the queue', () => {
    const notes = newNotes()
    markTlsRequiredNo(notes)
    assert.equal(markedTlsRequest(throughTheQueue(notes)), 'tls-required-no')
  })

  test('Q7: REQUIRETLS beats TLS-Required: No, whichever comes first', () => {
    const first = newNotes()
    markRequireTls(first)
    markTlsRequiredNo(first)
    const last = newNotes()
    markTlsRequiredNo(last)
    markRequireTls(last)
    assert.deepEqual([markedTlsRequest(first), markedTlsRequest(last)], ['requiretls', 'requiretls'])
  })

  test('R22: a TLS report is known as one, and which one it is', () => {
    const notes = newNotes()
    markTlsReport(notes, REPORT)
    const read = throughTheQueue(notes)
    assert.equal(isTlsReport(read), true)
    assert.equal(markedTlsRequest(read), 'tls-report')
    assert.deepEqual(tlsReportOf(read), REPORT)
  })

  test('R22: a TLS report stays one, whatever its header says', () => {
    const notes = newNotes()
    markTlsReport(notes, REPORT)
    markTlsRequiredNo(notes)
    assert.equal(isTlsReport(notes), true)
  })

  test('R22: a report that does not say which one it is, is a report all the same', () => {
    const notes = { outbound_tls: { report: true, domain: 7 } }
    assert.equal(isTlsReport(notes), true)
    assert.equal(tlsReportOf(notes), undefined)
  })

  test('notes for outbound.send_email have what Haraka looks for without asking', () => {
    assert.deepEqual(newNotes().skip_plugins, [])
  })
})
