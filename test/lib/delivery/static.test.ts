import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planStaticHost } from '../../../dist/lib/delivery/index.js'
import { settings } from '../policy/question.ts'
import { a, failed, tlsaAt, world } from './world.ts'

describe('a plan for a static route', () => {
  const relay = { name: 'relay.test', address: undefined, port: 587, credentials: false }

  test('D30, T22: DANE by its own name and port; neither MX nor STS is looked up', async () => {
    const records = { 'relay.test A': a('relay.test'), '_587._tcp.relay.test TLSA': tlsaAt('_587._tcp.relay.test') }
    const { planner, rounds } = world(records)
    const { host, domain } = await planStaticHost(planner, relay)
    assert.deepEqual(rounds, [['relay.test A', 'relay.test AAAA'], ['_587._tcp.relay.test TLSA']])
    assert.deepEqual([domain.policyDomain, domain.route, domain.mxSecurity], ['relay.test', 'static', 'not-looked-up'])
    assert.deepEqual(host.verdict.action === 'attempt' && host.verdict.proofs, ['dane'])
  })

  test('credentials: PKIX', async () => {
    const { planner } = world({ 'relay.test A': a('relay.test') }, { settings: settings({ allowInvalidCerts: true }) })
    const { host } = await planStaticHost(planner, { ...relay, credentials: true })
    assert.deepEqual(host.verdict.action === 'attempt' && host.verdict.proofs, ['pkix'])
  })

  test('an address: nothing is looked up', async () => {
    const { planner, rounds } = world({})
    const { host } = await planStaticHost(planner, { ...relay, name: '192.0.2.7' })
    assert.deepEqual([host.addresses, rounds], [['192.0.2.7'], []])
  })

  test('a name with its address: the address is connected to, though DNS does not know the name', async () => {
    const { planner } = world({})
    const { host } = await planStaticHost(planner, { ...relay, address: '192.0.2.7' })
    assert.equal(host.verdict.action, 'attempt')
    assert.deepEqual(host.addresses, ['192.0.2.7'])
  })

  test('D31: a name with its address, but DNS fails: whether DANE applies cannot be known', async () => {
    const { planner } = world({ 'relay.test A': failed('relay.test'), 'relay.test AAAA': failed('relay.test') })
    const { host } = await planStaticHost(planner, { ...relay, address: '192.0.2.7' })
    assert.equal(host.verdict.action, 'skip')
  })

  test('a name that DNS cannot have is a host without addresses', async () => {
    const { host } = await planStaticHost(world({}).planner, { ...relay, name: 'not a name' })
    assert.equal(host.verdict.action, 'skip')
  })
})
