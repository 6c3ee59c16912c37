/**
 * After the form that Stalwart writes.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { DAY, json, policy, report, start, counts, type Specimen } from './specimen.ts'

const stalwart = { organization: 'Stalwart Example', contact: 'tls@stalwart.example' }

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
