import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { resolverFor } from './resolver-fixture.ts'
import { type Script, a, startServer } from './scripted-server.ts'

const SERVFAIL = 2

describe('what is remembered of a failure', () => {
  /** The names that are asked for when each of them is looked up once more, `milliseconds` later. */
  async function askedAgain(t: TestContext, script: Script, names: readonly string[], milliseconds: number) {
    let time = 0
    const server = await startServer(t, script)
    const { lookup } = resolverFor(t, [server], { timeout: 100, now: () => time })
    for (const wait of [0, 5_000, milliseconds]) {
      time += wait
      server.queries.splice(0)
      const dead = names.map((name) => lookup(name, 'A'))
      await delay(20)
      time += 1
      await Promise.all([...dead, lookup(`live${time}.test`, 'A')])
    }
    return server.queries.map(({ name }) => name).filter((name) => !name.startsWith('live'))
  }
  const DEAD = ['dead.test']
  const silent: Script = ({ name }) => (name === 'dead.test' ? 'silence' : { answers: [a(name)] })

  test("A11: that a name's name servers are silent, for twice as long each time", async (t) => {
    assert.deepEqual(await askedAgain(t, silent, DEAD, 9_000), [])
    assert.deepEqual(await askedAgain(t, silent, DEAD, 10_001), DEAD)
  })

  test('SERVFAIL, for five seconds each time', async (t) => {
    const script: Script = ({ name }) =>
      name === 'dead.test' ? { rcode: SERVFAIL, ede: [22] } : { answers: [a(name)] }
    assert.deepEqual(await askedAgain(t, script, DEAD, 5_001), DEAD)
  })

  test('silence of our own name servers, which answer nothing else, for five seconds each time', async (t) => {
    assert.deepEqual(await askedAgain(t, () => 'silence', DEAD, 5_001), DEAD)
  })
})
