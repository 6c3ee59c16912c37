/**
 * After the form that Google uses.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import {
  dates,
  json,
  policy,
  report,
  counts,
  sts,
  stsRead,
  none,
  expired,
  expiredRead,
  type Specimen,
} from './specimen.ts'

const google = { organization: 'Google Inc.', contact: 'smtp-tls-reporting@google.com' }

const fromGoogle = (policies: readonly object[], more: object = {}): object => ({
  'organization-name': 'Google Inc.',
  'date-range': dates,
  'contact-info': 'smtp-tls-reporting@google.com',
  'report-id': '2026-09-30T00:00:00Z_example.org',
  policies,
  ...more,
})
const googleId = '2026-09-30T00:00:00Z_example.org'

export const googleReports: readonly Specimen[] = [
  {
    name: 'Google: all well under MTA-STS, no failure-details at all, in gzip',
    content: gzipSync(
      json(fromGoogle([{ policy: { ...sts, 'mx-host': ['mx1.example.org'] }, summary: counts(773, 0) }])),
    ),
    expected: {
      report: report(google, googleId, [policy('sts', { ...stsRead, mx: ['mx1.example.org'], successes: 773 })]),
      notes: [],
    },
  },
  {
    name: 'Google: failures with all addresses',
    content: json(fromGoogle([{ policy: sts, summary: counts(3, 7), 'failure-details': [expired] }])),
    expected: {
      report: report(google, googleId, [
        policy('sts', { ...stsRead, successes: 3, failures: 7, details: [expiredRead] }),
      ]),
      notes: [],
    },
  },
  {
    name: 'Google: a count of zero that is left out',
    content: json(fromGoogle([{ policy: none, summary: { 'total-successful-session-count': 12 } }])),
    expected: {
      report: report(google, googleId, [policy('no-policy-found', { successes: 12 })]),
      notes: ['count-missing'],
    },
  },
  {
    name: 'Google: failures only, the other count left out, in gzip',
    content: gzipSync(
      json(fromGoogle([{ policy: sts, summary: { 'total-failure-session-count': 7 }, 'failure-details': [expired] }])),
    ),
    expected: {
      report: report(google, googleId, [policy('sts', { ...stsRead, failures: 7, details: [expiredRead] })]),
      notes: ['count-missing'],
    },
  },
  {
    name: 'Google: no policy found, and STARTTLS refused',
    content: json(
      fromGoogle([
        {
          policy: none,
          summary: counts(0, 2),
          'failure-details': [
            {
              'result-type': 'starttls-not-supported',
              'sending-mta-ip': '2607:f8b0:4864:20::744',
              'receiving-ip': '2001:DB8:0:0::25',
              'receiving-mx-hostname': 'mx1.example.org',
              'failed-session-count': 2,
            },
          ],
        },
      ]),
    ),
    expected: {
      report: report(google, googleId, [
        policy('no-policy-found', {
          failures: 2,
          details: [
            {
              type: 'starttls-not-supported',
              sendingAddress: '2607:f8b0:4864:20::744',
              receivingHost: 'mx1.example.org',
              receivingAddress: '2001:db8::25',
              count: 2,
            },
          ],
        }),
      ]),
      notes: [],
    },
  },
  {
    name: 'Google: no contact, in a report printed with white space',
    content: Buffer.from(
      JSON.stringify(
        { ...fromGoogle([{ policy: none, summary: counts(2, 0) }]), 'contact-info': undefined },
        undefined,
        2,
      ),
    ),
    expected: {
      report: report(google, googleId, [policy('no-policy-found', { successes: 2 })], {
        contact: undefined,
        contactDomain: undefined,
      }),
      notes: ['contact-missing'],
    },
  },
]
