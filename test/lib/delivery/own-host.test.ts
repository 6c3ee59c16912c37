import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isLoopback, isOwnAddress, plainAddress } from '../../../dist/lib/delivery/index.js'

describe('one address in its many forms', () => {
  for (const [form, plain] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::192.0.2.1', '192.0.2.1'],
    ['::c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['0064:FF9B:0::c000:0201', '192.0.2.1'],
    ['::ffff:0.0.0.0', '0.0.0.0'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::', '::'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['64:ff9b:1::c000:201', '64:ff9b:1::c000:201'],
    ['2001:db8::192.0.2.1', '2001:db8::c000:201'],
    ['mx.test', 'mx.test'],
  ] as const)
    test(`${form} is ${plain}`, () => assert.equal(plainAddress(form), plain))

  test('loopback and the unspecified address are every machine itself, never one that others know', () => {
    const own = new Set(['127.0.0.1', '::1', '0.0.0.0', '::', '192.0.2.1', '2001:db8::1'])
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1']) {
      assert.ok(isLoopback(plainAddress(address)))
      assert.ok(!isOwnAddress(own, address))
    }
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '64:ff9b::c000:201', '2001:DB8::1'])
      assert.ok(isOwnAddress(own, address))
    assert.ok(!isOwnAddress(own, '192.0.2.2'))
  })
})
