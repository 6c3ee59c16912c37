import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { splitAddress } from '../../dist/lib/address.js'

describe('a mail address (RFC 5321 4.1.2)', () => {
  const addresses: Readonly<Record<string, readonly [local: string, domain: string]>> = {
    'jane@example.org': ['jane', 'example.org'],
    'Jane@EXAMPLE.org.': ['Jane', 'EXAMPLE.org'],
    '"jane doe"@example.org': ['"jane doe"', 'example.org'],
    'jane@münchen.example': ['jane', 'münchen.example'],
    'jörg@example.org': ['jörg', 'example.org'],
    'jane@[192.0.2.1]': ['jane', '[192.0.2.1]'],
    'jane@localhost': ['jane', 'localhost'],
  }
  for (const [text, [local, domain]] of Object.entries(addresses))
    test(`has two parts: ${text}`, () => assert.deepEqual(splitAddress(text), { local, domain }))

  const others = [
    ...['', '<>', 'postmaster', 'jane', 'jane@', '@example.org', '<jane@example.org>', 'jane@example.org '],
    ...['ja..ne@example.org', '.jane@example.org', 'jane.@example.org', 'ja ne@example.org', 'jane@-x.org'],
    ...['@relay.test:jane@example.org', 'a@b@example.org', 'jane@example.org\r\n', `${'j'.repeat(65)}@example.org`],
    ...['jane@example..org', `jane@${'a.'.repeat(130)}org`],
  ]
  for (const text of others)
    test(`is none of these: ${JSON.stringify(text.slice(0, 40))}`, () => assert.equal(splitAddress(text), undefined))

  test('is what its parts make, whatever is read, and nothing throws', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'Z', '0', '.', '@', '"', '\\', '<', '>', ' ', ':', '[', 'ü', '\r'),
    })
    fc.assert(
      fc.property(part, part, (one, other) => {
        const text = `${one}@${other}`
        const parts = splitAddress(text)
        if (parts !== undefined) assert.equal(`${parts.local}@${parts.domain}`, text.replace(/\.$/, ''))
      }),
    )
  })
})
