import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { readSigningKeys, type KeysRead } from '../../../../dist/lib/tlsrpt/transmit/index.js'
import { reportSettingsOf } from '../../settings/settings.ts'

const who = 'from-address = tls@mail.example.org\n'
const named = `${who}sign[] = a\n[signature:a]\ndomain = example.org\nselector = sel\nprivate-key = keys/a.pem\n`

const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
const shortRsa = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
const tooShortRsa = pem(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey)
const ed25519 = pem(generateKeyPairSync('ed25519').privateKey)
const elliptic = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const locked = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'secret' })
  .toString()

function pem(key: KeyObject, type: 'pkcs1' | 'pkcs8' = 'pkcs8'): string {
  return key.export({ type, format: 'pem' }).toString()
}

/** @param files - an error is what reading them throws */
function readFrom(ini: string, files: Readonly<Record<string, string | Error>>): KeysRead {
  return readSigningKeys(reportSettingsOf(ini), (path) => {
    const content = files[path]
    if (content instanceof Error) throw content
    return content
  })
}

function problemsIn(ini: string, files: Readonly<Record<string, string | Error>>): string {
  const read = readFrom(ini, files)
  assert.ok(!read.ok, 'there is a problem')
  return read.problems.join('\n')
}

describe('a key that cannot be used is named, with what is wrong', () => {
  for (const [why, content, text] of [
    ['is not there', undefined, /\[signature:a\] private-key = keys\/a\.pem: there is no such file/],
    ['cannot be read', new Error('EACCES'), /cannot be read: EACCES/],
    ['is no key', 'v=DKIM1; p=', /holds no private key in PEM/],
    ['has a passphrase', locked, /without a passphrase/],
    ['is of another kind', elliptic, /is ec, not RSA or Ed25519/],
    ['is too short', tooShortRsa, /has 512 bits, RSA needs 1024/],
  ] as const) {
    test(why, () => {
      const problems = problemsIn(named, content === undefined ? {} : { 'keys/a.pem': content })
      assert.match(problems, text)
      assert.doesNotMatch(problems, /\n|BEGIN/)
    })
  }

  test('neither sign[] nor a key of haraka-plugin-dkim', () => {
    assert.match(problemsIn(who, {}), /neither sign\[\] nor dkim\/mail\.example\.org\/private/)
    assert.match(problemsIn('', {}), /a DKIM key: sign\[\], or from-address/)
  })

  test('a key of haraka-plugin-dkim without a selector, or a selector without a key', () => {
    assert.match(problemsIn(who, { 'dkim/example.org/private': rsa }), /dkim\/example\.org\/selector holds no selector/)
    assert.match(
      problemsIn(who, { 'dkim/example.org/private': rsa, 'dkim/example.org/selector': '\n' }),
      /holds no selector/,
    )
    assert.match(
      problemsIn(who, { 'dkim/example.org/selector': 'sel\n' }),
      /dkim\/example\.org\/private: there is no such file/,
    )
  })

  test('one of several', () => {
    const two = `${named.replace('sign[] = a', 'sign[] = b\nsign[] = a')}[signature:b]\ndomain = example.org\nselector = b\nprivate-key = keys/b.pem\n`
    assert.match(problemsIn(two, { 'keys/a.pem': rsa }), /^a DKIM key: \[signature:b\] private-key = keys\/b\.pem/)
  })
})

describe('the keys that sign', () => {
  test('are those that sign[] names, RSA and Ed25519', () => {
    for (const key of [rsa, ed25519])
      assert.deepEqual(readFrom(named, { 'keys/a.pem': key }), {
        ok: true,
        keys: [{ domain: 'example.org', selector: 'sel', privateKey: key }],
        warnings: [],
      })
  })

  test('a short RSA key is worth a warning', () => {
    const read = readFrom(named, { 'keys/a.pem': shortRsa })
    assert.ok(read.ok)
    assert.match(read.warnings.join(), /keys\/a\.pem: has 1024 bits, 2048 are safer/)
  })

  test('without sign[] it is that of haraka-plugin-dkim: of the domain of from-address, or the next above that has one', () => {
    const files = { 'dkim/example.org/private': rsa, 'dkim/example.org/selector': 'may2026\n' }
    const read = readFrom(who, files)
    assert.ok(read.ok)
    assert.deepEqual(read.keys, [{ domain: 'example.org', selector: 'may2026', privateKey: rsa }])
    const nearer = readFrom(who, {
      ...files,
      'dkim/mail.example.org/private': ed25519,
      'dkim/mail.example.org/selector': 'ed',
    })
    assert.ok(nearer.ok)
    assert.deepEqual(nearer.keys, [{ domain: 'mail.example.org', selector: 'ed', privateKey: ed25519 }])
  })

  test('a top-level domain has no key', () => {
    assert.match(problemsIn(who, { 'dkim/org/private': rsa, 'dkim/org/selector': 'sel' }), /neither sign\[\]/)
  })
})
