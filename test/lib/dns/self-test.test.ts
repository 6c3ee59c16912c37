import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Answer } from '../../../dist/lib/dns/index.js'
import { resolverFor } from './resolver-fixture.ts'
import { type Script, a, startServer } from './scripted-server.ts'

const validating: Script = ({ name }) => ({ ad: true, answers: [a(name)] })
const careless: Script = ({ name }) => ({ ad: false, answers: [a(name)] })
/** passes the self-test for one server only of two that see the same names */
const carelessAboutSigned: Script = ({ name }) => ({ ad: name !== 'signed.test', answers: [a(name)] })

const security = (answer: Answer): string => (answer.status === 'failed' ? 'failed' : answer.security)

describe('the self-test', () => {
  test('D1: a server that validates passes, and its answers are secure before and after', async (t) => {
    const server = await startServer(t, validating)
    const resolver = resolverFor(t, [server])
    assert.equal(resolver.health(), undefined)
    assert.equal(security(await resolver.lookup('x.test', 'A')), 'secure')

    const health = await resolver.selfTest()
    assert.equal(resolver.health(), health)
    assert.ok(health.validates && health.trustAd && health.secureAnswers)
    assert.deepEqual(health.servers, [
      {
        server: server.server,
        validates: true,
        answered: true,
        text: `127.0.0.1:${server.server.port}: signed.test comes with AD`,
      },
    ])
    assert.equal(security(await resolver.lookup('x.test', 'A')), 'secure')
  })

  test('D1: signed names that come without AD make every answer insecure, those in the cache too, until it passes', async (t) => {
    const server = await startServer(t, carelessAboutSigned)
    const resolver = resolverFor(t, [server])
    assert.equal(security(await resolver.lookup('cached.test', 'A')), 'secure')

    const failed = await resolver.selfTest()
    assert.ok(!failed.validates && !failed.secureAnswers)
    assert.match(failed.servers[0]?.text ?? '', /signed\.test is signed, but comes without AD/)
    assert.equal(security(await resolver.lookup('cached.test', 'A')), 'insecure')
    assert.equal(security(await resolver.lookup('other.test', 'A')), 'insecure')

    server.script = validating
    assert.ok((await resolver.selfTest()).validates)
    assert.equal(security(await resolver.lookup('cached.test', 'A')), 'secure')
    assert.equal(security(await resolver.lookup('other.test', 'A')), 'secure')
  })

  test('each server is asked by itself, and every one of them must validate', async (t) => {
    const servers = [await startServer(t, validating), await startServer(t, careless)]
    const resolver = resolverFor(t, servers)
    const health = await resolver.selfTest()
    assert.equal(health.validates, false)
    assert.deepEqual(
      health.servers.map(({ validates }) => validates),
      [true, false],
    )
    assert.equal(security(await resolver.lookup('x.test', 'A')), 'insecure')
  })

  test('each name that has an answer must come with AD', async (t) => {
    const server = await startServer(t, carelessAboutSigned)
    const health = await resolverFor(t, [server], { selfTestNames: ['also-signed.test', 'signed.test'] }).selfTest()
    assert.equal(health.validates, false)
  })

  test('a secure denial of the name shows validation as well', async (t) => {
    const server = await startServer(t, () => ({ ad: true, rcode: 3 }))
    assert.ok((await resolverFor(t, [server]).selfTest()).validates)
  })

  test('no answer is no reason to give up DANE: whoever suppressed it would turn it off', async (t) => {
    const scripts: readonly Script[] = [() => 'silence', () => ({ rcode: 2 }), () => ({ rcode: 5 })]
    for (const script of scripts) {
      const server = await startServer(t, script)
      const resolver = resolverFor(t, [server], { timeout: 100 })
      const health = await resolver.selfTest()
      assert.equal(health.validates, false)
      assert.equal(health.servers[0]?.answered, false)
      assert.equal(health.secureAnswers, true)
      server.script = validating
      assert.equal(security(await resolver.lookup('x.test', 'A')), 'secure')
    }
  })

  test('nor is it a reason to believe again who was seen not to validate', async (t) => {
    const server = await startServer(t, carelessAboutSigned)
    const resolver = resolverFor(t, [server], { timeout: 100 })
    await resolver.selfTest()
    server.script = () => 'silence'
    assert.equal((await resolver.selfTest()).secureAnswers, false)
    server.script = validating
    assert.equal(security(await resolver.lookup('x.test', 'A')), 'insecure')
  })

  test('D4: passes without trust in AD, and answers stay insecure', async (t) => {
    const server = await startServer(t, validating)
    const resolver = resolverFor(t, [server], { trustAd: false })
    const health = await resolver.selfTest()
    assert.deepEqual([health.validates, health.trustAd, health.secureAnswers], [true, false, false])
    assert.equal(security(await resolver.lookup('x.test', 'A')), 'insecure')
  })

  test('of nothing finds nothing', async (t) => {
    assert.equal((await resolverFor(t, []).selfTest()).validates, false)
    const server = await startServer(t, validating)
    assert.equal((await resolverFor(t, [server], { selfTestNames: [] }).selfTest()).validates, false)
  })
})
