import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createWorld, DOMAIN, policyText, UNREACHABLE } from './world.ts'

describe('T27: where a policy refused every host', () => {
  test('the same id is no reason to try again', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    assert.equal(await worker.recheck(DOMAIN), 'the-same')
    assert.equal(world.lookups.at(-1), 'TXT _mta-sts.example.test fresh')
  })
  test('a new id is, and its policy is there for the next attempt', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = policyText('none')
    assert.equal(await worker.recheck(DOMAIN), 'another')
    const { policy, source } = await worker.policyFor(DOMAIN)
    assert.deepEqual([policy?.mode, source], ['none', 'cached'])
  })
  test('the policy that another message has fetched meanwhile is another one', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    const { policy: applied } = await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = policyText('none')
    await worker.policyFor(DOMAIN)
    assert.equal(await worker.recheck(DOMAIN, applied), 'another')
    const { policy } = await worker.policyFor(DOMAIN)
    assert.equal(await worker.recheck(DOMAIN, policy), 'the-same')
  })
  test('a new id tells nothing where its policy cannot be fetched', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = UNREACHABLE
    assert.equal(await worker.recheck(DOMAIN), 'unknown')
  })
  test('messages that are refused at the same time share the answer, and later ones ask anew', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    const before = world.lookups.length
    await Promise.all([worker.recheck(DOMAIN), worker.recheck(DOMAIN)])
    assert.equal(world.lookups.length, before + 1)
    await worker.recheck(DOMAIN)
    assert.equal(world.lookups.length, before + 2)
  })
  test('a lookup that failed is tried again for the next message', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = 'SERVFAIL'
    assert.equal(await worker.recheck(DOMAIN), 'unknown')
    world.records = ['v=STSv1; id=2']
    assert.equal(await worker.recheck(DOMAIN), 'another')
  })
  test('T28: a fetch that fails is reported once', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = UNREACHABLE
    await worker.recheck(DOMAIN)
    await worker.recheck(DOMAIN)
    assert.deepEqual(
      world.reported.map(({ type }) => type),
      ['sts-policy-fetch-error'],
    )
  })
  for (const [why, records, policy] of [
    ['a record that is gone tells of no other policy', [], 'the-same'],
    ['a lookup that fails tells nothing', 'SERVFAIL', 'unknown'],
  ] as const) {
    test(why, async (t) => {
      const world = createWorld(t)
      const worker = world.worker()
      await worker.policyFor(DOMAIN)
      world.records = records
      assert.equal(await worker.recheck(DOMAIN), policy)
    })
  }
})
