/**
 * The mail of a report, as programs of others verify and read it. The key records are published as docs/reports.md advises.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { composeMail, type SigningKey } from '../../dist/lib/tlsrpt/transmit/index.js'
import { keyRecord } from '../support/dkim.ts'
import { needTool, skipWithout } from './tools.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 10, 30)

const pem = (key: ReturnType<typeof createPrivateKey>): string =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString()
const rsa: SigningKey = {
  ...{ domain: 'example.org', selector: 'rsa' },
  privateKey: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
}
const ed25519: SigningKey = {
  ...{ domain: 'example.org', selector: 'ed' },
  privateKey: pem(generateKeyPairSync('ed25519').privateKey),
}
const published = Object.fromEntries(
  [rsa, ed25519].map(({ selector, domain, privateKey }) => [
    `${selector}._domainkey.${domain}`,
    keyRecord(createPrivateKey(privateKey), 't=s'),
  ]),
)

const NAMES = {
  'plain words': 'TLS Report',
  'commas, quotes and brackets': 'Foo, "Bar" <tls@evil.example>, Inc.; (x) \\',
  'letters of all scripts': 'Søren Kälin, 東京 TLS-Bericht 😀',
  '200 characters': 'Ünlimited Ä'.repeat(18) + 'nd',
} as const

async function compose(name: string, keys: readonly SigningKey[]): Promise<string> {
  const report = {
    domain: 'example.net',
    period: { start: START, end: START + DAY },
    reportId: '20261130T00Z.k3v9@example.org',
    frozen: gzipSync(JSON.stringify({ 'organization-name': name, policies: [] })),
  }
  const sender = {
    ...{ fromName: name, organization: name, fromAddress: 'noreply-tls@example.org' },
    ...{ contact: 'jane@example.org', submitter: 'example.org' },
  }
  const mail = await composeMail(report, { sender, to: 'tls@example.net', keys, now: Date.now() })
  assert.ok(mail.ok, mail.ok ? '' : mail.text)
  return textOf(mail.read())
}

const PYTHON = '/usr/bin/python3' // the one that Debian's packages are for

/** Runs a Python program that is given a JSON object on its standard input. */
function python(program: string, given: object): unknown {
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', program], { input: JSON.stringify(given) })
  assert.equal(status, 0, stderr.toString())
  return JSON.parse(stdout.toString())
}

const VERIFY = `
import dkim, json, sys
given = json.load(sys.stdin)
keys = {name.encode() + b'.': record.encode() for name, record in given['keys'].items()}
message = dkim.DKIM(given['message'].encode())
lookup = lambda name, timeout=5: keys.get(name)
def verifies(index):
  try:
    return message.verify(idx=index, dnsfunc=lookup)
  except dkim.DKIMException:
    return False
print(json.dumps([verifies(index) for index in range(given['signatures'])]))
`

const READ = `
import email, email.header, email.policy, email.utils, gzip, json, sys
content = json.load(sys.stdin)['message'].encode()
message = email.message_from_bytes(content, policy=email.policy.SMTP)
parts = list(message.walk())
defects = [str(defect) for part in parts for defect in part.defects]
defects += [str(defect) for part in parts for value in part.values() for defect in value.defects]
# the new API leaves white space between encoded words, against RFC 2047 6.2; the old one does not
encoded, address = email.utils.parseaddr(email.message_from_bytes(content)['From'])
name = str(email.header.make_header(email.header.decode_header(encoded)))
report = json.loads(gzip.decompress(parts[2].get_content()))
print(json.dumps({'defects': defects, 'name': name, 'address': address,
  'types': [part.get_content_type() for part in parts], 'organization': report['organization-name']}))
`

describe('the mail of a report', { skip: skipWithout('dkimverify', 'opendkim') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-mail-'))
  after(() => rmSync(folder, { recursive: true }))

  /** What OpenDKIM's filter says of a message in its test mode. */
  const openDkim = (message: string): string => {
    const paths = {
      keys: join(folder, 'keys'),
      mail: join(folder, 'mail.eml'),
      configuration: join(folder, 'opendkim.conf'),
    }
    const lines = Object.entries(published).map(([name, record]) => `${name} ${record}`)
    writeFileSync(paths.keys, `${lines.join('\n')}\n`)
    writeFileSync(paths.mail, message)
    writeFileSync(paths.configuration, `Mode v\nTestPublicKeys ${paths.keys}\nOn-BadSignature reject\n`)
    const { status, stdout, stderr } = spawnSync(needTool('opendkim'), [
      '-x',
      paths.configuration,
      '-vv',
      '-t',
      paths.mail,
    ])
    assert.equal(status, 0, `${stdout.toString()}${stderr.toString()}`)
    return `${stdout.toString()}${stderr.toString()}`
  }

  for (const [what, name] of Object.entries(NAMES)) {
    test(`R19, R21: is verified by dkimpy, with RSA and Ed25519, from ${what}`, async () => {
      const message = await compose(name, [rsa, ed25519])
      assert.deepEqual(python(VERIFY, { message, keys: published, signatures: 2 }), [true, true])
    })

    test(`R19, R21: is verified by OpenDKIM with RSA, which knows no Ed25519, from ${what}`, async () => {
      assert.match(openDkim(await compose(name, [rsa])), /dkim=pass|verification \(.*\) succeeded/)
    })

    test(`R18: has no defects for Python's email, from ${what}`, async () => {
      assert.deepEqual(python(READ, { message: await compose(name, [rsa, ed25519]) }), {
        ...{ defects: [], name, address: 'noreply-tls@example.org', organization: name },
        types: ['multipart/report', 'text/plain', 'application/tlsrpt+gzip'],
      })
    })
  }

  test('is refused by both where a word of the body has changed, so that they do look', async () => {
    const message = (await compose('TLS Report', [rsa])).replace('aggregate', 'aggregated')
    assert.deepEqual(python(VERIFY, { message, keys: published, signatures: 1 }), [false])
    assert.doesNotMatch(openDkim(message), /dkim=pass|succeeded/)
  })

  test('R21: dkimpy refuses a key record with s=email:tlsrpt, which is why none is advised', async () => {
    const message = await compose('TLS Report', [rsa])
    const keys = { 'rsa._domainkey.example.org': keyRecord(createPrivateKey(rsa.privateKey), 's=email:tlsrpt') }
    assert.deepEqual(python(VERIFY, { message, keys, signatures: 1 }), [false])
  })
})
