import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isPublicAddress } from '../../../dist/lib/https/index.js'

describe('public addresses', () => {
  const refused = [
    '127.0.0.1 127.255.255.255 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1',
    '100.127.255.255 198.18.0.1 192.0.0.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255',
    ':: ::1 ::7f00:1 ::10.0.0.1 fc00::1 fdff::1 fe80::1 febf::1 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:a00:1 0:0:0:0:0:0:0:1',
    '::ffff:0:0 ::ffff:0:127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2002:a00:1::1 2002:c0a8:101::1 2001::1 100::1',
    'localhost fe80::1%eth0 2606:4700::1%1 1.1.1 01.1.1.1 1.1.1.1.1',
  ].flatMap((line) => line.split(' '))
  for (const address of ['', ...refused]) {
    test(`${address} is none`, () => assert.equal(isPublicAddress(address), false))
  }
  const accepted =
    '1.1.1.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.1.1 223.255.255.255 2606:4700::1111'
  for (const address of [
    ...accepted.split(' '),
    '::ffff:1.1.1.1',
    '64:ff9b::1.1.1.1',
    '2002:101:101::1',
    '2001:4860::1',
  ]) {
    test(`${address} is one`, () => assert.equal(isPublicAddress(address), true))
  }
})
