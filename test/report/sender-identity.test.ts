import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { readIdentity } from '../../dist/report/sender-identity.js'
import { reportSettingsOf } from '../lib/settings/settings.ts'

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const files: Readonly<Record<string, string>> = {
  'dkim/example.org/private': key,
  'dkim/example.org/selector': 'tlsrpt\n',
}
const identityOf = (lines: string) => readIdentity(reportSettingsOf(`[main]\n${lines}`), (path) => files[path])

describe('what reports cannot be sent without', () => {
  test('is who reports, and a key to sign with', () => {
    const named = 'org-name = Example\ncontact-info = jane@example.org\nfrom-address = tls@mail.example.org'
    const read = identityOf(named)
    assert.ok(read.ok)
    assert.deepEqual(read.warnings, [])
    assert.equal(read.identity.reporter.submitter, 'example.org')
    assert.deepEqual(
      read.identity.keys.map(({ domain, selector }) => [domain, selector]),
      [['example.org', 'tlsrpt']],
    )
  })

  test('is named, all of it', () => {
    const read = identityOf('org-name = Example\nfrom-address = tls@example.net')
    assert.ok(!read.ok)
    assert.equal(read.missing.length, 2)
    assert.match(read.missing.join('; '), /^contact-info; a DKIM key: .*dkim\/example\.net\/private/)
  })

  test('a from-address that no signature is aligned with is warned of, for DMARC', () => {
    const named = 'org-name = Example\ncontact-info = jane@example.org\nfrom-address = tls@example.net\nsign[] = own'
    const own = '[signature:own]\ndomain = example.org\nselector = tlsrpt\nprivate-key = dkim/example.org/private'
    const read = identityOf(`${named}\n${own}`)
    assert.ok(read.ok)
    assert.match(
      read.warnings.join(),
      /from-address is of example\.net, and reports are signed by example\.org: .*DMARC/,
    )
  })

  test('R21: a key of another domain than the one that reports is warned of', () => {
    const read = identityOf('org-name = Example\ncontact-info = jane@example.com\nfrom-address = tls@example.org')
    assert.ok(read.ok)
    assert.match(read.warnings.join(), /reports of example\.com are signed by example\.org: receivers ignore them/)
  })
})
