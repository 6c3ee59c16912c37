/**
 * After the forms that mail servers write which many use: mox, Stalwart, Postfix' tlsrpt, and the example of RFC 8460 Appendix B.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { dates, DAY, json, policy, report, start, stsStrings, tlsaString, type Specimen } from './specimen.ts'

const mox = { organization: 'mox.example', contact: 'postmaster@mox.example' }
const stalwart = { organization: 'Stalwart Example', contact: 'tls@stalwart.example' }
const postfix = { organization: 'mail.postfix.example', contact: 'tlsrpt@postfix.example' }
const companyX = { organization: 'Company-X', contact: 'sts-reporting@company-x.example' }

const counts = (successes: number, failures: number): object => ({
  'total-successful-session-count': successes,
  'total-failure-session-count': failures,
})

const fromMox = (policies: readonly object[]): object => ({
  'organization-name': 'mox.example',
  'date-range': dates,
  'contact-info': 'postmaster@mox.example',
  'report-id': '20260930.example.org@mox.example',
  policies,
})
const moxId = '20260930.example.org@mox.example'

export const moxReports: readonly Specimen[] = [
  {
    name: 'mox: MTA-STS and DANE, in gzip',
    content: gzipSync(
      json(
        fromMox([
          {
            policy: {
              'policy-type': 'sts',
              'policy-string': stsStrings,
              'policy-domain': 'example.org',
              'mx-host': ['mx1.example.org'],
            },
            summary: counts(2, 0),
            'failure-details': [],
          },
          {
            policy: {
              'policy-type': 'tlsa',
              'policy-string': [tlsaString, tlsaString.toLowerCase()],
              'policy-domain': 'mx1.example.org',
              'mx-host': [],
            },
            summary: counts(2, 0),
            'failure-details': [],
          },
        ]),
      ),
    ),
    expected: {
      report: report(mox, moxId, [
        policy('sts', { strings: stsStrings, mx: ['mx1.example.org'], successes: 2 }),
        policy('tlsa', {
          domain: 'mx1.example.org',
          strings: [tlsaString, tlsaString.toLowerCase()],
          successes: 2,
        }),
      ]),
      notes: [],
    },
  },
  {
    name: 'mox: an MX host that the policy does not list, with empty texts for what has no value',
    content: json(
      fromMox([
        {
          policy: {
            'policy-type': 'sts',
            'policy-string': stsStrings,
            'policy-domain': 'example.org',
            'mx-host': null,
          },
          summary: counts(0, 1),
          'failure-details': [
            {
              'result-type': 'validation-failure',
              'sending-mta-ip': '198.51.100.7',
              'receiving-mx-hostname': 'mx9.example.org',
              'receiving-mx-helo': '',
              'receiving-ip': '',
              'failed-session-count': 1,
              'additional-information': '',
              'failure-reason-code': 'mtasts-policy-mx-mismatch',
            },
          ],
        },
      ]),
    ),
    expected: {
      report: report(mox, moxId, [
        policy('sts', {
          strings: stsStrings,
          failures: 1,
          details: [
            {
              type: 'validation-failure',
              sendingAddress: '198.51.100.7',
              receivingHost: 'mx9.example.org',
              reason: 'mtasts-policy-mx-mismatch',
              count: 1,
            },
          ],
        }),
      ]),
      notes: ['null-value'],
    },
  },
  {
    name: 'mox: handshakes that failed, told apart by their alerts',
    content: json(
      fromMox([
        {
          policy: {
            'policy-type': 'no-policy-found',
            'policy-string': [],
            'policy-domain': 'example.org',
            'mx-host': [],
          },
          summary: counts(1, 3),
          'failure-details': ['tls-remote-40-handshake-failure', 'tls-remote-70-protocol-version'].map(
            (reason, index) => ({
              'result-type': 'validation-failure',
              'sending-mta-ip': '198.51.100.7',
              'receiving-mx-hostname': 'mx1.example.org.',
              'receiving-mx-helo': 'mx1.example.org',
              'receiving-ip': '192.0.2.25',
              'failed-session-count': index + 1,
              'additional-information': '',
              'failure-reason-code': reason,
            }),
          ),
        },
      ]),
    ),
    expected: {
      report: report(mox, moxId, [
        policy('no-policy-found', {
          successes: 1,
          failures: 3,
          details: ['tls-remote-40-handshake-failure', 'tls-remote-70-protocol-version'].map((reason, index) => ({
            type: 'validation-failure',
            sendingAddress: '198.51.100.7',
            receivingHost: 'mx1.example.org',
            receivingHelo: 'mx1.example.org',
            receivingAddress: '192.0.2.25',
            reason,
            count: index + 1,
          })),
        }),
      ]),
      notes: [],
    },
  },
]

const fromStalwart = (policies: readonly object[], more: object = {}): object => ({
  'organization-name': 'Stalwart Example',
  'date-range': { 'start-datetime': '2026-09-30T00:00:00Z', 'end-datetime': '2026-10-01T00:00:00Z' },
  'contact-info': 'tls@stalwart.example',
  'report-id': '1790726400_13914216450133951537',
  policies,
  ...more,
})
const stalwartId = '1790726400_13914216450133951537'

export const stalwartReports: readonly Specimen[] = [
  {
    name: 'Stalwart: the contact is null, max_age in the middle',
    content: gzipSync(
      json(
        fromStalwart(
          [
            {
              policy: {
                'policy-type': 'sts',
                'policy-string': ['version: STSv1', 'mode: enforce', 'max_age: 86400', 'mx: mx1.example.org'],
                'policy-domain': 'example.org',
                'mx-host': ['mx1.example.org'],
              },
              summary: counts(1, 0),
              'failure-details': [],
            },
          ],
          { 'contact-info': null },
        ),
      ),
    ),
    expected: {
      report: report(
        stalwart,
        stalwartId,
        [
          policy('sts', {
            strings: ['version: STSv1', 'mode: enforce', 'max_age: 86400', 'mx: mx1.example.org'],
            mx: ['mx1.example.org'],
            successes: 1,
          }),
        ],
        { contact: undefined, contactDomain: undefined, end: start + DAY },
      ),
      notes: ['null-value', 'contact-missing'],
    },
  },
  {
    name: 'Stalwart: DANE required and none there, all optional members null',
    content: json(
      fromStalwart([
        {
          policy: {
            'policy-type': 'tlsa',
            'policy-string': [],
            'policy-domain': 'mx1.example.org',
            'mx-host': [],
          },
          summary: counts(0, 2),
          'failure-details': [
            {
              'result-type': 'dane-required',
              'sending-mta-ip': null,
              'receiving-mx-hostname': 'mx1.example.org',
              'receiving-mx-helo': null,
              'receiving-ip': null,
              'failed-session-count': 2,
              'additional-information': null,
              'failure-reason-code': 'No TLSA DNSSEC records found',
            },
          ],
        },
      ]),
    ),
    expected: {
      report: report(
        stalwart,
        stalwartId,
        [
          policy('tlsa', {
            domain: 'mx1.example.org',
            failures: 2,
            details: [
              {
                type: 'dane-required',
                receivingHost: 'mx1.example.org',
                reason: 'No TLSA DNSSEC records found',
                count: 2,
              },
            ],
          }),
        ],
        { end: start + DAY },
      ),
      notes: ['null-value'],
    },
  },
  {
    name: 'Stalwart: the organization is null too, and STARTTLS was not offered',
    content: json(
      fromStalwart(
        [
          {
            policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'example.org' },
            summary: counts(0, 1),
            'failure-details': [
              {
                'result-type': 'starttls-not-supported',
                'sending-mta-ip': '203.0.113.9',
                'receiving-mx-hostname': 'mx1.example.org',
                'receiving-ip': '192.0.2.25',
                'failed-session-count': 1,
                'failure-reason-code': 'STARTTLS was not advertised by host',
              },
            ],
          },
        ],
        { 'organization-name': null },
      ),
    ),
    expected: {
      report: report(
        { ...stalwart, organization: '' },
        stalwartId,
        [
          policy('no-policy-found', {
            failures: 1,
            details: [
              {
                type: 'starttls-not-supported',
                sendingAddress: '203.0.113.9',
                receivingHost: 'mx1.example.org',
                receivingAddress: '192.0.2.25',
                reason: 'STARTTLS was not advertised by host',
                count: 1,
              },
            ],
          }),
        ],
        { end: start + DAY },
      ),
      notes: ['null-value', 'organization-missing'],
    },
  },
]

const fromPostfix = (policies: readonly object[]): object => ({
  'organization-name': 'mail.postfix.example',
  'date-range': dates,
  'contact-info': 'tlsrpt@postfix.example',
  policies,
  'report-id': '2026-09-30T00:00:00Z_idx1_example.org',
})
const postfixId = '2026-09-30T00:00:00Z_idx1_example.org'

export const postfixReports: readonly Specimen[] = [
  {
    name: "Postfix' tlsrpt: without a policy it names no domain either",
    content: gzipSync(
      json(
        fromPostfix([{ summary: counts(1, 0), policy: { 'policy-type': 'no-policy-found' }, 'failure-details': [] }]),
      ),
    ),
    expected: {
      report: report(postfix, postfixId, [policy('no-policy-found', { domain: undefined, successes: 1 })]),
      notes: ['policy-domain-missing'],
    },
  },
  {
    name: "Postfix' tlsrpt: DANE failures by the names of OpenSSL, members in an order of its own",
    content: json(
      fromPostfix([
        {
          summary: counts(5, 2),
          policy: { 'policy-type': 'tlsa', 'policy-string': [tlsaString], 'policy-domain': 'mx1.example.org' },
          'failure-details': [
            {
              'failed-session-count': 2,
              'result-type': 'validation-failure',
              'failure-reason-code': 'self-signed certificate',
              'sending-mta-ip': '2001:db8::9',
              'receiving-mx-hostname': 'mx1.example.org',
              'receiving-ip': '192.0.2.25',
            },
          ],
        },
      ]),
    ),
    expected: {
      report: report(postfix, postfixId, [
        policy('tlsa', {
          domain: 'mx1.example.org',
          strings: [tlsaString],
          successes: 5,
          failures: 2,
          details: [
            {
              type: 'validation-failure',
              sendingAddress: '2001:db8::9',
              receivingHost: 'mx1.example.org',
              receivingAddress: '192.0.2.25',
              reason: 'self-signed certificate',
              count: 2,
            },
          ],
        }),
      ]),
      notes: [],
    },
  },
  {
    name: "Postfix' tlsrpt: two policies of one domain within a day, and one that was broken",
    content: gzipSync(
      json(
        fromPostfix([
          {
            summary: counts(5, 0),
            policy: {
              'policy-type': 'sts',
              'policy-domain': 'example.org',
              'policy-string': stsStrings,
              'mx-host': ['mx1.example.org'],
            },
            'failure-details': [],
          },
          {
            summary: counts(2, 0),
            policy: {
              'policy-type': 'sts',
              'policy-domain': 'Example.ORG',
              'policy-string': ['version: STSv1', 'mode: testing', 'mx: mx1.example.org', 'max_age: 86400'],
              'mx-host': ['MX1.example.org'],
            },
            'failure-details': [],
          },
          {
            summary: counts(0, 1),
            policy: { 'policy-type': 'sts', 'policy-domain': 'example.org' },
            'failure-details': [{ 'result-type': 'sts-policy-invalid', 'failed-session-count': 1 }],
          },
        ]),
      ),
    ),
    expected: {
      report: report(postfix, postfixId, [
        policy('sts', { strings: stsStrings, mx: ['mx1.example.org'], successes: 5 }),
        policy('sts', {
          strings: ['version: STSv1', 'mode: testing', 'mx: mx1.example.org', 'max_age: 86400'],
          mx: ['mx1.example.org'],
          successes: 2,
        }),
        policy('sts', { failures: 1, details: [{ type: 'sts-policy-invalid', count: 1 }] }),
      ]),
      notes: [],
    },
  },
]

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
