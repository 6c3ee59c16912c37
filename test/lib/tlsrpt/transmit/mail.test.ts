import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { text as textOf } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { OutgoingReport } from '../../../../dist/lib/tlsrpt/sending/index.js'
import { readTlsrptRecord } from '../../../../dist/lib/tlsrpt/format/index.js'
import { composeMail, type MailOptions, type SigningKey } from '../../../../dist/lib/tlsrpt/transmit/index.js'
import { keyRecord, verifySignatures, type TxtRecords } from '../../../support/dkim.ts'
import { readReportMail } from '../../../support/report-mail.ts'
import { runs } from '../../../support/runs.ts'

const DAY = 86_400_000
const NOON = Date.UTC(2027, 0, 31, 12)

const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
const ed25519 = pem(generateKeyPairSync('ed25519').privateKey)
const keys: readonly SigningKey[] = [
  { domain: 'example.org', selector: 'tlsrpt', privateKey: rsa },
  { domain: 'example.org', selector: 'ed2026', privateKey: ed25519 },
]
const published: TxtRecords = (name) =>
  keys
    .filter(({ domain, selector }) => name === `${selector}._domainkey.${domain}`)
    .map(({ privateKey }) => keyRecord(createPrivateKey(privateKey)))[0]

const report: OutgoingReport = {
  domain: 'example.net',
  period: { start: Date.UTC(2027, 0, 30), end: Date.UTC(2027, 0, 30) + DAY },
  reportId: '20270130T00Z.k3v9@example.org',
  frozen: gzipSync('{"policies":[]}'),
}
const options: MailOptions = {
  sender: {
    fromName: 'TLS Report',
    fromAddress: 'noreply-tls@example.org',
    organization: 'The Foobar Organization',
    contact: 'jane@example.org',
    submitter: 'example.org',
  },
  to: 'tls-reports@example.net',
  keys,
  now: NOON,
}

function pem(key: ReturnType<typeof createPrivateKey>): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

async function compose(changes: Partial<OutgoingReport> = {}, how: Partial<MailOptions> = {}): Promise<string> {
  const mail = await composeMail({ ...report, ...changes }, { ...options, ...how })
  assert.ok(mail.ok, mail.ok ? '' : mail.text)
  return textOf(mail.read())
}

describe('a mail that cannot be signed is not sent', () => {
  for (const [why, key, text] of [
    ['a key that is none', { privateKey: 'nonsense' }, /cannot be signed with tlsrpt/],
    ['a key of another kind', { privateKey: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) }, /ec/],
    [
      'a key that is too short',
      { privateKey: pem(generateKeyPairSync('rsa', { modulusLength: 768 }).privateKey) },
      /short/,
    ],
    ['a selector that would break out of its tag', { selector: 'a; d=example.com' }, /s=/],
  ] as const) {
    test(why, async () => {
      const [first, second] = keys as [SigningKey, SigningKey]
      const mail = await composeMail(report, { ...options, keys: [second, { ...first, ...key }] })
      assert.ok(!mail.ok)
      assert.match(mail.text, text)
    })
  }

  test('no key at all', async () => {
    assert.deepEqual(await composeMail(report, { ...options, keys: [] }), {
      ok: false,
      text: 'there is no key to sign with',
    })
  })
})

describe('the mail of a report', () => {
  test('R18: is multipart/report of two parts, the second one the report as it was frozen', async () => {
    const mail = readReportMail(await compose())
    assert.match(mail.header['content-type'] ?? '', /^multipart\/report; report-type="?tlsrpt"?;/)
    assert.match(mail.parts[0]?.header['content-type'] ?? '', /^text\/plain/)
    assert.match(mail.parts[0]?.body ?? '', /example\.net.*\r\n[^]*2027-01-30T00:00:00Z to 2027-01-30T23:59:59Z/)
    assert.equal(mail.parts[1]?.header['content-type'], 'application/tlsrpt+gzip')
    assert.deepEqual(mail.file, report.frozen)
  })

  test('R16: has the file name of the RFC, in one piece', async () => {
    const long = `${'a-long-label.'.repeat(12)}example`
    assert.equal(readReportMail(await compose()).fileName, 'example.org!example.net!1801267200!1801353599!k3v9.json.gz')
    assert.match(readReportMail(await compose({ domain: long })).fileName ?? '', new RegExp(`!${long}!`))
  })

  test('R19, R20: has the header fields of the RFC', async () => {
    const { header } = readReportMail(await compose())
    assert.equal(header['tls-report-domain'], 'example.net')
    assert.equal(header['tls-report-submitter'], 'example.org')
    assert.equal(
      header.subject,
      'Report Domain: example.net Submitter: example.org Report-ID: <20270130T00Z.k3v9@example.org>',
    )
    assert.equal(header.from, 'TLS Report <noreply-tls@example.org>')
    assert.equal(header.to, 'tls-reports@example.net')
    assert.equal(header.date, 'Sun, 31 Jan 2027 12:00:00 +0000')
  })

  test('R22: asks others to let it through whatever fails, and nobody to answer', async () => {
    const { header } = readReportMail(await compose())
    assert.equal(header['tls-required'], 'No')
    assert.equal(header['auto-submitted'], 'auto-generated')
  })

  test('R21: is signed with each key, without l=, and the fields of the report are signed with it', async () => {
    const signatures = verifySignatures(await compose(), published)
    assert.deepEqual(
      signatures.map(({ algorithm, domain, selector, problem }) => [algorithm, domain, selector, problem]),
      [
        ['rsa-sha256', 'example.org', 'tlsrpt', undefined],
        ['ed25519-sha256', 'example.org', 'ed2026', undefined],
      ],
    )
    for (const { signed, tags } of signatures) {
      for (const name of 'from to subject date message-id tls-report-domain tls-report-submitter'.split(' '))
        assert.ok(signed.includes(name), `${name} is signed`)
      assert.ok(!tags.has('l'))
    }
  })

  test('R21: a signature does not hold when the report, its domain or its recipient is another', async () => {
    const mail = await compose()
    for (const [from, to] of [
      ['TLS-Report-Domain: example.net', 'TLS-Report-Domain: example.com'],
      ['TLS-Report-Submitter: example.org', 'TLS-Report-Submitter: example.com'],
      ['To: tls-reports@example.net', 'To: somebody@example.com'],
      [base64(report.frozen), base64(gzipSync('{"policies":[1]}'))],
    ] as const) {
      assert.notEqual(mail.replace(from, to), mail)
      for (const { problem } of verifySignatures(mail.replace(from, to), published)) assert.notEqual(problem, undefined)
    }
  })

  test('is the same each time, but for its date', async () => {
    assert.equal(await compose(), await compose())
    const later = await compose({}, { now: NOON + DAY })
    const bare = (mail: string): string =>
      mail.replace(/^(?:DKIM-Signature:.*\r\n(?:[ \t].*\r\n)+)+/, '').replace(/^Date: .*$/m, '')
    assert.equal(bare(later), bare(await compose()))
    assert.notEqual(
      readReportMail(await compose()).header['message-id'],
      readReportMail(await compose({}, { to: 'other@example.net' })).header['message-id'],
    )
  })

  test('can be read again, and comes in pieces', async () => {
    const frozen = gzipSync(JSON.stringify({ noise: Array.from({ length: 200_000 }, () => Math.random()) }))
    const mail = await composeMail({ ...report, frozen }, options)
    assert.ok(mail.ok)
    const first = await textOf(mail.read())
    assert.equal(await textOf(mail.read()), first)
    assert.deepEqual(readReportMail(first).file, frozen)
    assert.ok(verifySignatures(first, published).every(({ problem }) => problem === undefined))
    let largest = 0
    for await (const piece of mail.read() as AsyncIterable<Buffer>) largest = Math.max(largest, piece.length)
    assert.ok(largest < 200_000, `a piece of ${largest} bytes`)
  })

  test('stays US-ASCII with CRLF and lines that fit, whoever sends it and whoever gets it', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => /^\P{Cc}+$/u.test(text))
    const uri = fc.oneof(
      fc.emailAddress(),
      fc.constantFrom('"a@b,c(d)"@example.net', "o'b{}|re+x@bücher.example", '"quoted"@example.net'),
    )
    await fc.assert(
      fc.asyncProperty(name, name, uri, fc.domain(), async (fromName, organization, to, domain) => {
        const read = readTlsrptRecord([`v=TLSRPTv1; rua=mailto:${encodeURIComponent(to)}`])
        if (read.status !== 'found' || read.endpoints[0]?.kind !== 'mailto') return
        const sender = { ...options.sender, fromName, organization }
        const mail = await compose({ domain }, { sender, to: read.endpoints[0].address })
        assert.match(mail, /^(?:[\t\x20-\x7e]{0,998}\r\n)*$/)
        const { header, fields, report: body } = readReportMail(mail)
        assert.deepEqual(body, { policies: [] })
        assert.equal(header.to?.replace(/^<(.*)>$/, '$1'), read.endpoints[0].address)
        assert.equal(fields.filter((field) => field === 'to' || field === 'from').length, 2)
        assert.ok(verifySignatures(mail, published).every(({ problem }) => problem === undefined))
      }),
      { numRuns: runs(50, 1000) },
    )
  })
})
