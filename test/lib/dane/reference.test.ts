import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matchName, referenceIdentifiers } from '../../../dist/lib/dane/index.js'

describe('whom a certificate may name', () => {
  const mx = { baseDomain: 'mx.example.net', host: 'mx.example.net', nextHop: 'example.org' }

  test('D41, D42: behind a secure MX record: base domain, next hop, expanded next hop', () => {
    const input = { ...mx, mxSecurity: 'secure', expandedNextHop: 'example.com' } as const
    assert.deepEqual(referenceIdentifiers(input), ['mx.example.net', 'example.org', 'example.com'])
  })

  test('D42: a next hop that is no alias is there once', () => {
    const input = { ...mx, mxSecurity: 'secure', expandedNextHop: 'example.org' } as const
    assert.deepEqual(referenceIdentifiers(input), ['mx.example.net', 'example.org'])
    assert.deepEqual(referenceIdentifiers({ ...mx, mxSecurity: 'secure' }), ['mx.example.net', 'example.org'])
  })

  test('D42: behind an insecure MX record nothing but the MX name', () => {
    const input = { ...mx, mxSecurity: 'insecure', expandedNextHop: 'example.com' } as const
    assert.deepEqual(referenceIdentifiers(input), ['mx.example.net'])
  })

  test('D41: behind an insecure MX record the base domain counts, where the MX name is its alias', () => {
    const input = { ...mx, mxSecurity: 'insecure', host: 'alias.example.net' } as const
    assert.deepEqual(referenceIdentifiers(input), ['mx.example.net', 'alias.example.net'])
  })

  test('D42: without MX: base domain and next hop', () => {
    const input = {
      mxSecurity: 'none',
      baseDomain: 'b.test',
      host: 'a.test',
      nextHop: 'a.test',
      expandedNextHop: 'b.test',
    } as const
    assert.deepEqual(referenceIdentifiers(input), ['b.test', 'a.test'])
    assert.deepEqual(referenceIdentifiers({ ...input, baseDomain: 'a.test' }), ['a.test'])
  })

  test('names are compared in lower case and without a final dot', () => {
    const input = { ...mx, mxSecurity: 'secure', nextHop: 'MX.example.NET.' } as const
    assert.deepEqual(referenceIdentifiers(input), ['mx.example.net'])
  })
})

describe('names in certificates', () => {
  const refused: [string, string[], string[], string][] = [
    ['D43: a common name beside a DNS-ID', ['other.test'], ['mx.example.test'], 'mx.example.test'],
    ['D43: a common name beside a DNS-ID that is malformed', ['\0'], ['mx.example.test'], 'mx.example.test'],
    ['D44: a wildcard for two labels', ['*.example.test'], [], 'a.b.example.test'],
    ['D44: a wildcard for no label', ['*.example.test'], [], 'example.test'],
    ['D44: a wildcard in a part of a label', ['mx*.example.test'], [], 'mx1.example.test'],
    ['D44: a wildcard behind a part of a label', ['*1.example.test'], [], 'mx1.example.test'],
    ['D44: a wildcard that is not the first label', ['mx.*.test'], [], 'mx.example.test'],
    ['D44: a wildcard above a single label', ['*.test'], [], 'example.test'],
    ['D44: two wildcards', ['*.*.test'], [], 'mx.example.test'],
    ['D44: the wildcard alone', ['*'], [], 'test'],
    ['an embedded NUL', ['mx.example.test\0.evil.test'], [], 'mx.example.test'],
    ['an embedded NUL in a common name', [], ['mx.example.test\0'], 'mx.example.test'],
    ['a final dot in the certificate', ['mx.example.test.'], [], 'mx.example.test'],
    ['spaces around', [' mx.example.test '], [], 'mx.example.test'],
    ['the Kelvin sign for a k', [], ['\u212aiosk.example.test'], 'kiosk.example.test'],
    ['a U-label for its A-label', [], ['b\u00fccher.test'], 'xn--bcher-kva.test'],
    ['no name at all', [], [], 'mx.example.test'],
    ['an empty name for an empty one', [''], [], ''],
    ['a wildcard for a wildcard', ['*.example.test'], [], '*.example.test'],
    ['a longer name', ['amx.example.test'], [], 'mx.example.test'],
    ['a parent', ['example.test'], [], 'mx.example.test'],
  ]
  for (const [name, dns, common, reference] of refused) {
    test(`${name} does not match`, () => assert.equal(matchName(dns, common, reference), false))
  }

  const accepted: [string, string[], string[], string][] = [
    ['D43: a DNS-ID', ['a.test', 'mx.example.test'], [], 'mx.example.test'],
    ['D43: a common name without a DNS-ID', [], ['mx.example.test'], 'mx.example.test'],
    ['D43: the second of two common names', [], ['Example', 'mx.example.test'], 'mx.example.test'],
    ['D44: a wildcard for one label', ['*.example.test'], [], 'mx.example.test'],
    ['D44: a wildcard in a common name', [], ['*.example.test'], 'mx.example.test'],
    ['any case', ['MX.Example.TEST'], [], 'mx.eXample.test'],
    ['a final dot of the reference identifier', ['mx.example.test'], [], 'mx.example.test.'],
    ['an A-label', ['xn--bcher-kva.test'], [], 'xn--bcher-kva.test'],
    ['a wildcard for an A-label', ['*.example.test'], [], 'xn--bcher-kva.example.test'],
  ]
  for (const [name, dns, common, reference] of accepted) {
    test(`${name} matches`, () => assert.equal(matchName(dns, common, reference), true))
  }
})
