import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StsEvidence } from '../../../dist/lib/mta-sts/index.js'
import { createWorld, DOMAIN, MINUTE, policyOf, policyText, UNREACHABLE } from './world.ts'

function summary({ status, source, why, policy }: StsEvidence): string {
  return [status, policy?.mode, source, why].filter((part) => part !== undefined).join(' ')
}

describe('T15: fetches of a domain are limited, whatever its ids', () => {
  test('a new id for each message costs one fetch a minute, whichever worker has the message', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    const workers = [world.worker(), world.worker()]
    for (let message = 0; message < 100; message++) {
      world.records = [`v=STSv1; id=${message}`]
      await workers[message % 2]?.policyFor(DOMAIN)
      world.pass(1000)
    }
    assert.equal(world.fetches.length, 2)
  })
  test('new ids at the same time have one fetch under way', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    world.fetchTakes = 50
    const worker = world.worker()
    const delivery = worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    const recheck = worker.recheck(DOMAIN)
    await Promise.all([delivery, recheck])
    assert.equal(world.fetches.length, 1)
    assert.equal(await recheck, 'unknown') // T27: there is another one, and nobody knows what it says
  })
  test('a new id leaves a cached policy in force within the minute, and is fetched after it', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    world.records = ['v=STSv1; id=forged']
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = policyText('testing')
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce cached-after-failure backed-off')
    world.pass(MINUTE)
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy testing fetched')
  })
  test('a slow fetch that succeeds has a pause of a minute behind it, too', async (t) => {
    const world = createWorld(t)
    const slow = () => {
      world.clock += 2000
      world.fetches.push(DOMAIN)
      return Promise.resolve({ ok: true, policy: policyOf(policyText('enforce')) } as const)
    }
    const worker = world.worker({ fetch: slow })
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce cached-after-failure backed-off')
    world.pass(MINUTE)
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce fetched')
    assert.equal(world.fetches.length, 2)
  })
})
