/**
 * After the form that Postfix' tlsrpt writes.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { dates, json, policy, report, stsStrings, tlsaString, counts, type Specimen } from './specimen.ts'

const postfix = { organization: 'mail.postfix.example', contact: 'tlsrpt@postfix.example' }

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
    name: "Postfix' tlsrpt: without a policy it names the domain in the id alone",
    content: gzipSync(
      json(
        fromPostfix([{ summary: counts(1, 0), policy: { 'policy-type': 'no-policy-found' }, 'failure-details': [] }]),
      ),
    ),
    expected: {
      report: report(postfix, postfixId, [policy('no-policy-found', { successes: 1 })]),
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
