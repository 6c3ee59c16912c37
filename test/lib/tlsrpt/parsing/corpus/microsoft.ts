/**
 * After the form that Microsoft uses.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { dates, json, policy, report, tlsaString, counts, sts, stsRead, tlsa, none, type Specimen } from './specimen.ts'

const microsoft = { organization: 'Microsoft Corporation', contact: 'tlsrpt-noreply@microsoft.com' }

const fromMicrosoft = (policies: readonly object[], more: object = {}): object => ({
  'organization-name': 'Microsoft Corporation',
  'date-range': dates,
  'contact-info': 'tlsrpt-noreply@microsoft.com',
  'report-id': '134037204991188211+example.org',
  policies,
  ...more,
})
const microsoftId = '134037204991188211+example.org'

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
    name: 'Microsoft: a TLSA set as a JSON list inside of a string',
    content: json(
      fromMicrosoft([
        {
          policy: { ...tlsa, 'policy-string': [JSON.stringify([tlsaString, `2${tlsaString.slice(1)}`])] },
          summary: counts(4, 0),
          'failure-details': [],
        },
      ]),
    ),
    expected: {
      report: report(microsoft, microsoftId, [
        policy('tlsa', { domain: 'mx1.example.org', strings: [tlsaString, `2${tlsaString.slice(1)}`], successes: 4 }),
      ]),
      notes: ['list-in-string'],
    },
  },
  {
    name: 'Microsoft: a TLSA set of thirty records inside of a string, which is longer than what is kept of any other',
    content: json(
      fromMicrosoft([
        {
          policy: { ...tlsa, 'policy-string': JSON.stringify(Array.from({ length: 30 }, () => tlsaString)) },
          summary: counts(4, 0),
          'failure-details': [],
        },
      ]),
    ),
    expected: {
      report: report(microsoft, microsoftId, [
        policy('tlsa', {
          domain: 'mx1.example.org',
          strings: Array.from({ length: 30 }, () => tlsaString),
          successes: 4,
        }),
      ]),
      notes: ['not-a-list', 'list-in-string'],
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
