import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeReportId, reportFileName, reportHeaders, ReportError } from '../../../../dist/lib/tlsrpt/format/index.js'

const period = { start: Date.UTC(2027, 0, 31), end: Date.UTC(2027, 1, 1) }
const parties = { submitter: 'Example.org', policyDomain: 'bücher.example' }

describe('the names of a report', () => {
  test('R16: the file is named after both domains in A-labels, and the times of the report', () => {
    assert.equal(
      reportFileName(parties, period, 'k3J9'),
      'example.org!xn--bcher-kva.example!1801353600!1801439999!k3J9.json.gz',
    )
    assert.equal(
      reportFileName(parties, period, undefined, 'json'),
      'example.org!xn--bcher-kva.example!1801353600!1801439999.json',
    )
  })

  test('R20: the subject has domain, submitter and report id; R19: so have the header fields', () => {
    const id = makeReportId('example.org', period, 'k3J9')
    assert.equal(id, '20270131T00Z.k3J9@example.org')
    assert.deepEqual(reportHeaders(parties, id), {
      Subject: 'Report Domain: xn--bcher-kva.example Submitter: example.org Report-ID: <20270131T00Z.k3J9@example.org>',
      'TLS-Report-Domain': 'xn--bcher-kva.example',
      'TLS-Report-Submitter': 'example.org',
    })
  })

  for (const unique of ['', 'a-b', 'a!b', '../../a', 'a'.repeat(65)])
    test(`R16: ${JSON.stringify(unique)} is no unique id`, () => {
      assert.throws(() => reportFileName(parties, period, unique), ReportError)
      assert.throws(() => makeReportId('example.org', period, unique), ReportError)
    })

  for (const domain of ['a/b.example', 'a!b', '', 'a\r\nb'])
    test(`R16: ${JSON.stringify(domain)} is no domain`, () => {
      assert.throws(() => reportFileName({ ...parties, policyDomain: domain }, period), ReportError)
      assert.throws(() => reportHeaders({ ...parties, submitter: domain }, 'id'), ReportError)
    })
})
