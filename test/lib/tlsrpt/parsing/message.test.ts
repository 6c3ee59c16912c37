import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readMessage, type MessageReading } from '../../../../dist/lib/tlsrpt/parsing/index.js'
import { dates, json, now } from './corpus/specimen.ts'
import { base64, message, multipart, quotedPrintable, reportPart, textPart, type MailPart } from './mail.ts'
import { chunked } from './source.ts'

const policies = [
  {
    policy: { 'policy-type': 'no-policy-found' },
    summary: { 'total-successful-session-count': 3, 'total-failure-session-count': 0 },
  },
]

function report(id: string, more: object = {}): Buffer {
  const text = { 'organization-name': 'Söder', 'date-range': dates, 'contact-info': 'tls@sender.example' }
  return json({ ...text, 'report-id': id, policies, ...more })
}

const limits = { maxSize: 100_000, now }
const read = (mail: Buffer, size = 1000): Promise<MessageReading> => readMessage(chunked(mail, size), limits)
const ids = ({ reports }: MessageReading): readonly string[] => reports.map((found) => found.report.reportId)
const codes = ({ refusals }: MessageReading): readonly string[] => refusals.map(({ code }) => code)

const plain = report('1')
const gzip = gzipSync(plain)
const attachment = (type: string, body: string | Buffer, encoding: string, name = 'report.bin'): MailPart => ({
  header: {
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${name}"`,
    'Content-Transfer-Encoding': encoding,
  },
  body,
})

describe('what is found in no message', () => {
  const refused: readonly (readonly [what: string, part: MailPart, codes: readonly string[]])[] = [
    ['ordinary mail', textPart, []],
    [
      'mail with an archive that is no report',
      multipart([textPart, attachment('application/x-tar', base64(gzipSync('ustar')), 'base64')], 'mixed'),
      [],
    ],
    ['JSON that is no report, by its own word', attachment('application/octet-stream', '{"a":1}', '7bit'), []],
    ['what is said to be a report, and is JSON of something else', reportPart(json({ a: 1 })), ['not-a-report']],
    ['what is said to be a report, and is a picture', reportPart(Buffer.from('89504e47', 'hex')), ['not-a-report']],
    [
      'a report by its file name, cut off',
      attachment('application/octet-stream', base64(gzip.subarray(0, 50)), 'base64', 'a.json.gz'),
      ['malformed-gzip'],
    ],
    ['an empty part', reportPart(Buffer.alloc(0)), ['not-a-report']],
    ['an attached message', { header: { 'Content-Type': 'message/rfc822' }, body: message(reportPart(gzip)) }, []],
  ]
  for (const [what, part, expected] of refused)
    test(what, async () => {
      const reading = await read(message(part))
      assert.deepEqual(ids(reading), [])
      assert.deepEqual(codes(reading), expected)
    })
})

describe('V7: reports are found in a message', () => {
  const found: readonly (readonly [how: string, part: MailPart])[] = [
    ['as RFC 8460 5.3 has it', multipart([textPart, reportPart(gzip)])],
    ['as the whole message', reportPart(gzip)],
    ['as the whole message, in JSON and 8bit', attachment('application/tlsrpt+json', plain, '8bit')],
    [
      'in quoted-printable',
      multipart([textPart, attachment('application/json', quotedPrintable(plain), 'quoted-printable')]),
    ],
    [
      'gzip in quoted-printable',
      multipart([attachment('application/gzip', quotedPrintable(gzip), 'quoted-printable')]),
    ],
    ['gzip that is said to be JSON', multipart([reportPart(gzip, { 'Content-Type': 'application/tlsrpt+json' })])],
    ['JSON that is said to be gzip', multipart([reportPart(plain, { 'Content-Type': 'application/tlsrpt+gzip' })])],
    [
      'as application/octet-stream',
      multipart([attachment('application/octet-stream', base64(gzip), 'base64')], 'mixed'),
    ],
    [
      'as text/plain, without a name',
      { header: { 'Content-Type': 'text/plain', 'Content-Transfer-Encoding': '8bit' }, body: plain },
    ],
    ['with a Content-Type that is none', multipart([attachment('tlsrpt', base64(gzip), 'BASE64')])],
    ['without a Content-Type', { header: { 'Content-Transfer-Encoding': 'base64' }, body: base64(gzip) }],
    ['binary', multipart([attachment('application/tlsrpt+gzip', gzip, 'binary')])],
    [
      'three multiparts deep',
      multipart([multipart([multipart([textPart, reportPart(gzip)], 'alternative', 'c')], 'mixed', 'b'), textPart]),
    ],
    ['with base64 in one line', multipart([{ ...reportPart(gzip), body: gzip.toString('base64') }])],
  ]
  for (const [how, part] of found)
    for (const size of [1, 7, 100_000])
      test(`${how}, in chunks of ${size}`, async () => {
        const reading = await read(message(part), size)
        assert.deepEqual(ids(reading), ['1'])
        assert.deepEqual(codes(reading), [])
        assert.equal(reading.reports[0]?.report.organization, 'Söder')
      })

  for (const [how, part] of [
    ['gzip of XML', attachment('application/gzip', base64(gzipSync('<?xml version="1.0"?><feedback/>')), 'base64')],
    ['zip', attachment('application/octet-stream; name="a.json.gz"', base64(Buffer.from('PK\x03\x04\0\0')), 'base64')],
    ['XML', attachment('application/json', '<?xml version="1.0"?><feedback/>', '7bit')],
  ] as const)
    test(`a DMARC report at the same address is passed over: ${how}`, async () => {
      const reading = await read(message(multipart([textPart, part])))
      assert.deepEqual([ids(reading), codes(reading)], [[], []])
    })

  test('several of them, and what was wrong with the one among them that was none', async () => {
    const broken = reportPart(report('3', { 'date-range': null }))
    const parts = [textPart, reportPart(gzip), reportPart(report('2')), broken, reportPart(gzipSync(report('4')))]
    const reading = await read(message(multipart(parts)))
    assert.deepEqual(ids(reading), ['1', '2', '4'])
    assert.deepEqual(codes(reading), ['missing-date'])
  })

  test("V4: the message's word for the domain is taken only where the report has none", async () => {
    const named = [{ ...policies[0], policy: { 'policy-type': 'sts', 'policy-domain': 'other.example' } }, ...policies]
    const reading = await read(
      message(reportPart(report('1', { policies: named })), { 'TLS-Report-Domain': ' Example.ORG ' }),
    )
    assert.deepEqual(
      reading.reports[0]?.report.policies.map(({ domain }) => domain),
      ['other.example', 'example.org'],
    )
    assert.deepEqual(
      reading.reports[0].notes.map(({ code }) => code),
      ['policy-domain-missing'],
    )
  })

  test('a header that names no domain gives none', async () => {
    const reading = await read(message(reportPart(gzip), { 'TLS-Report-Domain': '../../../etc' }))
    assert.equal(reading.reports[0]?.report.policies[0]?.domain, undefined)
  })
})

describe('V6: a message has bounds', () => {
  test('a thousand attachments: those up to the bound are read, and that there were more is said', async () => {
    const parts = Array.from({ length: 1000 }, (_, index) => reportPart(gzipSync(report(String(index)))))
    const reading = await read(message(multipart(parts)), 65_536)
    assert.equal(reading.reports.length, 50)
    assert.deepEqual(codes(reading), ['too-complex'])
  })

  test('a report behind the last one that is read is not passed over in silence', async () => {
    const parts = Array.from({ length: 51 }, (_, index) => reportPart(gzipSync(report(String(index)))))
    const reading = await read(message(multipart(parts)), 65_536)
    assert.deepEqual([reading.reports.length, codes(reading)], [50, ['too-complex']])
    const all = await read(message(multipart(parts.slice(1))), 65_536)
    assert.deepEqual([all.reports.length, codes(all)], [50, []])
  })

  test('a thousand broken attachments do not make a thousand errors', async () => {
    const parts = Array.from({ length: 150 }, () => reportPart(Buffer.from('{')))
    assert.equal((await read(message(multipart(parts)))).refusals.length, 10)
  })

  test('a header of a megabyte is no report', async () => {
    const reading = await read(message(reportPart(gzip), { 'X-Long': 'x'.repeat(1_000_000) }), 65_536)
    assert.deepEqual([ids(reading), codes(reading)], [[], ['too-complex']])
  })

  test('bombs, one beside the other, are decompressed up to a bound that they share', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(90_000, 0x20), Buffer.from('"}')]), {
      level: 9,
    })
    const parts = Array.from({ length: 20 }, () => reportPart(bomb))
    const reading = await read(message(multipart([...parts, reportPart(gzip)])))
    const read4 = ['not-a-report', 'not-a-report', 'not-a-report', 'not-a-report']
    assert.deepEqual(codes(reading), [...read4, 'too-large', 'too-complex'])
    assert.deepEqual(ids(reading), [])
  })

  test('what goes wrong with the source is not taken for the end of the message', async () => {
    const source = async function* (): AsyncGenerator<Buffer> {
      yield* chunked(message(reportPart(gzip)).subarray(0, 700), 100)
      throw new Error('no more of it')
    }
    await assert.rejects(readMessage(source(), limits), /no more of it/)
  })
})
