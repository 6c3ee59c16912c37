import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readSignedMessage, type SignedMessage } from '../../../../dist/lib/tlsrpt/parsing/index.js'
import { dates, json, now } from './corpus/specimen.ts'
import { message, multipart, reportPart, textPart } from './mail.ts'
import { ed25519Key, keyServer, rsaKey, signed, signedInUtf8, type SigningOptions } from './signing.ts'
import { chunked } from './source.ts'

const key = rsaKey()
const shortKey = rsaKey(512)
const NAME = 'tlsrpt._domainkey.sender.example'

function mail(contact: string | null = 'tls@sender.example', from = 'TLS <noreply@sender.example>'): Buffer {
  const report = json({
    'organization-name': 'Sender',
    'date-range': dates,
    'contact-info': contact,
    'report-id': '1',
    policies: [],
  })
  return message(multipart([textPart, reportPart(gzipSync(report))]), { From: from })
}

const limits = { maxSize: 100_000, now }
const keys = { [NAME]: [`v=DKIM1; ${key.record}`] }

async function read(
  bytes: Buffer,
  records: Parameters<typeof keyServer>[0] = keys,
): Promise<SignedMessage & { asked: string[] }> {
  const { lookup, asked } = keyServer(records)
  return { ...(await readSignedMessage(chunked(bytes, 1000), lookup, limits)), asked }
}

const signedBy = ({ reports }: SignedMessage): string | undefined => {
  assert.equal(reports.length, 1)
  return reports[0]?.signedBy
}

describe('V1: a report counts for nobody', () => {
  test('without a signature', async () => {
    const reading = await read(mail())
    assert.equal(signedBy(reading), undefined)
    assert.deepEqual(reading.signatures.verified, [])
  })

  test('with something changed in it', async () => {
    const bytes = await signed(mail(), key)
    const changed = Buffer.from(bytes.toString('latin1').replace('aggregate', 'Aggregate'), 'latin1')
    const reading = await read(changed)
    assert.equal(signedBy(reading), undefined)
    assert.match(reading.signatures.failures.join(), /"sender\.example": "body hash did not verify"/)
  })

  test('with a From other than the one that was signed', async () => {
    const bytes = await signed(mail(), key)
    const changed = Buffer.from(bytes.toString('latin1').replace('From: TLS', 'From: TSL'), 'latin1')
    assert.equal(signedBy(await read(changed)), undefined)
  })

  const unknown: readonly (readonly [what: string, records: Parameters<typeof keyServer>[0], failure: RegExp])[] = [
    ['no key', {}, /no key/],
    ['another key', { [NAME]: [`v=DKIM1; ${rsaKey(1024).record}`] }, /bad signature/],
    ['a key that has been revoked', { [NAME]: ['v=DKIM1; p='] }, /invalid public key/],
    ['a key for another service', { [NAME]: [`v=DKIM1; s=other; ${key.record}`] }, /key not for email/],
    [
      'a key for a service whose name begins so',
      { [NAME]: [`v=DKIM1; s=tlsrpt2; ${key.record}`] },
      /key not for email/,
    ],
  ]
  for (const [what, records, failure] of unknown)
    test(`with ${what}`, async () => {
      const reading = await read(await signed(mail(), key), records)
      assert.equal(signedBy(reading), undefined)
      assert.match(reading.signatures.failures.join(), failure)
      assert.equal(reading.signatures.isTemporary, false)
    })

  test('with a key that could not be looked up, which may be another matter later', async () => {
    const reading = await read(await signed(mail(), key), { [NAME]: 'failed' })
    assert.equal(signedBy(reading), undefined)
    assert.equal(reading.signatures.isTemporary, true)
  })

  const weak: readonly (readonly [what: string, options: SigningOptions])[] = [
    ['l=, which lets anybody add a report', { length: 10 }],
    ['l= of nothing', { length: 0 }],
    ['SHA-1 (RFC 8301)', { algorithm: 'rsa-sha1' }],
    ['an expiry that is over', { signTime: new Date(now - 2000), expires: new Date(now - 1000) }],
  ]
  for (const [what, options] of weak)
    test(`with ${what}`, async () => assert.equal(signedBy(await read(await signed(mail(), key, options))), undefined))

  test('with a key of 512 bits (RFC 8301)', async () => {
    const records = { [NAME]: [`v=DKIM1; ${shortKey.record}`] }
    assert.equal(signedBy(await read(await signed(mail(), shortKey), records)), undefined)
  })

  test('with a signature of somebody else', async () => {
    const records = { 'tlsrpt._domainkey.attacker.example': [`v=DKIM1; ${key.record}`] }
    const reading = await read(await signed(mail(), key, { domain: 'attacker.example' }), records)
    assert.equal(signedBy(reading), undefined)
    assert.deepEqual(reading.signatures.verified, ['attacker.example'])
  })

  test('with a signature of a neighbour below one public suffix', async () => {
    const records = { 'tlsrpt._domainkey.attacker.co.uk': [`v=DKIM1; ${key.record}`] }
    const bytes = await signed(mail('tls@sender.co.uk'), key, { domain: 'attacker.co.uk' })
    assert.equal(signedBy(await read(bytes, records)), undefined)
  })

  test('with several authors, of whom the first has signed', async () => {
    const bytes = await signed(mail(null, 'a@sender.example, b@other.example'), key)
    assert.equal(signedBy(await read(bytes)), undefined)
  })

  for (const [how, name] of [
    ['', 'DKIM-Signature:'],
    [', however their names are folded', 'DKIM-Signature\r\n :'],
    [', also where the colon begins a line', 'DKIM-Signature\r\n:'],
  ] as const)
    test(`with signatures beyond the fifth${how}`, async () => {
      const decoys = Array.from(
        { length: 5 },
        (_, index) =>
          `${name} v=1; a=rsa-sha256; d=d${index}.example; s=x;\r\n\tc=relaxed/relaxed; h=From; bh=AA==; b=AA==\r\n`,
      )
      const reading = await read(Buffer.concat([Buffer.from(decoys.join('')), await signed(mail(), key)]))
      assert.equal(signedBy(reading), undefined)
      assert.equal(reading.signatures.failures.length, 5)
    })

  for (const [what, field] of [
    ['a header of more than 64 kB', `X-Long: ${'x'.repeat(64 * 1024)}\r\n`],
    ['a header of more than 1000 lines', 'X-Many: x\r\n'.repeat(1001)],
    ['a From of more than 4 kB', `From: "${'x'.repeat(4096)}" <tls@sender.example>\r\n`],
  ] as const)
    test(`with ${what}`, async () => {
      const reading = await read(Buffer.concat([Buffer.from(field), await signed(mail(), key)]))
      assert.deepEqual(reading.signatures.verified, [])
    })

  test('with a key that is only for tests (RFC 6376 3.6.1)', async () => {
    const reading = await read(await signed(mail(), key), { [NAME]: [`v=DKIM1; t=y; ${key.record}`] })
    assert.equal(signedBy(reading), undefined)
    assert.match(reading.signatures.failures.join(), /t=y/)
  })

  for (const [what, identity, flags] of [
    ['on behalf of another domain (RFC 6376 6.1.1)', 'a@other.example', ''],
    ['on behalf of a sub-domain, which its key does not allow (RFC 6376 3.6.1)', 'a@sub.sender.example', 't=s; '],
  ] as const)
    test(`with a signature ${what}`, async () => {
      const bytes = await signed(mail(), key, { identity })
      const reading = await read(bytes, { [NAME]: [`v=DKIM1; ${flags}${key.record}`] })
      assert.equal(signedBy(reading), undefined)
      assert.match(reading.signatures.failures.join(), /i= is not in its domain/)
    })

  test('with the key of a domain that is only written like it (RFC 8616 3)', async () => {
    const bytes = signedInUtf8(mail(), key, 'sen\uff44er.example')
    const [asked = ''] = (await read(bytes)).asked
    assert.match(asked, /^tlsrpt\._domainkey\.xn--/)
    const reading = await read(bytes, { [asked]: [`v=DKIM1; ${key.record}`] })
    assert.equal(signedBy(reading), undefined)
    assert.deepEqual(reading.signatures.verified, [asked.replace('tlsrpt._domainkey.', '')])
  })

  // each of them would hold up all mail of the process for as long as its size squared takes
  const spaces = ` ${' '.repeat(900)}\r\n`.repeat(10)
  for (const [what, field] of [
    ['a header longer than any', `X-Long: ${'x'.repeat(70_000)}\r\n`],
    ['a header of more lines than any', `X-Lines: a\r\n${' \r\n'.repeat(1000)}`],
    ['a header of more lines than any that are no fields', `X-Lines: a\r\n${'a\r\n'.repeat(1000)}`],
    ['bare carriage returns in its header', `X-Returns: ${'\r'.repeat(900)}x\r\n`],
    ['a longer Content-Type than any', `Content-Type: text/plain\r\n${spaces} x\r\n`],
    ['a longer Return-Path than any', `Return-Path: ${'a,'.repeat(450)}\r\n${` ${'a:'.repeat(450)}\r\n`.repeat(10)}`],
    ['a longer From than any', `From: a@sender.example\r\n${spaces} x\r\n`],
  ] as const)
    test(`with ${what}`, async () => {
      const reading = await read(Buffer.concat([Buffer.from(field), await signed(mail(), key)]))
      assert.deepEqual([reading.signatures.verified, reading.asked], [[], []])
      assert.match(reading.signatures.failures.join(), /cannot be checked/)
    })

  test('with a longer signature than any', async () => {
    const bytes = await signed(mail(), key)
    const longer = bytes.toString('latin1').replace(/ b=/, ` n=a\r\n${spaces} x; b=`)
    const reading = await read(Buffer.from(longer, 'latin1'))
    assert.deepEqual([signedBy(reading), reading.asked], [undefined, []])
  })
})

describe('V1: a report counts for the domain that has signed it', () => {
  test('that of its contact', async () => {
    const reading = await read(await signed(mail(), key))
    assert.equal(signedBy(reading), 'sender.example')
    assert.deepEqual(reading.asked, [NAME])
  })

  for (const services of ['tlsrpt', 'email:tlsrpt', 'other : TLSRPT', '*', 'email'])
    test(`with a key for the service type ${services}`, async () => {
      const records = { [NAME]: [`v=DKIM1; s=${services}; ${key.record}`] }
      assert.equal(signedBy(await read(await signed(mail(), key), records)), 'sender.example')
    })

  test('with other records beside its key', async () => {
    const records = { [NAME]: ['some text', ...keys[NAME]] }
    assert.equal(signedBy(await read(await signed(mail(), key), records)), 'sender.example')
  })

  test('with Ed25519 (RFC 8463)', async () => {
    const ed25519 = ed25519Key()
    const records = { [NAME]: [`v=DKIM1; ${ed25519.record}`] }
    assert.equal(signedBy(await read(await signed(mail(), ed25519), records)), 'sender.example')
  })

  test('that of the author, where the contact is elsewhere', async () => {
    assert.equal(signedBy(await read(await signed(mail('tls@contact.example'), key))), 'sender.example')
  })

  test('a domain of the same organization, as it signed', async () => {
    const records = { 'tlsrpt._domainkey.mail.sender.example': [`v=DKIM1; ${key.record}`] }
    const bytes = await signed(mail(), key, { domain: 'Mail.Sender.example' })
    assert.equal(
      signedBy(
        await read(bytes, {
          ...records,
          'tlsrpt._domainkey.Mail.Sender.example': records['tlsrpt._domainkey.mail.sender.example'],
        }),
      ),
      'mail.sender.example',
    )
  })

  test('whoever else has signed it, or tried', async () => {
    const bytes = await signed(await signed(mail(), key), key, { domain: 'list.example' })
    assert.equal(signedBy(await read(bytes)), 'sender.example')
  })

  test('with bare line feeds in transit', async () => {
    const bytes = Buffer.from((await signed(mail(), key)).toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    assert.equal(signedBy(await read(bytes)), 'sender.example')
  })

  test('though the rest of a message is not read: the signature is over all of it', async () => {
    const many = Array.from({ length: 300 }, () => textPart)
    const report = reportPart(
      json({ 'date-range': dates, 'contact-info': 'a@sender.example', 'report-id': '1', policies: [] }),
    )
    const reading = await read(await signed(message(multipart([report, ...many])), key))
    assert.deepEqual(
      reading.refusals.map(({ code }) => code),
      ['too-complex'],
    )
    assert.equal(signedBy(reading), 'sender.example')
  })
})
