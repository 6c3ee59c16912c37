import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { toAsciiDomain } from '../../../dist/lib/dns/index.js'
import { isDomainName } from '../../../dist/lib/dns/names.js'
import { runs } from '../../support/runs.ts'

const numRuns = runs(2000, 100_000)
const label63 = 'a'.repeat(63)

describe('a domain name', () => {
  const converted: readonly [string, string][] = [
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['_25._tcp.mx.example', '_25._tcp.mx.example'],
    ['localhost', 'localhost'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['Bücher.Example.', 'xn--bcher-kva.example'],
    ['bücher。example。', 'xn--bcher-kva.example'],
    ['faß.example', 'xn--fa-hia.example'],
    ['_dmarc.bücher.example', '_dmarc.xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['1.2', '1.2'],
    ['0x10.example', '0x10.example'],
    ['１.２', '1.2'],
    ['bücher.12', 'xn--bcher-kva.12'],
    [`${label63}.example`, `${label63}.example`],
    [`${`${label63}.`.repeat(3)}${'a'.repeat(61)}.`, `${`${label63}.`.repeat(3)}${'a'.repeat(61)}`],
  ]
  for (const [name, ascii] of converted) {
    test(`${JSON.stringify(name)} is ${ascii}`, () => assert.equal(toAsciiDomain(name), ascii))
  }

  const refused: readonly [string, string][] = [
    ['nothing', ''],
    ['the root', '.'],
    ['an empty label', 'a..b'],
    ['a leading dot', '.a'],
    ['two final dots', 'a..'],
    ['an IPv4 address', '192.0.2.1'],
    ['an IPv4 address in fullwidth digits', '１９２.0.2.1'],
    ['an IPv6 address', '2001:db8::1'],
    ['an address literal', '[192.0.2.1]'],
    ['a space', 'a b.example'],
    ['a line break', 'a\r\nb.example'],
    ['a final line break', 'example\n'],
    ['NUL', 'a\0.example'],
    ['a path', 'a.example/b'],
    ['a path behind a U-label', 'ü.example/b'],
    ['a port behind a U-label', 'ü.example:25'],
    ['a percent escape behind a U-label', 'ü%41.example'],
    ['a fullwidth slash', 'ü／b.example'],
    ['a label of 64', `${label63}a.example`],
    ['254 characters', `${`${label63}.`.repeat(3)}${'a'.repeat(62)}`],
    ['a wildcard', '*.example'],
    ['a backslash', 'a\\.b'],
    ['an A-label that is none beside a U-label', 'xn--a.ü.example'],
    ['a megabyte', 'ü'.repeat(1_000_000)],
  ]
  for (const [why, name] of refused) {
    test(`${why} is refused`, () => assert.equal(toAsciiDomain(name), undefined))
  }

  test('whatever comes in, what comes out is a domain name and stays the same when it comes in again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.domain(), fc.string()), (name) => {
        const ascii = toAsciiDomain(name)
        assert.ok(ascii === undefined || (isDomainName(ascii) && toAsciiDomain(ascii) === ascii))
      }),
      { numRuns },
    )
  })
})
