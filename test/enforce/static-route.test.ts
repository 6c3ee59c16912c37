import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isLeftAlone, isNullMx, readRouteHost, staticHostOf, type RouteHost } from '../../dist/enforce/static-route.js'
import type { HarakaMx } from '../../dist/runtime/haraka.js'

/** Reads what another plugin answered; it can be used. */
function read(answer: object): RouteHost {
  const host = readRouteHost(answer as Readonly<Record<keyof HarakaMx, unknown>>)
  if (typeof host === 'string') assert.fail(host)
  return host
}

describe('what a plugin answers for a host', () => {
  for (const path of [null, undefined, '', false, 0, NaN])
    test(`path ${String(path)}: core connects over TCP`, () => {
      const host = read({ exchange: 'relay.test', path, using_lmtp: true })
      assert.deepEqual(host, { exchange: 'relay.test', using_lmtp: true, port: 24 })
      assert.ok(!isLeftAlone(host))
    })

  for (const lmtp of [true, 1, 'true', 'false', {}])
    test(`using_lmtp ${JSON.stringify(lmtp)}: core speaks LMTP`, () =>
      assert.deepEqual(read({ exchange: 'relay.test', using_lmtp: lmtp }), {
        exchange: 'relay.test',
        using_lmtp: true,
        port: 24,
      }))

  for (const lmtp of [false, 0, '', null, undefined])
    test(`using_lmtp ${JSON.stringify(lmtp)}: core speaks SMTP`, () =>
      assert.deepEqual(read({ exchange: '127.0.0.1', using_lmtp: lmtp }), { exchange: '127.0.0.1', port: 25 }))

  for (const [port, expected] of [
    [0, 25],
    ['', 25],
    [null, 25],
    [false, 25],
    [587, 587],
    ['587', 587],
    [' 587 ', 587],
    ['0x19', 25],
  ] as const)
    test(`port ${JSON.stringify(port)} is ${expected}, for TLSA records, too`, () =>
      assert.equal(read({ exchange: 'relay.test', port }).port, expected))

  for (const port of ['smtp', '0', 65_536, -25, 25.5, true, [], {}, '25;'])
    test(`port ${JSON.stringify(port)} cannot be connected to`, () =>
      assert.equal(readRouteHost({ exchange: 'relay.test', port } as never), 'its port is not a port'))

  for (const key of ['auth_user', 'auth_pass', 'auth_type', 'bind', 'bind_helo', 'from_dns', 'exchange'])
    test(`${key} is a text for core: a number is made one, anything else cannot be used`, () => {
      assert.equal((read({ exchange: 'relay.test', [key]: 4711 }) as unknown as Record<string, unknown>)[key], '4711')
      for (const value of [true, {}, ['relay.test'], () => 'relay.test'])
        assert.equal(readRouteHost({ exchange: 'relay.test', [key]: value } as never), `its ${key} is not a text`)
      const none = read({ path: '/run/lmtp', [key]: null })
      assert.ok(!(key in none))
    })

  for (const path of [true, 1, {}, ['/run/lmtp']])
    test(`path ${JSON.stringify(path)} is no socket`, () =>
      assert.equal(readRouteHost({ exchange: 'relay.test', path } as never), 'its path is not a text'))

  for (const answer of [{}, { exchange: '' }, { exchange: null }, { exchange: null, path: '' }])
    test(`${JSON.stringify(answer)} names no host: core would connect to this machine`, () =>
      assert.equal(readRouteHost(answer as never), 'it names no host'))
})

describe('LMTP that is left alone', () => {
  const lmtp = (exchange: string): RouteHost => ({ exchange, using_lmtp: true, port: 24 })

  test('a Unix socket', () => assert.ok(isLeftAlone({ path: '/run/dovecot/lmtp', using_lmtp: true, port: 24 })))

  for (const exchange of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', 'localhost'])
    test(`loopback: ${exchange}`, () => assert.ok(isLeftAlone(lmtp(exchange))))

  const elsewhere = ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1', 'lmtp.example.test', '128.0.0.1']
  for (const exchange of [...elsewhere, '64:ff9b::127.0.0.1', 'localhost.evil.test', ''])
    test(`not ${JSON.stringify(exchange)}: it is somewhere else`, () => assert.ok(!isLeftAlone(lmtp(exchange))))

  test('not SMTP on loopback', () => assert.ok(!isLeftAlone({ exchange: '127.0.0.1', port: 25 })))
})

describe('the host of a static route', () => {
  test('a name, at port 25', () => {
    const expected = { name: 'relay.test', address: undefined, port: 25, credentials: false }
    assert.deepEqual(staticHostOf(read({ exchange: 'relay.test' })), expected)
  })

  test('its own port', () => assert.equal(staticHostOf(read({ exchange: 'relay.test', port: 587 })).port, 587))
  test('LMTP, at port 24', () => assert.equal(staticHostOf(read({ exchange: 'x.test', using_lmtp: true })).port, 24))

  test('an address with its name: the name is to be proved, the address is connected to', () => {
    const { name, address } = staticHostOf(read({ exchange: '192.0.2.1', from_dns: 'relay.test' }))
    assert.deepEqual([name, address], ['relay.test', '192.0.2.1'])
  })

  test('an address with another address proves nothing', () => {
    const { name, address } = staticHostOf(read({ exchange: '192.0.2.1', from_dns: '192.0.2.2' }))
    assert.deepEqual([name, address], ['192.0.2.1', undefined])
  })

  test('credentials are those that core would send: user and password', () => {
    const credentials = (mx: object) => staticHostOf(read({ exchange: 'relay.test', ...mx })).credentials
    assert.ok(credentials({ auth_user: 'me', auth_pass: 'secret' }))
    assert.ok(credentials({ auth_user: 4711, auth_pass: 815 }))
    assert.ok(!credentials({ auth_user: 'me' }))
    assert.ok(!credentials({ auth_pass: 'secret' }))
    assert.ok(!credentials({ auth_user: '', auth_pass: 'secret' }))
  })
})

describe('a null MX from another plugin', () => {
  test('is one host without a name', () => assert.ok(isNullMx([{ exchange: '', priority: 0 }])))
  test('is one without a socket', () => assert.ok(isNullMx([{ exchange: '', path: '' }])))

  test('is none of these', () => {
    assert.ok(!isNullMx([]))
    assert.ok(!isNullMx([{ exchange: 'mx.test' }]))
    assert.ok(!isNullMx([{ exchange: '' }, { exchange: 'mx.test' }]))
    assert.ok(!isNullMx([{ exchange: '', path: '/run/lmtp' }]))
  })
})
