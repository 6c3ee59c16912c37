import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createPatience, type Patience } from '../../../dist/lib/delivery/index.js'
import type { HostEvidence } from '../../../dist/lib/policy/index.js'
import { host, tlsa } from '../policy/question.ts'

const LIMIT = 5000
const known = (name: string): HostEvidence => host({ name })
const useless = (name: string): HostEvidence => host({ name, tlsa: tlsa('failed', name) })
const nothing = (name: string): HostEvidence => host({ name, addresses: { status: 'absent', text: 'no such name' } })

/** A patience on a clock that only moves when it is told to. */
function start(t: TestContext): {
  readonly patience: Patience
  readonly pass: (milliseconds: number) => Promise<void>
} {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let clock = 1000
  t.mock.method(performance, 'now', () => clock)
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    patience: createPatience(LIMIT, () => clock),
    async pass(milliseconds) {
      await turn()
      clock += milliseconds
      t.mock.timers.tick(milliseconds)
      await turn()
    },
  }
}

function later<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  return Promise.withResolvers<Value>()
}

/** The names of those that count as failed, as soon as the whole list is there. */
function watch(result: Promise<readonly HostEvidence[]>): { failed: readonly string[] | undefined } {
  const seen: { failed: readonly string[] | undefined } = { failed: undefined }
  void result.then((hosts) => {
    seen.failed = hosts.filter(({ addresses }) => addresses.status === 'failed').map(({ name }) => name)
  })
  return seen
}

describe('patience with dead name servers', () => {
  test('all answer: nobody waits, and the order is as given', async (t) => {
    const { patience } = start(t)
    const hosts = await patience.await(['a', 'b'], [Promise.resolve(known('a')), Promise.resolve(known('b'))])
    assert.deepEqual(
      hosts.map(({ name }) => name),
      ['a', 'b'],
    )
  })

  test('a dead host delays the message by one time-out where another is known', async (t) => {
    const { patience, pass } = start(t)
    const seen = watch(patience.await(['dead', 'b'], [later<HostEvidence>().promise, Promise.resolve(known('b'))]))
    await pass(LIMIT - 1)
    assert.equal(seen.failed, undefined)
    await pass(1)
    assert.deepEqual(seen.failed, ['dead'])
  })

  test('the time-out counts from the beginning, not from when the other became known', async (t) => {
    const { patience, pass } = start(t)
    const slow = later<HostEvidence>()
    const seen = watch(patience.await(['dead', 'slow'], [later<HostEvidence>().promise, slow.promise]))
    await pass(LIMIT - 100)
    slow.resolve(known('slow'))
    await pass(100)
    assert.deepEqual(seen.failed, ['dead'])
  })

  test('the next message does not wait for it at all', async (t) => {
    const { patience, pass } = start(t)
    const dead = later<HostEvidence>().promise
    watch(patience.await(['dead', 'b'], [dead, Promise.resolve(known('b'))]))
    await pass(LIMIT)
    const seen = watch(patience.await(['dead', 'b'], [dead, Promise.resolve(known('b'))]))
    await pass(1)
    assert.deepEqual(seen.failed, ['dead'])
  })

  test('five minutes later it gets another chance', async (t) => {
    const { patience, pass } = start(t)
    const dead = later<HostEvidence>().promise
    watch(patience.await(['dead', 'b'], [dead, Promise.resolve(known('b'))]))
    await pass(LIMIT)
    await pass(5 * 60_000)
    const seen = watch(patience.await(['dead', 'b'], [dead, Promise.resolve(known('b'))]))
    await pass(LIMIT - 1)
    assert.equal(seen.failed, undefined)
    await pass(1)
    assert.deepEqual(seen.failed, ['dead'])
  })

  test('a host that answers late is forgiven, though the message went on without it', async (t) => {
    const { patience, pass } = start(t)
    const slow = later<HostEvidence>()
    const first = watch(patience.await(['slow', 'b'], [slow.promise, Promise.resolve(known('b'))]))
    await pass(LIMIT)
    assert.deepEqual(first.failed, ['slow'])
    slow.resolve(known('slow'))
    await pass(0)

    const again = watch(patience.await(['slow', 'b'], [later<HostEvidence>().promise, Promise.resolve(known('b'))]))
    await pass(LIMIT - 1)
    assert.equal(again.failed, undefined)
  })

  for (const [what, evidence] of [
    ['whose TLSA lookup failed', useless],
    ['without addresses', nothing],
  ] as const)
    test(`a host ${what} is no reason to give another one up: none is lost while none is known`, async (t) => {
      const { patience, pass } = start(t)
      const slow = later<HostEvidence>()
      const seen = watch(patience.await(['a', 'slow'], [Promise.resolve(evidence('a')), slow.promise]))
      await pass(20 * LIMIT)
      assert.equal(seen.failed, undefined)
      slow.resolve(known('slow'))
      await pass(0)
      assert.deepEqual(seen.failed, [])
    })

  test('a host that is given up is one whose lookup failed: it is not tried, whatever its policy is', async (t) => {
    const { patience, pass } = start(t)
    const result = patience.await(['dead', 'b'], [later<HostEvidence>().promise, Promise.resolve(known('b'))])
    await pass(LIMIT)
    const [dead] = await result
    assert.equal(dead?.addresses.status, 'failed')
  })

  test('no timer outlives the answer', async () => {
    const patience = createPatience(60_000, () => performance.now())
    const slow = later<HostEvidence>()
    const result = patience.await(['slow', 'b'], [slow.promise, Promise.resolve(known('b'))])
    await new Promise((resolve) => setImmediate(resolve))
    slow.resolve(known('slow'))
    await result
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })
})
