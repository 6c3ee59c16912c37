import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { trustAnchorsIn } from '../../../dist/lib/settings/index.js'
import { createCertificates } from '../../internet/certificates.ts'

const { caPem } = createCertificates()
const damaged = caPem.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA')

describe('a ca-file', () => {
  for (const text of [caPem, `# our roots\n${caPem}\n# and others\n${caPem}`, caPem.replaceAll('\n', '\r\n')])
    test(`is taken as it is: ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.equal(trustAnchorsIn(text, 'ca.pem'), text)
    })

  for (const [what, text, why] of [
    ['nothing', '', /^no certificate in ca\.pem$/],
    ['a key', '-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n', /^no certificate in ca\.pem$/],
    ['a certificate without an end', caPem.slice(0, 200), /^a certificate in ca\.pem has no end$/],
    [
      'half a certificate before a whole one',
      `${caPem.slice(0, 200)}\n${caPem}`,
      /^a certificate in ca\.pem has no end$/,
    ],
    ['a damaged certificate behind a good one', `${caPem}${damaged}`, /^certificate 2 in ca\.pem is damaged$/],
  ] as const)
    test(`with ${what} is an error: OpenSSL would pass over it without a word`, () => {
      assert.throws(
        () => trustAnchorsIn(text, 'ca.pem'),
        (error: Error) => why.test(error.message),
      )
    })
})
