import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { policy } from '../parsing/corpus/specimen.ts'
import { kept, unsigned } from './ground.ts'

const others = policy('sts', { domain: 'other.example', successes: 100, failures: 100 })

describe('what counts of a report', () => {
  test('V1: nothing, if it is not signed', () => assert.equal(kept('1', unsigned).entry.isCounted, false))

  test('V6: nothing, if it is about others', () => {
    const { entry } = kept('1', { policies: [others] })
    assert.deepEqual([entry.isCounted, entry.domains, entry.successes, entry.failures], [false, [], 0, 0])
  })

  test('nothing of a report without policies', () => assert.equal(kept('1', { policies: [] }).entry.isCounted, false))

  test('what is about us, and no session twice', () => {
    const tlsa = policy('tlsa', { domain: 'mx1.example.org', successes: 7, failures: 2 })
    const { entry, ours } = kept('1', { policies: [others, policy('sts', { successes: 9, failures: 1 }), tlsa] })
    assert.deepEqual(ours, [false, true, true])
    assert.deepEqual([entry.isCounted, entry.successes, entry.failures], [true, 9, 2])
    assert.deepEqual(entry.domains, ['example.org', 'mx1.example.org'])
  })

  test('RFC 8460 4.3.2: failures to fetch our policy are among the failures, and told apart', () => {
    const details = [{ type: 'sts-policy-fetch-error', count: 3 }]
    const { entry } = kept('1', { policies: [policy('sts', { successes: 1, failures: 3, details })] })
    assert.deepEqual([entry.failures, entry.fetchFailures], [3, 3])
    assert.deepEqual(entry.sums, [{ domain: 'example.org', successes: 1, failures: 3, fetchFailures: 3 }])
  })

  test('failures without details are a way to fail, whichever others there are', () => {
    const details = [{ type: 'certificate-expired', count: 3 }]
    const { entry } = kept('1', {
      policies: [policy('sts', { failures: 45, details }), policy('tlsa', { failures: 0 })],
    })
    const about = { domain: 'example.org', type: 'sts' }
    assert.deepEqual(entry.ways, [
      { ...about, result: 'without-details', count: 42 },
      { ...about, result: 'certificate-expired', count: 3 },
    ])
  })

  test('with require-dkim = false, what is not signed too', () => {
    assert.equal(kept('1', { ...unsigned, requiresSignature: false }).entry.isCounted, true)
  })
})

describe('what tells reports apart', () => {
  const id = (...report: Parameters<typeof kept>): string => kept(...report).entry.id

  test('V5: the signer and the id, and nothing that the sender can vary beside them', () => {
    const report = { organization: 'Another', contact: 'b@c.example', contactDomain: 'c.example' }
    assert.equal(id('1', { report, receivedAt: 1, source: 'https' }), id('1'))
    assert.match(id('1'), /^[0-9a-f]{16}$/)
  })

  test('no text can pretend to be two, and no unsigned contact to be a signer', () => {
    const contact = { ...unsigned, report: { contactDomain: 'sender.example' }, requiresSignature: false }
    assert.notEqual(id('1', contact), id('1'))
    assert.notEqual(id('1', { signedBy: 'a' }), id('","1', { signedBy: '' }))
  })
})
