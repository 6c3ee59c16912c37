import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canonicalAddress } from '../../../../dist/lib/tlsrpt/format/index.js'

describe('an IP address in a report', () => {
  const addresses: [given: string, canonical: string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8:0:0:0:0:0:0', '2001:db8::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['0::1:2', '::1:2'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['010.0.0.1', undefined],
    ['1.2.3', undefined],
    ['[::1]', undefined],
    ['', undefined],
  ]
  for (const [given, canonical] of addresses)
    test(`R12: ${given || 'nothing'} is ${canonical ?? 'none'}`, () => assert.equal(canonicalAddress(given), canonical))
})
