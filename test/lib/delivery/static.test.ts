import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planStaticHost } from '../../../dist/lib/delivery/index.js'
import { settings, sts, stsPolicy } from '../policy/question.ts'
import { a, failed, tlsaAt, world } from './world.ts'

describe('a plan for a static route', () => {
  const relay = { name: 'relay.test', address: undefined, port: 587, credentials: false }

  test('D30: DANE by its own name and port; no MX is looked up', async () => {
    const records = { 'relay.test A': a('relay.test'), '_587._tcp.relay.test TLSA': tlsaAt('_587._tcp.relay.test') }
    const { planner, rounds } = world(records)
    const { host, domain } = await planStaticHost(planner, relay)
    assert.deepEqual(rounds, [['relay.test A', 'relay.test AAAA'], ['_587._tcp.relay.test TLSA']])
    assert.deepEqual([domain.policyDomain, domain.route, domain.mxSecurity], ['relay.test', 'static', 'not-looked-up'])
    assert.deepEqual(host.verdict.action === 'attempt' && host.verdict.proofs, ['dane'])
  })

  describe('RFC 8461 3.4: has the policy of its name', () => {
    const named = { ...relay, name: 'smtp.provider.example' }
    const records = { 'smtp.provider.example A': a('smtp.provider.example', '1.2.3.4') }
    const policy = (...mx: string[]) => ({ ...sts('enforce'), policy: stsPolicy('enforce', mx) })
    const lookups = (rounds: readonly (readonly string[])[]) => rounds.flat().filter((asked) => asked.endsWith('STS'))
    const lenient = settings({ allowInvalidCerts: true })

    test('which asks for TLS with a valid certificate', async () => {
      const { planner, rounds } = world(records, { sts: policy('smtp.provider.example'), settings: lenient })
      const { host, domain } = await planStaticHost(planner, named)
      assert.deepEqual(lookups(rounds), ['smtp.provider.example STS'])
      assert.deepEqual([domain.route, domain.sts?.policy?.mode], ['static', 'enforce'])
      assert.ok(host.verdict.action === 'attempt')
      assert.deepEqual([host.verdict.tls, host.verdict.proofs], ['required', ['pkix']])
    })

    test('and is refused where that does not list it, with the rule to write', async () => {
      const { planner } = world(records, { sts: policy('other.provider.example'), settings: lenient })
      const { verdict } = (await planStaticHost(planner, named)).host
      assert.equal(verdict.because.code, 'sts-policy-mx-mismatch')
      const rule = /a rule with if-mx\[\] = smtp\.provider\.example, if-route = static and mta-sts = disable$/
      assert.match(verdict.because.text, rule)
    })

    for (const evidence of [
      { status: 'failed', why: 'cache-unreadable', text: 'the cache cannot be read' },
      { status: 'none', why: 'lookup-failed', text: 'SERVFAIL' },
    ] as const)
      test(`but goes on without it where it is not known: ${evidence.why}`, async () => {
        const { planner } = world(records, { sts: evidence, settings: lenient })
        const { verdict } = (await planStaticHost(planner, named)).host
        assert.deepEqual(verdict.action === 'attempt' && verdict.tls, 'opportunistic')
      })

    const unasked: Readonly<Record<string, readonly [name: string, address: string]>> = {
      'a name without dots': ['relay', '1.2.3.4'],
      'an address': ['1.2.3.4', '1.2.3.4'],
      'a name of the local network': ['relay.local', '1.2.3.4'],
      'a name of a private network': ['relay.internal', '1.2.3.4'],
      'a name of a home network': ['relay.home.arpa', '1.2.3.4'],
      'a name for tests': ['relay.test', '1.2.3.4'],
      'private addresses only': ['smtp.provider.example', '10.0.0.1'],
    }
    for (const [what, [name, address]] of Object.entries(unasked))
      test(`is not looked up for ${what}`, async () => {
        const { planner, rounds } = world({ [`${name} A`]: a(name, address) }, { settings: lenient })
        await planStaticHost(planner, { ...relay, name })
        assert.deepEqual(lookups(rounds), [])
      })

    test('is not looked up with mta-sts = disable, nor for a TLS report of ours', async () => {
      for (const changes of [
        { settings: settings({ mtaSts: 'disable' }) },
        { settings: lenient, request: 'tls-report' },
      ] as const) {
        const { planner, rounds } = world(records, changes)
        await planStaticHost(planner, named)
        assert.deepEqual(lookups(rounds), [])
      }
    })
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
