import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matchesPolicy } from '../../../dist/lib/mta-sts/index.js'

describe('T23: an MX name and the patterns of a policy', () => {
  const mx = ['mail.example.com', '*.example.net']
  const cases: [name: string, listed: boolean][] = [
    ['mail.example.com', true],
    ['MAIL.example.COM', true],
    ['mail.example.com.', true],
    ['example.com', false],
    ['a.mail.example.com', false],
    ['a.example.net', true],
    ['example.net', false],
    ['.example.net', false],
    ['a.b.example.net', false],
    ['*.example.net', false],
    ['aexample.net', false],
    ['', false],
    ['.', false],
  ]
  for (const [name, listed] of cases) {
    test(`${JSON.stringify(name)} is ${listed ? 'listed' : 'not listed'}`, () => {
      assert.equal(matchesPolicy({ mx }, name), listed)
    })
  }

  test('an address is never listed', () => {
    assert.equal(matchesPolicy({ mx: ['192.0.2.1', '*.0.2.1'] }, '192.0.2.1'), false)
  })
  test('nothing is listed where there are no patterns', () =>
    assert.equal(matchesPolicy({ mx: [] }, 'a.example'), false))
})
