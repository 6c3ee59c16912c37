/**
 * Reports that somebody has bent, or made up: what is read of them all the same, and what is refused.
 *
 * @module
 */

import { gzipSync } from 'node:zlib'
import { dates, DAY, json, now, policy, report, start, type Expected, type Specimen } from './specimen.ts'

const sender = { organization: 'Sender', contact: 'tls@sender.example' }
const onePolicy = {
  policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'example.org' },
  summary: { 'total-successful-session-count': 3, 'total-failure-session-count': 0 },
}
const plain = {
  'organization-name': 'Sender',
  'date-range': dates,
  'contact-info': 'tls@sender.example',
  'report-id': '1',
  policies: [onePolicy],
}
const plainRead = report(sender, '1', [policy('no-policy-found', { successes: 3 })])

const withDates = (from: unknown, to: unknown): Buffer =>
  json({ ...plain, 'date-range': { 'start-datetime': from, 'end-datetime': to } })
const withSummary = (successes: unknown, failures: unknown): Buffer =>
  json({
    ...plain,
    policies: [
      {
        ...onePolicy,
        summary: { 'total-successful-session-count': successes, 'total-failure-session-count': failures },
      },
    ],
  })
const withDetails = (failures: number, details: unknown): Buffer =>
  json({
    ...plain,
    policies: [
      {
        ...onePolicy,
        summary: { 'total-successful-session-count': 3, 'total-failure-session-count': failures },
        'failure-details': details,
      },
    ],
  })

function read(
  name: string,
  content: Buffer,
  notes: Extract<Expected, { report: unknown }>['notes'],
  expected = plainRead,
): Specimen {
  return { name, content, expected: { report: expected, notes } }
}

const withPolicy = (more: Parameters<typeof policy>[1]): typeof plainRead =>
  report(sender, '1', [policy('no-policy-found', { successes: 3, ...more })])

export const bentReports: readonly Specimen[] = [
  read('data behind the end', Buffer.concat([json(plain), Buffer.from('\n-- \nsent by a program')]), ['trailing-data']),
  read('data behind the gzip', Buffer.concat([gzipSync(json(plain)), Buffer.from('\r\n--')]), ['trailing-data']),
  read('two gzips, one behind the other', Buffer.concat([gzipSync(json(plain)), gzipSync(' {}')]), ['trailing-data']),
  read('gzip in two members', Buffer.concat(halves(json(plain)).map((half) => gzipSync(half))), []),
  read('gzip cut off behind the report', gzipSync(json(plain)).subarray(0, -8), ['trailing-data']),
  read(
    'a member twice: the last one counts',
    Buffer.from(json(plain).toString().replace('"report-id":"1"', '"report-id":"0","report-id":"1"')),
    ['repeated-keys'],
  ),
  read('Latin-1', Buffer.from(json({ ...plain, 'organization-name': 'Büro' }).toString(), 'latin1'), ['not-utf-8'], {
    ...plainRead,
    organization: 'B\ufffdro',
  }),
  read('half of a surrogate pair', Buffer.from(json(plain).toString().replace('"Sender"', '"Sen\\ud83d"')), [], {
    ...plainRead,
    organization: 'Sen\ufffd',
  }),
  read('names written with escapes', Buffer.from(escapedKeys(json(plain).toString())), []),
  read('no policies in the list', json({ ...plain, policies: [] }), ['policies-empty'], report(sender, '1', [])),
  read('null in place of policies', json({ ...plain, policies: null }), ['null-value', 'policies-empty'], {
    ...plainRead,
    policies: [],
  }),
  read('one policy without a list around it', json({ ...plain, policies: onePolicy }), ['not-a-list']),
  read('null and a text among the policies', json({ ...plain, policies: [null, onePolicy, 'x'] }), [
    'null-value',
    'not-an-object',
  ]),
  read(
    'a policy type that nobody knows',
    json({ ...plain, policies: [{ ...onePolicy, policy: { 'policy-type': 'dane', 'policy-domain': 'example.org' } }] }),
    ['policy-type-unknown'],
    report(sender, '1', [policy('other', { successes: 3 })]),
  ),
  read(
    'a policy domain that is none, and one in U-labels',
    json({
      ...plain,
      policies: ['not a domain', 'Bücher.example.'].map((domain) => ({
        ...onePolicy,
        policy: { 'policy-type': 'No-Policy-Found', 'policy-domain': domain },
      })),
    }),
    ['policy-domain-invalid'],
    report(sender, '1', [
      policy('no-policy-found', { domain: undefined, successes: 3 }),
      policy('no-policy-found', { domain: 'xn--bcher-kva.example', successes: 3 }),
    ]),
  ),
  read(
    'no summary',
    json({ ...plain, policies: [{ policy: onePolicy.policy }] }),
    ['count-missing'],
    withPolicy({ successes: 0 }),
  ),
  read('instants as seconds', withDates(start / 1000, start / 1000 + 86_399), ['date-as-number']),
  read('another time zone', withDates('2026-09-30T02:00:00+02:00', '2026-09-30t19:59:59 -0400'), []),
  read('a blank in place of the T', withDates('2026-09-30 00:00:00', '2026-09-30 24:00'), ['date-without-zone'], {
    ...plainRead,
    end: start + DAY,
  }),
  read(
    'a contact that is no address',
    json({ ...plain, 'contact-info': 'see https://sender.example/' }),
    ['contact-invalid'],
    { ...plainRead, contact: 'see https://sender.example/', contactDomain: undefined },
  ),
  read(
    'details that say the same, in two spellings',
    withDetails(
      3,
      ['2001:DB8::0:1', '2001:db8::1', '2001:db8::1'].map((ip) => ({
        'result-type': 'certificate-expired',
        'receiving-ip': ip,
        'failed-session-count': 1,
      })),
    ),
    [],
    withPolicy({ failures: 3, details: [{ type: 'certificate-expired', receivingAddress: '2001:db8::1', count: 3 }] }),
  ),
  read(
    'a host named by its address, an address with brackets, and two that are none',
    withDetails(1, [
      {
        'result-type': 'certificate-not-trusted',
        'receiving-mx-hostname': '192.0.2.25',
        'sending-mta-ip': '[IPv6:2001:db8::7]',
        'failed-session-count': 1,
      },
      { 'receiving-mx-hostname': 'mx 1', 'sending-mta-ip': 'unknown', 'failed-session-count': 0 },
    ]),
    ['result-type-missing', 'address-invalid', 'host-invalid'],
    withPolicy({
      failures: 1,
      details: [
        {
          type: 'certificate-not-trusted',
          sendingAddress: '2001:db8::7',
          receivingAddress: '192.0.2.25',
          count: 1,
        },
        { type: 'other', count: 0 },
      ],
    }),
  ),
  read(
    'one detail without a list around it, no counts',
    withDetails(0, { 'result-type': 'tlsa-invalid' }),
    ['not-a-list', 'count-missing'],
    withPolicy({ details: [{ type: 'tlsa-invalid', count: 0 }] }),
  ),
  read('details that are none', withDetails(0, [null, 1, 'x', []]), ['not-an-object']),
]

const refused = (
  name: string,
  content: Buffer,
  refusal: Extract<Expected, { refusal: unknown }>['refusal'],
): Specimen => ({
  name,
  content,
  expected: { refusal },
})

export const refusedReports: readonly Specimen[] = [
  refused('nothing', Buffer.alloc(0), 'not-a-report'),
  refused('text', Buffer.from('This is an aggregate TLS report from sender.example\r\n'), 'not-a-report'),
  refused('a zip archive', Buffer.from('504b0304140000000800', 'hex'), 'dmarc'),
  refused('a list', json([plain]), 'not-a-report'),
  refused('gzip of nothing', gzipSync(''), 'not-a-report'),
  refused('gzip of XML, as DMARC has it', gzipSync('<?xml version="1.0"?><feedback/>'), 'dmarc'),
  refused('XML, as DMARC has it', Buffer.from('\r\n<feedback><version>1.0</version></feedback>'), 'dmarc'),
  refused('an object that is no report', json({ hello: 'world' }), 'not-a-report'),
  refused('gzip in gzip', gzipSync(gzipSync(json(plain))), 'nested-gzip'),
  refused('gzip cut off', gzipSync(json(plain)).subarray(0, 60), 'malformed-gzip'),
  refused('damaged gzip', damaged(gzipSync(json(plain))), 'malformed-gzip'),
  refused('JSON cut off', json(plain).subarray(0, -20), 'malformed-json'),
  refused('brackets that do not match', Buffer.from(json(plain).toString().replace(']}', '}}')), 'malformed-json'),
  refused('a comma too many', Buffer.from(json(plain).toString().replace('}]}', '},]}')), 'malformed-json'),
  refused(
    'brackets 40 deep',
    Buffer.from(
      json(plain)
        .toString()
        .replace('"1"', `${'['.repeat(40)}${']'.repeat(40)}`),
    ),
    'too-deep',
  ),
  refused('a negative count', withSummary(-1, 0), 'invalid-count'),
  refused('half a session', withSummary(0.5, 0), 'invalid-count'),
  refused('an absurd count', withSummary(3, 1e15), 'invalid-count'),
  refused('a count in words', withSummary('many', 0), 'invalid-count'),
  refused('a count that is an object', withSummary({ toString: 1 }, 0), 'invalid-count'),
  refused(
    'a negative count in a detail',
    withDetails(1, [{ 'result-type': 'tlsa-invalid', 'failed-session-count': -1 }]),
    'invalid-count',
  ),
  refused('no dates', json({ ...plain, 'date-range': undefined }), 'missing-date'),
  refused('a date that is null', withDates('2026-09-30T00:00:00Z', null), 'missing-date'),
  refused('the thirtieth of February', withDates('2026-02-30T00:00:00Z', '2026-09-30T23:59:59Z'), 'invalid-date'),
  refused('a date in words', withDates('Wed, 30 Sep 2026 00:00:00 GMT', '2026-09-30T23:59:59Z'), 'invalid-date'),
  refused('the 25th hour', withDates('2026-09-30T00:00:00Z', '2026-09-30T25:00:00Z'), 'invalid-date'),
  refused('reversed dates', withDates('2026-09-30T23:59:59Z', '2026-09-30T00:00:00Z'), 'reversed-dates'),
  refused('what nobody can know yet', withDates(iso(now), iso(now + DAY + 1000)), 'future-date'),
  refused('a report of a year', withDates('2025-09-30T00:00:00Z', '2026-09-30T00:00:00Z'), 'absurd-dates'),
  refused('older than the format', withDates('1970-01-01T00:00:00Z', '1970-01-01T23:59:59Z'), 'absurd-dates'),
]

function halves(bytes: Buffer): readonly Buffer[] {
  return [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)]
}

function escapedKeys(text: string): string {
  return text.replace('"policies"', '"polic\\u0069es"').replace('"contact-info"', '"contact\\u002dinfo"')
}

function damaged(gzip: Buffer): Buffer {
  return Buffer.concat([gzip.subarray(0, 30), Buffer.alloc(20, 0xff), gzip.subarray(50)])
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
