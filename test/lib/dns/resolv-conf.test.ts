import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { believesAd, describeServer, parseServer, readResolvConf } from '../../../dist/lib/dns/index.js'

describe('resolv.conf', () => {
  test('name servers are read with their scope, comments and others are not', () => {
    const text = [
      '# nameserver 192.0.2.9',
      '; nameserver 192.0.2.8',
      'domain example.org',
      '\tnameserver   127.0.0.53  # local',
      'nameserver fe80::1%eth0',
      'nameserver not-an-address',
      'nameserver',
      'nameservers 192.0.2.7',
      'options edns0 timeout:7 attempts:4',
    ].join('\n')
    assert.deepEqual(readResolvConf(text), {
      servers: [
        { address: '127.0.0.53', port: 53 },
        { address: 'fe80::1%eth0', port: 53 },
      ],
      trustAd: false,
      timeout: 7000,
      attempts: 4,
    })
  })

  test('D4: "options trust-ad" is read wherever it stands', () => {
    assert.equal(readResolvConf('options edns0 trust-ad').trustAd, true)
    assert.equal(readResolvConf('options rotate\r\noptions trust-ad\r\n').trustAd, true)
    assert.equal(readResolvConf('#options trust-ad').trustAd, false)
    assert.equal(readResolvConf('options no-trust-ad').trustAd, false)
  })

  test('more than three servers are not asked', () => {
    const text = [1, 2, 3, 4].map((n) => `nameserver 192.0.2.${n}`).join('\n')
    assert.equal(readResolvConf(text).servers.length, 3)
  })

  test('no name server means the local machine', () => {
    assert.deepEqual(readResolvConf(''), { servers: [{ address: '127.0.0.1', port: 53 }], trustAd: false })
  })

  test('numbers are kept within the limits of the C library, the last one counts', () => {
    const { timeout, attempts } = readResolvConf('options timeout:1 timeout:0 attempts:99\noptions timeout:999999')
    assert.deepEqual([timeout, attempts], [30_000, 5])
    assert.equal(readResolvConf('options timeout:0').timeout, 1000)
    assert.equal(readResolvConf('options timeout:x').timeout, undefined)
  })
})

describe('a server', () => {
  const accepted: readonly [string, string, number][] = [
    ['127.0.0.1', '127.0.0.1', 53],
    ['127.0.0.1:5353', '127.0.0.1', 5353],
    ['::1', '::1', 53],
    ['2001:db8::53', '2001:db8::53', 53],
    ['[::1]', '::1', 53],
    ['[::1]:5353', '::1', 5353],
    ['fe80::1%eth0', 'fe80::1%eth0', 53],
    ['[fe80::1%eth0]:53', 'fe80::1%eth0', 53],
  ]
  for (const [text, address, port] of accepted) {
    test(`${text} is accepted`, () => assert.deepEqual(parseServer(text), { address, port }))
  }
  const refused = ['', 'localhost', 'localhost:53', '127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:', '127.0.0.1:5x']
  for (const text of [...refused, '[127.0.0.1]:53', '[::1', '::1]', '[::1]x', '1.2.3', ' 127.0.0.1', '127.0.0.1\n']) {
    test(`${JSON.stringify(text)} is refused`, () => assert.equal(parseServer(text), undefined))
  }

  test('is described as it is written', () => {
    assert.equal(describeServer({ address: '127.0.0.1', port: 53 }), '127.0.0.1:53')
    assert.equal(describeServer({ address: '::1', port: 5353 }), '[::1]:5353')
  })
})

describe('D4: AD is believed', () => {
  const at = (...addresses: string[]): { address: string; port: number }[] =>
    addresses.map((address) => ({ address, port: 53 }))
  const auto: readonly [string, string[], boolean, boolean][] = [
    ['of 127.0.0.1', ['127.0.0.1'], false, true],
    ['of all loopback addresses', ['127.0.0.53', '127.1.2.3', '::1', '::ffff:127.0.0.1'], false, true],
    ["not of Docker's", ['127.0.0.11'], false, false],
    ["not of Docker's beside another", ['127.0.0.1', '127.0.0.11'], false, false],
    ["not of Docker's in IPv6 form", ['::ffff:127.0.0.11'], false, false],
    ['not where one of them is elsewhere', ['127.0.0.1', '192.0.2.53'], false, false],
    ['not of an address that looks like loopback', ['127::1'], false, false],
    ['not of nobody', [], false, false],
    ['where resolv.conf says so', ['192.0.2.53', '127.0.0.11'], true, true],
  ]
  for (const [what, addresses, trustAd, trust] of auto) {
    test(what, () => {
      const belief = believesAd('auto', at(...addresses), trustAd)
      assert.equal(belief.trust, trust)
      assert.notEqual(belief.because, '')
    })
  }
  test('as the setting says, where it says so', () => {
    assert.deepEqual(believesAd(true, at('192.0.2.53'), false), { trust: true, because: 'trust-ad = true' })
    assert.deepEqual(believesAd(false, at('127.0.0.1'), true), { trust: false, because: 'trust-ad = false' })
  })
  test('and the log can say of whom it is not', () => {
    assert.match(believesAd('auto', at('127.0.0.11'), false).because, /^127\.0\.0\.11:53 is Docker's/)
    assert.match(believesAd('auto', at('192.0.2.53'), false).because, /^192\.0\.2\.53:53 is not on this machine/)
  })
})
