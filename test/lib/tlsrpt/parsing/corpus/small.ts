/**
 * After the forms that smaller programs and providers use, as they are seen in public: each has a habit of its own.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import {
  counts,
  DAY,
  dates,
  end,
  expired,
  expiredRead,
  json,
  none,
  policy,
  report,
  start,
  sts,
  stsRead,
  stsStrings,
  type Specimen,
} from './specimen.ts'
import type { NoteCode, ReceivedPolicy, ReceivedReport } from '../../../../../dist/lib/tlsrpt/parsing/index.js'

const sender = { organization: 'Small', contact: 'tls@small.example' }
const whole = {
  ...{ 'organization-name': 'Small', 'contact-info': 'tls@small.example', 'report-id': 's-1', 'date-range': dates },
}

function form(
  name: string,
  content: object,
  policies: readonly ReceivedPolicy[],
  notes: readonly NoteCode[] = [],
  more: Partial<ReceivedReport> = {},
): Specimen {
  const read = report(sender, 's-1', policies, more)
  return { name, content: gzipSync(json({ ...whole, ...content })), expected: { report: read, notes } }
}

const noContact = { contact: undefined, contactDomain: undefined }
const oneSts = { policy: sts, summary: counts(3, 0), 'failure-details': [] }

export const smallReports: readonly Specimen[] = [
  form(
    'no contact, empty lists, and the end at the next midnight',
    {
      'contact-info': null,
      'date-range': { 'start-datetime': '2026-09-30T00:00:00Z', 'end-datetime': '2026-10-01T00:00:00Z' },
      policies: [
        { policy: { ...none, 'policy-string': [], 'mx-host': [] }, summary: counts(1, 0), 'failure-details': [] },
      ],
    },
    [policy('no-policy-found', { successes: 1 })],
    ['null-value', 'contact-missing'],
    { ...noContact, end: start + DAY },
  ),
  form(
    'one instant for both ends of the period, with milliseconds',
    {
      'date-range': { 'start-datetime': '2026-09-30T12:00:00.123Z', 'end-datetime': '2026-09-30T12:00:00.123Z' },
      policies: [oneSts],
    },
    [policy('sts', { ...stsRead, successes: 3 })],
    [],
    { start: start + DAY / 2, end: start + DAY / 2 },
  ),
  form(
    'empty texts for what is not known',
    {
      policies: [
        {
          policy: sts,
          summary: counts(0, 1),
          'failure-details': [
            {
              ...{ 'result-type': 'starttls-not-supported', 'sending-mta-ip': '', 'receiving-ip': '' },
              ...{ 'receiving-mx-hostname': '', 'failed-session-count': 1 },
            },
          ],
        },
      ],
    },
    [policy('sts', { ...stsRead, failures: 1, details: [{ type: 'starttls-not-supported', count: 1 }] })],
  ),
  form('no list of failures where there are none', { policies: [{ policy: none, summary: counts(2, 0) }] }, [
    policy('no-policy-found', { successes: 2 }),
  ]),
  form(
    'a URI with blanks in it, as the example of the RFC is often copied',
    {
      policies: [
        {
          policy: sts,
          summary: counts(0, 7),
          'failure-details': [{ ...expired, 'additional-information': 'https://small.example/info ? id = 5065427 c' }],
        },
      ],
    },
    [
      policy('sts', {
        ...{ ...stsRead, failures: 7 },
        details: [
          {
            ...{ type: 'certificate-expired', sendingAddress: '209.85.160.200', receivingHost: 'mx1.example.org' },
            ...{ receivingAddress: '192.0.2.25', information: 'https://small.example/info ? id = 5065427 c', count: 7 },
          },
        ],
      }),
    ],
  ),
  form(
    'one policy twice, for what went well and for what did not, with and without patterns, and no blanks in it',
    {
      policies: [
        { policy: { ...sts, 'mx-host': ['mx1.example.org'] }, summary: counts(12, 0) },
        {
          policy: { ...sts, 'policy-string': ['version:STSv1', 'mode:enforce', 'max_age:86401'], 'mx-host': [] },
          summary: counts(0, 7),
          'failure-details': [expired],
        },
      ],
    },
    [
      policy('sts', { ...stsRead, mx: ['mx1.example.org'], successes: 12 }),
      policy('sts', {
        strings: ['version:STSv1', 'mode:enforce', 'max_age:86401'],
        ...{ failures: 7, details: [expiredRead] },
      }),
    ],
  ),
  form(
    'a type of policy that the RFC does not have',
    { policies: [{ ...oneSts, policy: { ...none, 'policy-type': 'tlsa-usage-3' } }] },
    [policy('other', { successes: 3 })],
    ['policy-type-unknown'],
  ),
  form(
    'a single failure that is no list, and a policy that is one string',
    {
      policies: [
        {
          policy: { ...sts, 'policy-string': stsStrings.join('\r\n') },
          summary: counts(0, 7),
          'failure-details': expired,
        },
      ],
    },
    [policy('sts', { ...stsRead, failures: 7, details: [expiredRead] })],
    ['not-a-list'],
  ),
  form(
    'no number of failures, where the details have it',
    {
      policies: [{ policy: sts, summary: { 'total-successful-session-count': 3 }, 'failure-details': [expired] }],
    },
    [policy('sts', { ...stsRead, successes: 3, failures: 7, details: [expiredRead] })],
    ['count-missing'],
  ),
  form(
    'a zone as +00:00, and members that nobody knows',
    {
      version: 1,
      generator: { name: 'x' },
      'date-range': { 'start-datetime': '2026-09-30T00:00:00+00:00', 'end-datetime': '2026-09-30T23:59:59+00:00' },
      policies: [{ ...oneSts, policy: { ...sts, 'policy-version': 'STSv1' }, tags: ['a'] }],
    },
    [policy('sts', { ...stsRead, successes: 3 })],
    [],
    { start, end },
  ),
  form(
    'counts with a fraction of none',
    {
      policies: [
        { policy: none, summary: { 'total-successful-session-count': 12.0, 'total-failure-session-count': '0' } },
      ],
    },
    [policy('no-policy-found', { successes: 12 })],
    ['count-as-string'],
  ),
]
