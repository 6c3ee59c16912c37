import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { awaitHosts } from '../../../dist/lib/delivery/host-deadline.js'
import type { HostEvidence } from '../../../dist/lib/policy/index.js'
import { host, tlsa } from '../policy/question.ts'

const TIMEOUT = 5000
const known = (name: string): Promise<HostEvidence> => Promise.resolve(host({ name }))
const failed = (name: string): Promise<HostEvidence> =>
  Promise.resolve(host({ name, addresses: { status: 'failed', text: 'SERVFAIL', bogus: false } }))

/** Time that only passes when it is told to. */
function start(t: TestContext): { readonly pass: (milliseconds: number) => Promise<void> } {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    async pass(milliseconds) {
      await turn()
      t.mock.timers.tick(milliseconds)
      await turn()
    },
  }
}

/** Evidence that comes when `resolve` is called. */
function later() {
  return Promise.withResolvers<HostEvidence>()
}

/** The names of those that count as failed, as soon as the whole list is there. */
function watch(
  gathering: Readonly<Record<string, Promise<HostEvidence>>>,
  givenUp = new Set<string>(),
): { failed: readonly string[] | undefined } {
  const seen: { failed: readonly string[] | undefined } = { failed: undefined }
  void awaitHosts(Object.keys(gathering), Object.values(gathering), TIMEOUT, givenUp).then((hosts) => {
    seen.failed = hosts.filter(({ addresses }) => addresses.status === 'failed').map(({ name }) => name)
  })
  return seen
}

describe('the deadline of hosts with dead name servers', () => {
  test('all answer: nobody waits, and the order is as given', async () => {
    const slow = later()
    const hosts = awaitHosts(['a', 'b'], [slow.promise, known('b')], TIMEOUT, new Set())
    slow.resolve(host({ name: 'a' }))
    assert.deepEqual(
      (await hosts).map(({ name }) => name),
      ['a', 'b'],
    )
  })

  test('all dead hosts together delay the message by one time-out', async (t) => {
    const { pass } = start(t)
    const seen = watch({ dead: later().promise, b: known('b'), dying: later().promise })
    await pass(TIMEOUT - 1)
    assert.equal(seen.failed, undefined)
    await pass(1)
    assert.deepEqual(seen.failed, ['dead', 'dying'])
  })

  test('the time-out counts from the beginning, not from when the first host became known', async (t) => {
    const { pass } = start(t)
    const slow = later()
    const seen = watch({ dead: later().promise, slow: slow.promise })
    await pass(TIMEOUT - 100)
    slow.resolve(host({ name: 'slow' }))
    await pass(100)
    assert.deepEqual(seen.failed, ['dead'])
  })

  test('where the lookups of one host have failed, all others have the same one time-out', async (t) => {
    const { pass } = start(t)
    const seen = watch({ a: failed('a'), dead: later().promise })
    await pass(TIMEOUT)
    assert.deepEqual(seen.failed, ['a', 'dead'])
  })

  test('none is given up while nothing is known of any: our own name servers may be slow', async (t) => {
    const { pass } = start(t)
    const slow = later()
    const other = later()
    const seen = watch({ slow: slow.promise, other: other.promise })
    await pass(3 * TIMEOUT)
    assert.equal(seen.failed, undefined)
    slow.resolve(host({ name: 'slow' }))
    other.resolve(host({ name: 'other' }))
    await pass(0)
    assert.deepEqual(seen.failed, [])
  })

  test('the next message does not wait for a host that one gave up on, until its lookups have ended', async (t) => {
    const { pass } = start(t)
    const dead = later()
    const givenUp = new Set<string>()
    watch({ dead: dead.promise, b: known('b') }, givenUp)
    await pass(TIMEOUT)
    const next = watch({ dead: dead.promise, b: known('b') }, givenUp)
    await pass(0)
    assert.deepEqual(next.failed, ['dead'])
    dead.resolve(host({ name: 'dead' }))
    await pass(0)
    assert.deepEqual([...givenUp], [])
  })

  test('the next message waits for such a host where no other can be used', async (t) => {
    const { pass } = start(t)
    const dead = later()
    const givenUp = new Set(['dead'])
    const next = watch({ dead: dead.promise, a: failed('a') }, givenUp)
    await pass(0)
    assert.equal(next.failed, undefined)
    dead.resolve(host({ name: 'dead' }))
    await pass(0)
    assert.deepEqual(next.failed, ['a'])
  })

  test('D8: a host that is given up is one whose lookup failed: it is not tried, whatever its policy is', async (t) => {
    const { pass } = start(t)
    const result = awaitHosts(['dead', 'b'], [later().promise, known('b')], TIMEOUT, new Set())
    await pass(TIMEOUT)
    const [dead] = await result
    assert.equal(dead?.addresses.status, 'failed')
  })

  test('a host whose TLSA lookup failed is as it was found', async () => {
    const evidence = host({ name: 'a', tlsa: tlsa('failed', 'a') })
    assert.deepEqual(await awaitHosts(['a'], [Promise.resolve(evidence)], TIMEOUT, new Set()), [evidence])
  })

  test('no timer outlives the answer', async () => {
    await awaitHosts(['a', 'b'], [known('a'), known('b')], 60_000, new Set())
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })
})
