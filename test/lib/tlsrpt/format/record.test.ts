import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readTlsrptRecord, tlsrptRecordName, type ReportEndpoint } from '../../../../dist/lib/tlsrpt/format/index.js'
import { fuzzRuns, mutated } from '../../mta-sts/fuzz.ts'

const mail = (address: string): ReportEndpoint => ({ kind: 'mailto', address })
const web = (url: string): ReportEndpoint => ({ kind: 'https', url })

function read(...records: string[]): readonly ReportEndpoint[] | string {
  const result = readTlsrptRecord(records)
  return result.status === 'found' ? result.endpoints : result.status
}

const valid: [why: string, record: string, endpoints: ReportEndpoint[]][] = [
  ['the first example of RFC 8460', 'v=TLSRPTv1;rua=mailto:reports@example.com', [mail('reports@example.com')]],
  [
    'the second example of RFC 8460',
    'v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt',
    [web('https://reporting.example.com/v1/tlsrpt')],
  ],
  ['R2: a final delimiter', 'v=TLSRPTv1;rua=mailto:a@b.example; ', [mail('a@b.example')]],
  ['R2: an extension before rua', 'v=TLSRPTv1; a.b-c_1=x,y!~; rua=mailto:a@b.example', [mail('a@b.example')]],
  ['R5: unknown fields behind rua', 'v=TLSRPTv1;rua=mailto:a@b.example ;\tv=2;ruf=z', [mail('a@b.example')]],
  [
    'R4: two URIs',
    'v=TLSRPTv1; rua=mailto:a@b.example \t, https://c.example/?d=e',
    [mail('a@b.example'), web('https://c.example/?d=e')],
  ],
  ['R4: an encoded "!" in an address', 'v=TLSRPTv1;rua=mailto:a%21b@c.example', [mail('a!b@c.example')]],
  ['R4: encoded "," and ";" in quotes', 'v=TLSRPTv1;rua=mailto:%22a%2Cb%3Bc%22@d.example', [mail('"a,b;c"@d.example')]],
  [
    'R4: encoded "," "!" ";" in a URL',
    'v=TLSRPTv1;rua=https://a.example/%2C%21%3B',
    [web('https://a.example/%2C%21%3B')],
  ],
  ['capitals in scheme and domain', 'v=TLSRPTv1;rua=MailTo:Me@EXAMPLE.com', [mail('Me@example.com')]],
  ['U-labels in a mail domain', 'v=TLSRPTv1;rua=mailto:a@b%C3%BCcher.example', [mail('a@xn--bcher-kva.example')]],
  ['U-labels in a host', 'v=TLSRPTv1;rua=https://b%C3%BCcher.example/', [web('https://xn--bcher-kva.example/')]],
  [
    'a final dot, a port and a fragment',
    'v=TLSRPTv1;rua=https://A.example.:8443/x#y',
    [web('https://a.example:8443/x')],
  ],
  [
    'an empty item',
    'v=TLSRPTv1; rua=mailto:a@b.example,,mailto:c@d.example',
    [mail('a@b.example'), mail('c@d.example')],
  ],
  ['a comma at the end', 'v=TLSRPTv1; rua=mailto:a@b.example,', [mail('a@b.example')]],
  ['white space behind = and at the end', 'v=TLSRPTv1; rua= mailto:a@b.example ', [mail('a@b.example')]],
  ['an empty field', 'v=TLSRPTv1;; rua=mailto:a@b.example; ;', [mail('a@b.example')]],
  [
    'mailto with "//" beside one that is right',
    'v=TLSRPTv1; rua=mailto://a@b.example,mailto:a@b.example',
    [mail('a@b.example')],
  ],
  ['the same URI twice', 'v=TLSRPTv1;rua=mailto:a@b.example,mailto:a@B.example', [mail('a@b.example')]],
]

const malformed: [why: string, record: string][] = [
  ['without any field', 'v=TLSRPTv1;'],
  ['without rua', 'v=TLSRPTv1; a=b'],
  ['with an empty rua', 'v=TLSRPTv1; rua='],
  ['with RUA in capitals only', 'v=TLSRPTv1; RUA=mailto:a@b.example'],
  ['with a line end at the end', 'v=TLSRPTv1; rua=mailto:a@b.example\n'],
  ['with a no-break space', 'v=TLSRPTv1; rua=mailto:a@b.example\u00a0'],
  ['with white space inside a URI', 'v=TLSRPTv1; rua=mailto:a @b.example'],
  ['with empty items only', 'v=TLSRPTv1; rua=,'],
  ['with a field without value', 'v=TLSRPTv1; rua=mailto:a@b.example; c'],
  ['with a ";" that is not encoded', 'v=TLSRPTv1; rua=https://a.example/b;c'],
  ['with = in the value of an extension', 'v=TLSRPTv1; a=b=c; rua=mailto:a@b.example'],
  ['with a field name of 33 characters', `v=TLSRPTv1; rua=mailto:a@b.example; ${'b'.repeat(33)}=c`],
  ['R7: that is not US-ASCII', 'v=TLSRPTv1; rua=mailto:é@b.example'],
  ['with a line end', 'v=TLSRPTv1; rua=mailto:a@b.example\n'],
  ['with a NUL', 'v=TLSRPTv1; rua=mailto:a@b.example;\0'],
]

const skipped: [why: string, uri: string, note: RegExp][] = [
  ['of another scheme', 'http://a.example/', /neither mailto nor https/],
  ['ftp', 'ftp://a.example/', /neither mailto nor https/],
  ['without a scheme', 'reports@a.example', /not a URI/],
  ['with a broken percent-encoding', 'mailto:a%2@b.example', /not a URI/],
  ['with a character that URIs do not have', 'https://a.example/{}', /not a URI/],
  ['with a "!" that is not encoded', 'mailto:a!b@c.example', /"!" is not encoded/],
  ['with an IPv4 literal', 'mailto:a@[192.0.2.1]', /an address literal/],
  ['with an IPv6 literal', 'mailto:a@[IPv6:2001:db8::1]', /an address literal/],
  ['with a bare IPv4 address', 'mailto:a@192.0.2.1', /not an address/],
  ['with an encoded line end', 'mailto:a%0D%0ABcc:x@b.example', /control characters/],
  ['with an encoded NUL', 'mailto:a%00@b.example', /control characters/],
  ['with a C1 control character', 'mailto:a%C2%85@b.example', /control characters/],
  ['with octets that are not UTF-8', 'mailto:a%FF@b.example', /not UTF-8/],
  ['with a local part that needs SMTPUTF8', 'mailto:%C3%BC@b.example', /not an address/],
  ['with two addresses', 'mailto:a@b.example%2Cc@d.example', /not an address/],
  ['with brackets in quotes', 'mailto:%22a%3E%22@b.example', /not an address/],
  ['without an address', 'mailto:?to=a@b.example', /not an address/],
  ['mailto with "//", which would be part of the address', 'mailto://a@b.example', /no "\/\/"/],
  ['to this machine', 'mailto:root@localhost', /not an address/],
  ['with a local part of 65 characters', `mailto:${'a'.repeat(65)}@b.example`, /not an address/],
  ['https to an IPv4 address', 'https://127.0.0.1/', /an address literal/],
  ['https to an IPv4 address in disguise', 'https://0x7f.1/', /an address literal/],
  ['https to a number', 'https://2130706433/', /an address literal/],
  ['https to an encoded IPv4 address', 'https://%31%32%37.0.0.1/', /an address literal/],
  ['https to an IPv4 address with a final dot', 'https://127.0.0.1./', /an address literal/],
  ['https to an IPv6 address', 'https://[::1]/', /an address literal/],
  ['https to this machine', 'https://localhost/', /not a public host name/],
  ['https with credentials', 'https://user:secret@a.example/', /credentials/],
  ['https with a name before the host', 'https://b.example@a.example/', /credentials/],
  ['https without slashes', 'https:a.example', /not a URL/],
  ['https without a host', 'https:///a', /not a URL/],
  ['https with an impossible port', 'https://a.example:99999/', /not a URL/],
  ['that is too long', `https://a.example/${'b'.repeat(2048)}`, /longer than 2048/],
]

describe('the TLSRPT record', () => {
  test('R1: is looked up below the policy domain', () => {
    assert.equal(tlsrptRecordName('mail.example.com'), '_smtp._tls.mail.example.com')
  })

  for (const [why, record, endpoints] of valid)
    test(`is read with ${why}`, () => assert.deepEqual(read(record), endpoints))
  for (const [why, record] of malformed) test(`R2: is malformed ${why}`, () => assert.equal(read(record), 'malformed'))

  test('an empty item and an empty field are noted', () => {
    const found = readTlsrptRecord(['v=TLSRPTv1;;rua=mailto:a@b.example,'])
    assert.deepEqual(found.notes, ['an empty field', 'an empty item in rua'])
  })

  test('R3: is read with white space before the first semicolon, and a note', () => {
    assert.deepEqual(readTlsrptRecord(['v=TLSRPTv1 \t;rua=mailto:a@b.example']), {
      status: 'found',
      endpoints: [mail('a@b.example')],
      notes: ['white space before the first ";"'],
    })
  })

  for (const record of [
    '',
    'v=spf1 -all',
    'v=TLSRPTv1',
    'v=tlsrptv1;rua=mailto:a@b.example',
    'v=TLSRPTv2;',
    ' v=TLSRPTv1;',
  ])
    test(`R3: ${JSON.stringify(record)} is none`, () => assert.equal(read(record), 'none'))
  test('R3: no records are none', () => assert.equal(read(), 'none'))
  test('R3: records of others beside it do not matter', () => {
    assert.deepEqual(read('v=spf1', 'v=TLSRPTv1;rua=mailto:a@b.example', 'x'), [mail('a@b.example')])
  })
  test('R3: two are as good as none, even if equal, even if one is malformed', () => {
    const one = 'v=TLSRPTv1;rua=mailto:a@b.example'
    assert.equal(read(one, one), 'several')
    assert.equal(read(one, 'v=TLSRPTv1; bad'), 'several')
  })
})

describe('a URI of the TLSRPT record', () => {
  for (const [why, uri, note] of skipped) {
    test(`R4: is skipped ${why}, and the rest is kept`, () => {
      const result = readTlsrptRecord([`v=TLSRPTv1; rua=${uri}, mailto:a@b.example`])
      assert.deepEqual(result.status === 'found' && result.endpoints, [mail('a@b.example')])
      assert.equal(result.notes.length, 1)
      assert.match(result.notes[0] ?? '', note)
      assert.equal(read(`v=TLSRPTv1; rua=${uri}`), 'no-endpoint')
    })
  }

  const stripped: [why: string, uri: string, endpoint: ReportEndpoint, note: RegExp][] = [
    ['hfields', 'mailto:a@b.example?subject=x&bcc=c@d.example', mail('a@b.example'), /only the address counts/],
    ['the size limit of DMARC', 'mailto:a@b.example!10m', mail('a@b.example'), /size limit left out/],
    ['a size limit without unit', 'https://a.example/b!100', web('https://a.example/b'), /size limit left out/],
  ]
  for (const [why, uri, endpoint, note] of stripped) {
    test(`R5: loses ${why}, with a note`, () => {
      const result = readTlsrptRecord([`v=TLSRPTv1;rua=${uri}`])
      assert.deepEqual(result.status === 'found' && result.endpoints, [endpoint])
      assert.match(result.notes.join(), note)
    })
  }

  test('R5: those of all rua fields count, with a note', () => {
    const result = readTlsrptRecord(['v=TLSRPTv1;rua=mailto:a@b.example;rua=https://c.example'])
    assert.deepEqual(result, {
      status: 'found',
      endpoints: [mail('a@b.example'), web('https://c.example/')],
      notes: ['rua more than once, all of them count'],
    })
  })

  test('only the first ten count, with a note', () => {
    const uris = Array.from({ length: 5000 }, (_, index) => `mailto:a${index}@b.example`)
    const result = readTlsrptRecord([`v=TLSRPTv1;rua=${uris.join(',')}`])
    assert.equal(result.status === 'found' && result.endpoints.length, 10)
    assert.deepEqual(result.notes, ['only the first 10 of 5000 URIs count'])
  })

  test('R4: notes are printable and bounded whatever stands in it', () => {
    const { notes } = readTlsrptRecord([
      `v=TLSRPTv1;rua=${Array(5000)
        .fill(`x"\\${'y'.repeat(3000)}`)
        .join(',')}`,
    ])
    assert.ok(notes.length <= 13)
    for (const note of notes) assert.match(note, /^[\x20-\x7e…]{1,300}$/)
  })
})

describe('the reader of TLSRPT records', () => {
  const origin = fc.constantFrom(
    ...[...valid, ...malformed].map(([, record]) => record),
    ...skipped.map(([, uri]) => `v=TLSRPTv1;rua=${uri}`),
  )

  test('R2: makes of any text a typed result, with endpoints that are safe to use', () => {
    fc.assert(
      fc.property(fc.array(mutated(origin), { maxLength: 3 }), (records) => {
        const result = readTlsrptRecord(records)
        for (const note of result.notes) assert.match(note, /^[\x20-\x7e…]{1,600}$/)
        if (result.status !== 'found') return
        assert.ok(result.endpoints.length > 0)
        for (const endpoint of result.endpoints) {
          if (endpoint.kind === 'mailto') assert.match(endpoint.address, /^[!-;=?-~]+@[a-z0-9_-]+(\.[a-z0-9_-]+)+$/)
          else assert.match(endpoint.url, /^https:\/\/[a-z0-9_-]+(\.[a-z0-9_-]+)+(:\d+)?\/[!-~]*$/)
        }
      }),
      { numRuns: fuzzRuns },
    )
  })

  test('R2: reads 64 KiB of anything in no time', () => {
    const started = performance.now()
    for (const unit of [' ', ';', '; ', ' ;', '\t;a=b', 'rua=a;', ',', ' ,', 'a', ';rua=', 'a,', ' , a', '!1', '%41'])
      for (const start of ['v=TLSRPTv1;', 'v=TLSRPTv1;rua=mailto:'])
        readTlsrptRecord([`${start}${unit.repeat(65_536 / unit.length)}`, 'v=spf1'])
    assert.ok(performance.now() - started < 500)
  })
})
