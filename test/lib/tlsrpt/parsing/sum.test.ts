import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createOursTest, sumOf } from '../../../../dist/lib/tlsrpt/parsing/index.js'
import { policy } from './corpus/specimen.ts'

describe('what a report comes to', () => {
  test('R8: MTA-STS and DANE count the same sessions, which are never added up', () => {
    const { byType, atLeast } = sumOf([
      policy('sts', { successes: 90, failures: 10 }),
      policy('tlsa', { domain: 'mx1.example.org', successes: 60, failures: 1 }),
      policy('tlsa', { domain: 'mx2.example.org', successes: 38, failures: 1 }),
    ])
    assert.deepEqual(atLeast, { successes: 98, failures: 10, fetchFailures: 0 })
    assert.deepEqual([byType.sts?.successes, byType.tlsa?.successes], [90, 98])
  })

  test('entries of one type, and sessions with a policy and without, are different sessions', () => {
    const sum = sumOf([
      policy('sts', { successes: 5 }),
      policy('sts', { successes: 2, failures: 1 }),
      policy('no-policy-found', { successes: 3, failures: 4 }),
    ])
    assert.deepEqual(sum.atLeast, { successes: 10, failures: 5, fetchFailures: 0 })
  })

  test('RFC 8460 4.3.2: a policy that could not be fetched is a failure, counted as one to fetch it', () => {
    const fetchError = { type: 'sts-policy-fetch-error', count: 3 }
    const expired = { type: 'certificate-expired', count: 2 }
    const { byType, atLeast } = sumOf([policy('sts', { successes: 1, failures: 5, details: [fetchError, expired] })])
    assert.deepEqual(byType.sts, {
      successes: 1,
      failures: 5,
      fetchFailures: 3,
      results: new Map([
        ['sts-policy-fetch-error', 3],
        ['certificate-expired', 2],
      ]),
    })
    assert.deepEqual(atLeast, { successes: 1, failures: 5, fetchFailures: 3 })
  })

  test('details that say more than the summary make no more failures to fetch than there are', () => {
    const details = [{ type: 'sts-policy-invalid', count: 9 }]
    assert.equal(sumOf([policy('sts', { failures: 5, details })]).byType.sts?.fetchFailures, 5)
  })

  test('result types with the names of inherited members are counted as any others', () => {
    const details = ['constructor', '__proto__', 'constructor'].map((type) => ({ type, count: 1 }))
    const { byType } = sumOf([policy('other', { failures: 3, details }), policy('other', { failures: 3, details })])
    assert.deepEqual(
      [...(byType.other?.results ?? [])],
      [
        ['constructor', 4],
        ['__proto__', 2],
      ],
    )
  })

  test('nothing comes to nothing', () => {
    assert.deepEqual(sumOf([]), { byType: {}, atLeast: { successes: 0, failures: 0, fetchFailures: 0 } })
  })
})

describe('V6: which policies are about us', () => {
  const isOurs = createOursTest(['Example.org', 'bücher.example', 'mx.provider.example'])
  const ours = [
    ['sts', 'example.org'],
    ['no-policy-found', 'xn--bcher-kva.example'],
    ['tlsa', 'example.org'],
    ['tlsa', 'mx1.example.org'],
    ['tlsa', 'mx.provider.example'],
  ] as const
  const others = [
    ['sts', 'sub.example.org'],
    ['sts', 'other.example'],
    ['tlsa', 'notexample.org'],
    ['tlsa', 'mx2.provider.example'],
    ['no-policy-found', undefined],
  ] as const
  for (const [type, domain] of ours) test(`${type} of ${domain} is`, () => assert.ok(isOurs(policy(type, { domain }))))
  for (const [type, domain] of others)
    test(`${type} of ${domain ?? 'an unknown domain'} is not`, () => assert.ok(!isOurs(policy(type, { domain }))))
})
