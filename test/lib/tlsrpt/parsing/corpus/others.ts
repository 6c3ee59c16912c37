/**
 * After the forms that Yahoo, Comcast, Mail.ru and SocketLabs use.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import {
  dates,
  json,
  policy,
  report,
  start,
  stsStrings,
  tlsaString,
  counts,
  sts,
  stsRead,
  tlsa,
  none,
  expired,
  expiredRead,
  type Specimen,
} from './specimen.ts'

const yahoo = { organization: 'Yahoo', contact: 'tls-reports@yahooinc.com' }
const comcast = { organization: 'Comcast', contact: 'tlsrpt-report@comcast.net' }
const mailRu = { organization: 'Mail.Ru', contact: 'abuse_dmarc@corp.mail.ru' }

const socketLabs = { organization: 'SocketLabs', contact: 'tlsrpt@socketlabs.example' }
const quiet = { organization: 'Quiet', contact: 'tls@quiet.example' }

/** A report of a sender that says little of how sessions failed. */
const quietJson = (failed: number, details: readonly object[]): Buffer =>
  json({
    'organization-name': 'Quiet',
    'date-range': dates,
    'contact-info': quiet.contact,
    'report-id': 'q1',
    policies: [{ policy: sts, summary: counts(3, failed), 'failure-details': details }],
  })

export const otherReports: readonly Specimen[] = [
  {
    name: 'SocketLabs: the MX host under a name of its own',
    content: json({
      'organization-name': socketLabs.organization,
      'date-range': dates,
      'contact-info': socketLabs.contact,
      'report-id': 'sl-1',
      policies: [
        {
          policy: sts,
          summary: counts(1, 2),
          'failure-details': [
            {
              'result-type': 'certificate-expired',
              'receiving-mx-host-name': 'MX1.example.org',
              'failed-session-count': 2,
            },
          ],
        },
      ],
    }),
    expected: {
      report: report(socketLabs, 'sl-1', [
        policy('sts', {
          ...stsRead,
          successes: 1,
          failures: 2,
          details: [{ type: 'certificate-expired', receivingHost: 'mx1.example.org', count: 2 }],
        }),
      ]),
      notes: [],
    },
  },
  {
    name: 'a single detail without a count stands for all failures of its policy',
    content: quietJson(42, [{ 'result-type': 'starttls-not-supported' }]),
    expected: {
      report: report(quiet, 'q1', [
        policy('sts', {
          ...stsRead,
          successes: 3,
          failures: 42,
          details: [{ type: 'starttls-not-supported', count: 42 }],
        }),
      ]),
      notes: ['count-missing', 'count-of-summary'],
    },
  },
  {
    name: 'several details without a count share no guess',
    content: quietJson(42, [{ 'result-type': 'starttls-not-supported' }, { 'result-type': 'certificate-expired' }]),
    expected: {
      report: report(quiet, 'q1', [
        policy('sts', {
          ...stsRead,
          successes: 3,
          failures: 42,
          details: [
            { type: 'starttls-not-supported', count: 0 },
            { type: 'certificate-expired', count: 0 },
          ],
        }),
      ]),
      notes: ['count-missing', 'counts-differ'],
    },
  },
  {
    name: 'Yahoo: fractions of seconds, and mx-host as a string',
    content: json({
      'organization-name': 'Yahoo',
      'date-range': { 'start-datetime': '2026-09-30T00:00:00.000Z', 'end-datetime': '2026-09-30T23:59:59.999Z' },
      'contact-info': 'tls-reports@yahooinc.com',
      'report-id': 'a9d0b2e4-8cf1-4b57-9c7b-1f5f4e3a0c11',
      policies: [{ policy: { ...sts, 'mx-host': '*.example.org' }, summary: counts(40, 0), 'failure-details': [] }],
    }),
    expected: {
      report: report(yahoo, 'a9d0b2e4-8cf1-4b57-9c7b-1f5f4e3a0c11', [
        policy('sts', { ...stsRead, mx: ['*.example.org'], successes: 40 }),
      ]),
      notes: ['not-a-list'],
    },
  },
  {
    name: 'Yahoo: counts as strings',
    content: gzipSync(
      json({
        'organization-name': 'Yahoo',
        'date-range': dates,
        'contact-info': 'tls-reports@yahooinc.com',
        'report-id': '1790812799.example.org',
        policies: [
          {
            policy: sts,
            summary: { 'total-successful-session-count': '40', 'total-failure-session-count': '7' },
            'failure-details': [{ ...expired, 'failed-session-count': '7' }],
          },
        ],
      }),
    ),
    expected: {
      report: report(yahoo, '1790812799.example.org', [
        policy('sts', { ...stsRead, successes: 40, failures: 7, details: [expiredRead] }),
      ]),
      notes: ['count-as-string'],
    },
  },
  {
    name: 'Comcast: an offset in place of Z, and a HELO',
    content: json({
      'report-id': 'tlsrpt_example.org_20260930',
      'organization-name': 'Comcast',
      'contact-info': 'tlsrpt-report@comcast.net',
      'date-range': { 'start-datetime': '2026-09-30T00:00:00+00:00', 'end-datetime': '2026-09-30T23:59:59+00:00' },
      policies: [
        {
          'failure-details': [{ ...expired, 'receiving-mx-helo': 'smtp-in.example.org' }],
          summary: counts(120, 7),
          policy: tlsa,
        },
      ],
    }),
    expected: {
      report: report(comcast, 'tlsrpt_example.org_20260930', [
        policy('tlsa', {
          domain: 'mx1.example.org',
          strings: [tlsaString],
          successes: 120,
          failures: 7,
          details: [{ ...expiredRead, receivingHelo: 'smtp-in.example.org' }],
        }),
      ]),
      notes: [],
    },
  },
  {
    name: 'Comcast: a result type of its own, and details that do not add up',
    content: json({
      'organization-name': 'Comcast',
      'date-range': dates,
      'contact-info': 'tlsrpt-report@comcast.net',
      'report-id': 'tlsrpt_example.org_20260930',
      policies: [
        {
          policy: none,
          summary: counts(1, 5),
          'failure-details': [{ 'result-type': 'tls-handshake-timeout', 'failed-session-count': 2 }],
        },
      ],
    }),
    expected: {
      report: report(comcast, 'tlsrpt_example.org_20260930', [
        policy('no-policy-found', {
          successes: 1,
          failures: 5,
          details: [{ type: 'tls-handshake-timeout', count: 2 }],
        }),
      ]),
      notes: ['result-type-unknown', 'counts-differ'],
    },
  },
  {
    name: 'Mail.ru: the next midnight as the end, a policy as one string',
    content: json({
      'organization-name': 'Mail.Ru',
      'date-range': { 'start-datetime': '2026-09-30T00:00:00Z', 'end-datetime': '2026-10-01T00:00:00Z' },
      'contact-info': 'abuse_dmarc@corp.mail.ru',
      'report-id': '62771350811739520761790726400',
      policies: [
        {
          policy: { ...sts, 'policy-string': `${stsStrings.join('\r\n')}\r\n` },
          summary: counts(9, 0),
          'failure-details': null,
        },
      ],
    }),
    expected: {
      report: report(mailRu, '62771350811739520761790726400', [policy('sts', { ...stsRead, successes: 9 })], {
        end: start + 86_400_000,
      }),
      notes: ['null-value', 'not-a-list'],
    },
  },
  {
    name: 'Mail.ru: an id that is a number, days in place of instants',
    content: json({
      'organization-name': 'Mail.Ru',
      'date-range': { 'start-datetime': '2026-09-30', 'end-datetime': '2026-09-30' },
      'contact-info': 'mailto:abuse_dmarc@corp.mail.ru',
      'report-id': 6277135081,
      policies: [{ policy: none, summary: counts(9, 0) }],
    }),
    expected: {
      report: report(mailRu, '6277135081', [policy('no-policy-found', { successes: 9 })], {
        contact: 'mailto:abuse_dmarc@corp.mail.ru',
      }),
      notes: ['date-without-time', 'not-text'],
    },
  },
]
