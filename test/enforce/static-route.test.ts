import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isLeftAlone, isNullMx, staticHostOf } from '../../dist/enforce/static-route.js'
import type { HarakaMx } from '../../dist/haraka.js'

describe('LMTP that is left alone', () => {
  const lmtp = (exchange: string): HarakaMx => ({ exchange, using_lmtp: true })

  test('a Unix socket', () => assert.ok(isLeftAlone({ path: '/run/dovecot/lmtp', using_lmtp: true })))

  for (const exchange of ['127.0.0.1', '127.8.8.8', '::1', 'localhost'])
    test(`loopback: ${exchange}`, () => assert.ok(isLeftAlone(lmtp(exchange))))

  for (const exchange of ['192.0.2.1', '2001:db8::1', 'lmtp.example.test', '128.0.0.1', 'localhost.evil.test', ''])
    test(`not ${JSON.stringify(exchange)}: it is somewhere else`, () => assert.ok(!isLeftAlone(lmtp(exchange))))

  test('not SMTP on loopback', () => assert.ok(!isLeftAlone({ exchange: '127.0.0.1' })))
})

describe('the host of a static route', () => {
  test('a name, at port 25', () => {
    const expected = { name: 'relay.test', address: undefined, port: 25, credentials: false }
    assert.deepEqual(staticHostOf({ exchange: 'relay.test' }), expected)
  })

  test('its own port', () => assert.equal(staticHostOf({ exchange: 'relay.test', port: 587 }).port, 587))
  test('LMTP, at port 24', () => assert.equal(staticHostOf({ exchange: 'x.test', using_lmtp: true }).port, 24))

  test('an address with its name: the name is to be proved, the address is connected to', () => {
    const { name, address } = staticHostOf({ exchange: '192.0.2.1', from_dns: 'relay.test' })
    assert.deepEqual([name, address], ['relay.test', '192.0.2.1'])
  })

  test('an address with another address proves nothing', () => {
    const { name, address } = staticHostOf({ exchange: '192.0.2.1', from_dns: '192.0.2.2' })
    assert.deepEqual([name, address], ['192.0.2.1', undefined])
  })

  test('credentials are those that core would send: user and password', () => {
    const credentials = (mx: HarakaMx) => staticHostOf({ exchange: 'relay.test', ...mx }).credentials
    assert.ok(credentials({ auth_user: 'me', auth_pass: 'secret' }))
    assert.ok(!credentials({ auth_user: 'me' }))
    assert.ok(!credentials({ auth_pass: 'secret' }))
  })
})

describe('a null MX from another plugin', () => {
  test('is one host without a name', () => assert.ok(isNullMx([{ exchange: '', priority: 0 }])))

  test('is none of these', () => {
    assert.ok(!isNullMx([]))
    assert.ok(!isNullMx([{ exchange: 'mx.test' }]))
    assert.ok(!isNullMx([{ exchange: '' }, { exchange: 'mx.test' }]))
    assert.ok(!isNullMx([{ exchange: '', path: '/run/lmtp' }]))
  })
})
