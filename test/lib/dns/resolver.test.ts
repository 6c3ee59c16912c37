import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
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

describe('what was asked before', () => {
  test('concurrent identical lookups are one query', async (t) => {
    const server = await startServer(t, ({ name }) => ({ answers: [a(name, '192.0.2.1', 0)], delay: 30 }))
    const { lookup } = resolverFor(t, [server])
    const answers = await Promise.all([...Array(50).keys()].map((n) => lookup(n % 2 ? 'X.test' : 'x.test.', 'A')))
    assert.ok(answers.every(({ status }) => status === 'found'))
    assert.equal(server.queries.length, 1)
  })

  test('K3: comes from the cache for its TTL, with the time that is left', async (t) => {
    let time = 1000
    const server = await startServer(t, ({ name }) => ({ ad: true, answers: [a(name, '192.0.2.1', 60)] }))
    const { lookup } = resolverFor(t, [server], { now: () => time })
    await lookup('x.test', 'A')
    time += 59_999
    const kept = await lookup('X.TEST.', 'A')
    assert.ok(kept.status === 'found' && kept.ttl === 1 && kept.security === 'secure')
    assert.equal(server.queries.length, 1)
    time += 1
    await lookup('x.test', 'A')
    assert.equal(server.queries.length, 2)
  })

  test('K3: is kept for an hour at most', async (t) => {
    const server = await startServer(t, ({ name }) => ({ answers: [a(name, '192.0.2.1', 604_800)] }))
    const answer = await resolverFor(t, [server]).lookup('x.test', 'A')
    assert.ok(answer.status === 'found' && answer.ttl <= 3_600_000)
  })

  test('K3: is asked again where the TTL is 0', async (t) => {
    const server = await startServer(t, ({ name }) => ({ answers: [a(name, '192.0.2.1', 0)] }))
    const { lookup } = resolverFor(t, [server])
    await lookup('x.test', 'A')
    await lookup('x.test', 'A')
    assert.equal(server.queries.length, 2)
  })

  test('RFC 2308: a denial is kept as long as its SOA says', async (t) => {
    let time = 0
    const server = await startServer(t, () => ({ rcode: 3, authorities: [soa('test', 300, 30)] }))
    const { lookup } = resolverFor(t, [server], { now: () => time })
    await lookup('x.test', 'A')
    time = 29_999
    assert.equal((await lookup('x.test', 'A')).status, 'absent')
    assert.equal(server.queries.length, 1)
    time = 30_000
    await lookup('x.test', 'A')
    assert.equal(server.queries.length, 2)
  })

  test('a failure is kept for 5 seconds', async (t) => {
    let time = 0
    const server = await startServer(t, () => ({ rcode: 5 }))
    const { lookup } = resolverFor(t, [server], { now: () => time })
    await lookup('x.test', 'A')
    time = 4999
    assert.equal((await lookup('x.test', 'A')).status, 'failed')
    assert.equal(server.queries.length, 1)
    time = 5000
    await lookup('x.test', 'A')
    assert.equal(server.queries.length, 2)
  })

  test('a fresh lookup goes past the cache, and its answer is kept', async (t) => {
    const server = await startServer(t, ({ name }) => ({ answers: [a(name, `192.0.2.${server.queries.length}`)] }))
    const { lookup } = resolverFor(t, [server])
    await lookup('x.test', 'A')
    await lookup('x.test', 'A', { fresh: true })
    const answer = await lookup('x.test', 'A')
    assert.deepEqual(answer.status === 'found' && answer.records, ['192.0.2.2'])
    assert.equal(server.queries.length, 2)
  })

  test('types do not mix', async (t) => {
    const server = await startServer(t, ({ name, type }) =>
      type === 'A' ? { answers: [a(name)] } : { authorities: [soa('test')] },
    )
    const { lookup } = resolverFor(t, [server])
    assert.deepEqual(
      (await Promise.all([lookup('x.test', 'A'), lookup('x.test', 'AAAA')])).map(({ status }) => status),
      ['found', 'absent'],
    )
  })

  test('2,000 names are looked up, few at a time, and as many kept as there is room for', async (t) => {
    const server = await startServer(t, ({ name }) => ({ answers: [a(name)] }))
    const { lookup } = resolverFor(t, [server], { cacheSize: 1000, timeout: 20_000 })
    const names = [...Array(2_000).keys()].map((n) => `n${n}.test`)
    const answers = await Promise.all(names.map((name) => lookup(name, 'A')))
    assert.equal(answers.filter(({ status }) => status === 'found').length, 2_000)

    const asked = server.queries.length
    await lookup('n1999.test', 'A')
    assert.equal(server.queries.length, asked)
    await lookup('n0.test', 'A')
    assert.equal(server.queries.length, asked + 1)
  })
})

test('a name that had to wait for dead ones is asked for all the same, and not failed for the time it waited', async (t) => {
  const server = await startServer(t, ({ name }) => (name === 'x.test' ? { answers: [a(name)] } : 'silence'))
  const { lookup } = resolverFor(t, [server])
  const dead = [...Array(600).keys()].map((n) => lookup(`dead${n}.test`, 'A'))
  assert.equal((await lookup('x.test', 'A')).status, 'found')
  await Promise.all(dead)
})

describe('a name that is none', () => {
  for (const name of ['', '.', 'a..b', 'a b', 'a\0b', 'ü.test', `${'a'.repeat(64)}.test`, 'a.'.repeat(127) + 'a.b']) {
    test(`${JSON.stringify(name.slice(0, 20))} is never asked for`, async (t) => {
      const server = await startServer(t, () => 'silence')
      const answer = await resolverFor(t, [server]).lookup(name, 'A')
      assert.deepEqual(answer.status === 'failed' && answer.failure.class, 'malformed')
      assert.equal(server.queries.length, 0)
    })
  }
})

describe('the end', () => {
  test('closing fails no lookup: not those under way over UDP and TCP, nor those that wait, nor later ones', async (t) => {
    const server = await startServer(t, ({ over, name }) =>
      name === 'tcp.test' && over === 'udp' ? { tc: true } : { answers: [a(name)], delay: 100 },
    )
    const resolver = resolverFor(t, [server], { timeout: 10_000 })
    const names = ['udp.test', 'tcp.test', ...[...Array(300).keys()].map((n) => `n${n}.test`)]
    const pending = names.map((name) => resolver.lookup(name, 'A'))
    await delay(50)
    resolver.close()
    resolver.close()
    const answers = await Promise.all([...pending, resolver.lookup('later.test', 'A')])
    assert.ok(answers.every(({ status }) => status === 'found'))
  })

  test('a resolver that was closed keeps nothing, and no process alive', async (t) => {
    const server = await startServer(t, ({ name, over }) =>
      name === 'tcp.test' && over === 'udp' ? { tc: true } : name === 'x.test' ? { answers: [a(name)] } : 'silence',
    )
    const script = `
      const { createResolver } = require('./dist/lib/dns')
      const servers = [${JSON.stringify(server.server)}]
      const resolver = createResolver({ servers, timeout: 60000, attempts: 2, cacheSize: 9, selfTestNames: [] })
      void resolver.lookup('silent.test', 'A')
      void resolver.lookup('tcp.test', 'A')
      void resolver.lookup('x.test', 'A').then(({ status }) => {
        resolver.close()
        void resolver.lookup('later.test', 'A')
        console.log(status)
      })
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { timeout: 20_000 })
    assert.equal(stdout, 'found\n')
  })

  test('a process that has nothing else to do ends with its last lookup', async (t) => {
    const server = await startServer(t, ({ name }) => (name === 'silent.test' ? 'silence' : { answers: [a(name)] }))
    const script = `
      const { createResolver } = require('./dist/lib/dns')
      const servers = [${JSON.stringify(server.server)}]
      const { lookup } = createResolver({ servers, timeout: 200, attempts: 2, cacheSize: 9, selfTestNames: [] })
      void lookup('x.test', 'A').then(({ status }) => console.log(status))
      void lookup('silent.test', 'A').then(({ status }) => console.log(status))
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { timeout: 10_000 })
    assert.equal(stdout, 'found\nfailed\n')
  })

  test('without servers every lookup fails', async (t) => {
    assert.equal((await resolverFor(t, []).lookup('x.test', 'A')).status, 'failed')
  })
})
