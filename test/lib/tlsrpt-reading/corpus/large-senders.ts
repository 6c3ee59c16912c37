/**
 * After the forms that Google, Microsoft, Yahoo, Comcast and Mail.ru use.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { dates, json, policy, report, start, stsStrings, tlsaString, type Specimen } from './specimen.ts'

const google = { organization: 'Google Inc.', contact: 'smtp-tls-reporting@google.com' }
const microsoft = { organization: 'Microsoft Corporation', contact: 'tlsrpt-noreply@microsoft.com' }
const yahoo = { organization: 'Yahoo', contact: 'tls-reports@yahooinc.com' }
const comcast = { organization: 'Comcast', contact: 'tlsrpt-report@comcast.net' }
const mailRu = { organization: 'Mail.Ru', contact: 'abuse_dmarc@corp.mail.ru' }

const counts = (successes: number, failures: number): object => ({
  'total-successful-session-count': successes,
  'total-failure-session-count': failures,
})
const sts = { 'policy-type': 'sts', 'policy-string': stsStrings, 'policy-domain': 'example.org' }
const tlsa = { 'policy-type': 'tlsa', 'policy-string': [tlsaString], 'policy-domain': 'mx1.example.org' }
const none = { 'policy-type': 'no-policy-found', 'policy-domain': 'example.org' }

const fromGoogle = (policies: readonly object[], more: object = {}): object => ({
  'organization-name': 'Google Inc.',
  'date-range': dates,
  'contact-info': 'smtp-tls-reporting@google.com',
  'report-id': '2026-09-30T00:00:00Z_example.org',
  policies,
  ...more,
})
const googleId = '2026-09-30T00:00:00Z_example.org'

const fromMicrosoft = (policies: readonly object[], more: object = {}): object => ({
  'organization-name': 'Microsoft Corporation',
  'date-range': dates,
  'contact-info': 'tlsrpt-noreply@microsoft.com',
  'report-id': '134037204991188211+example.org',
  policies,
  ...more,
})
const microsoftId = '134037204991188211+example.org'

const stsRead = { strings: stsStrings }
const expired = {
  'result-type': 'certificate-expired',
  'sending-mta-ip': '209.85.160.200',
  'receiving-ip': '192.0.2.25',
  'receiving-mx-hostname': 'mx1.example.org',
  'failed-session-count': 7,
}
const expiredRead = {
  type: 'certificate-expired',
  sendingAddress: '209.85.160.200',
  receivingHost: 'mx1.example.org',
  receivingAddress: '192.0.2.25',
  count: 7,
}

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

export const microsoftReports: readonly Specimen[] = [
  {
    name: 'Microsoft: MTA-STS and DANE for the same sessions',
    content: gzipSync(
      json(
        fromMicrosoft([
          { policy: sts, summary: counts(86, 0), 'failure-details': [] },
          { policy: tlsa, summary: counts(86, 0), 'failure-details': [] },
        ]),
      ),
    ),
    expected: {
      report: report(microsoft, microsoftId, [
        policy('sts', { ...stsRead, successes: 86 }),
        policy('tlsa', { domain: 'mx1.example.org', strings: [tlsaString], successes: 86 }),
      ]),
      notes: [],
    },
  },
  {
    name: 'Microsoft: a policy that could not be fetched has neither policy-string nor addresses',
    content: json(
      fromMicrosoft([
        {
          policy: { 'policy-type': 'sts', 'policy-domain': 'example.org' },
          summary: counts(0, 3),
          'failure-details': [{ 'result-type': 'sts-policy-fetch-error', 'failed-session-count': 3 }],
        },
      ]),
    ),
    expected: {
      report: report(microsoft, microsoftId, [
        policy('sts', { failures: 3, details: [{ type: 'sts-policy-fetch-error', count: 3 }] }),
      ]),
      notes: [],
    },
  },
  {
    name: 'Microsoft: addresses that are null, and a reason',
    content: json(
      fromMicrosoft([
        {
          policy: tlsa,
          summary: counts(4, 1),
          'failure-details': [
            {
              'result-type': 'validation-failure',
              'sending-mta-ip': null,
              'receiving-mx-hostname': 'mx1.example.org',
              'receiving-ip': null,
              'failed-session-count': 1,
              'additional-information': 'https://learn.microsoft.com/exchange/mail-flow#dane',
              'failure-reason-code': 'daneValidationFailed',
            },
          ],
        },
      ]),
    ),
    expected: {
      report: report(microsoft, microsoftId, [
        policy('tlsa', {
          domain: 'mx1.example.org',
          strings: [tlsaString],
          successes: 4,
          failures: 1,
          details: [
            {
              type: 'validation-failure',
              receivingHost: 'mx1.example.org',
              information: 'https://learn.microsoft.com/exchange/mail-flow#dane',
              reason: 'daneValidationFailed',
              count: 1,
            },
          ],
        }),
      ]),
      notes: ['null-value'],
    },
  },
  {
    name: 'Microsoft: an id without the domain, and the TLSA policy under the domain itself',
    content: json(
      fromMicrosoft([{ policy: { ...tlsa, 'policy-domain': 'example.org' }, summary: counts(6, 0) }], {
        'report-id': '134037204991188211+',
      }),
    ),
    expected: {
      report: report(microsoft, '134037204991188211+', [policy('tlsa', { strings: [tlsaString], successes: 6 })]),
      notes: [],
    },
  },
  {
    name: 'Microsoft: a byte order mark before it',
    content: Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      json(fromMicrosoft([{ policy: none, summary: counts(1, 0), 'failure-details': [] }])),
    ]),
    expected: {
      report: report(microsoft, microsoftId, [policy('no-policy-found', { successes: 1 })]),
      notes: ['byte-order-mark'],
    },
  },
  {
    name: 'Microsoft: dates without a time zone',
    content: json(
      fromMicrosoft([{ policy: none, summary: counts(1, 0) }], {
        'date-range': { 'start-datetime': '2026-09-30T00:00:00', 'end-datetime': '2026-09-30T23:59:59' },
      }),
    ),
    expected: {
      report: report(microsoft, microsoftId, [policy('no-policy-found', { successes: 1 })]),
      notes: ['date-without-zone'],
    },
  },
]

export const otherReports: readonly Specimen[] = [
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
