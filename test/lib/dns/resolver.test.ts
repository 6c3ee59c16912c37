import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resolverFor } from './resolver-fixture.ts'
import { a, cname, mx, soa, startServer } from './scripted-server.ts'

describe('a lookup', () => {
  test('D1: asks with RD, AD, DO and 1232 octets, and finds secure records', async (t) => {
    const server = await startServer(t, ({ name }) => ({ ad: true, answers: [a(name, '192.0.2.7', 120)] }))
    const answer = await resolverFor(t, [server]).lookup('Host.Example.', 'A')

    const [query] = server.queries
    assert.ok(query)
    assert.equal(query.name, 'host.example')
    assert.ok(query.recursionDesired && query.authenticData && query.dnssecOk && !query.checkingDisabled)
    assert.equal(query.udpPayloadSize, 1232)
    assert.equal(answer.status, 'found')
    const { ttl, ...rest } = answer
    assert.ok(ttl > 119_000 && ttl <= 120_000)
    assert.deepEqual(rest, {
      status: 'found',
      name: 'host.example',
      canonicalName: 'host.example',
      aliases: [],
      security: 'secure',
      records: ['192.0.2.7'],
    })
  })

  test('D4: without trust in AD everything is insecure', async (t) => {
    const server = await startServer(t, ({ name }) => ({ ad: true, answers: [a(name)] }))
    const answer = await resolverFor(t, [server], { trustAd: false }).lookup('host.example', 'A')
    assert.equal(answer.status === 'found' && answer.security, 'insecure')
  })

  test('D5: a denial is an answer, with its own security', async (t) => {
    const server = await startServer(t, ({ name }) => ({
      ad: true,
      rcode: name === 'no.example' ? 3 : 0,
      authorities: [soa('example')],
    }))
    const { lookup } = resolverFor(t, [server])
    const absent = await lookup('no.example', 'TLSA')
    const empty = await lookup('empty.example', 'TLSA')
    assert.deepEqual(absent.status === 'absent' && [absent.why, absent.security], ['nxdomain', 'secure'])
    assert.deepEqual(empty.status === 'absent' && [empty.why, empty.security], ['nodata', 'secure'])
  })

  test('the null MX of RFC 7505 has an empty exchange', async (t) => {
    const server = await startServer(t, ({ name }) => ({ answers: [mx(name, 0, '.')] }))
    const answer = await resolverFor(t, [server]).lookup('example', 'MX')
    assert.deepEqual(answer.status === 'found' && answer.records, [{ preference: 0, exchange: '' }])
  })

  test('D11: a chain over two replies is insecure when one of them is', async (t) => {
    const server = await startServer(t, ({ name }) =>
      name === 'one.example'
        ? { ad: true, answers: [cname(name, 'two.example', 60)] }
        : { ad: false, answers: [a(name)] },
    )
    const answer = await resolverFor(t, [server]).lookup('one.example', 'A')
    assert.equal(answer.status, 'found')
    assert.equal(answer.security, 'insecure')
    assert.equal(answer.canonicalName, 'two.example')
    assert.deepEqual(answer.aliases, ['one.example'])
    assert.ok(answer.ttl <= 60_000)
  })
})
