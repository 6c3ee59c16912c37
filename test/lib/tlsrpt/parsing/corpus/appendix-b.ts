/**
 * The example of RFC 8460 Appendix B.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { policy, report, counts, type Specimen } from './specimen.ts'

const companyX = { organization: 'Company-X', contact: 'sts-reporting@company-x.example' }

const appendixB = {
  'organization-name': 'Company-X',
  'date-range': { 'start-datetime': '2016-04-01T00:00:00Z', 'end-datetime': '2016-04-01T23:59:59Z' },
  'contact-info': 'sts-reporting@company-x.example',
  'report-id': '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  policies: [
    {
      policy: {
        'policy-type': 'sts',
        'policy-string': ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example', 'max_age: 86400'],
        'policy-domain': 'company-y.example',
        'mx-host': '*.mail.company-y.example',
      },
      summary: counts(5326, 303),
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'sending-mta-ip': '2001:db8:abcd:0012::1',
          'receiving-mx-hostname': 'mx1.mail.company-y.example',
          'failed-session-count': 100,
        },
        {
          'result-type': 'starttls-not-supported',
          'sending-mta-ip': '2001:db8:abcd:0013::1',
          'receiving-mx-hostname': 'mx2.mail.company-y.example',
          'receiving-ip': '203.0.113.56',
          'failed-session-count': 200,
          'additional-information':
            'https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported',
        },
        {
          'result-type': 'validation-failure',
          'sending-mta-ip': '198.51.100.62',
          'receiving-ip': '203.0.113.58',
          'receiving-mx-hostname': 'mx-backup.mail.company-y.example',
          'failed-session-count': 3,
          'failure-reason-code': 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED',
        },
      ],
    },
  ],
}

const appendixBRead = report(
  companyX,
  '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  [
    policy('sts', {
      domain: 'company-y.example',
      strings: ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example', 'max_age: 86400'],
      mx: ['*.mail.company-y.example'],
      successes: 5326,
      failures: 303,
      details: [
        {
          type: 'certificate-expired',
          sendingAddress: '2001:db8:abcd:12::1',
          receivingHost: 'mx1.mail.company-y.example',
          count: 100,
        },
        {
          type: 'starttls-not-supported',
          sendingAddress: '2001:db8:abcd:13::1',
          receivingHost: 'mx2.mail.company-y.example',
          receivingAddress: '203.0.113.56',
          count: 200,
          information: 'https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported',
        },
        {
          type: 'validation-failure',
          sendingAddress: '198.51.100.62',
          receivingHost: 'mx-backup.mail.company-y.example',
          receivingAddress: '203.0.113.58',
          count: 3,
          reason: 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED',
        },
      ],
    }),
  ],
  { start: Date.UTC(2016, 3, 1), end: Date.UTC(2016, 3, 1, 23, 59, 59) },
)

export const appendixBReports: readonly Specimen[] = [
  {
    name: 'Appendix B as printed, whose mx-host is a string (erratum 6241)',
    content: Buffer.from(JSON.stringify(appendixB, undefined, 2)),
    expected: { report: appendixBRead, notes: ['not-a-list'] },
  },
  {
    name: 'Appendix B in gzip, with line ends of CRLF and one more behind its end',
    content: gzipSync(`${JSON.stringify(appendixB, undefined, 1).replaceAll('\n', '\r\n')}\r\n`),
    expected: { report: appendixBRead, notes: ['not-a-list'] },
  },
]
