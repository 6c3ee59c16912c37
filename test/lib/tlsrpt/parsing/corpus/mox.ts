/**
 * After the form that mox writes.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { dates, json, policy, report, stsStrings, tlsaString, counts, type Specimen } from './specimen.ts'

const mox = { organization: 'mox.example', contact: 'postmaster@mox.example' }

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
