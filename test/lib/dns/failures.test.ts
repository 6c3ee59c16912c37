import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, DnsFailure, QueryReport } from '../../../dist/lib/dns/index.js'
import { resolverFor } from './resolver-fixture.ts'
import { type Reply, type Script, a, soa, startServer } from './scripted-server.ts'

const SERVFAIL = 2
const REFUSED = 5

function failure(answer: Answer): DnsFailure {
  assert.equal(answer.status, 'failed')
  return answer.failure
}

function security(answer: Answer): string {
  assert.notEqual(answer.status, 'failed', JSON.stringify(answer))
  return answer.status === 'failed' ? '' : answer.security
}

describe('a server that stays silent', () => {
  test('D5: is a time-out, after one time-out', async (t) => {
    const server = await startServer(t, () => 'silence')
    const start = performance.now()
    const { class: kind, text } = failure(await resolverFor(t, [server], { attempts: 3 }).lookup('x.test', 'A'))
    const took = performance.now() - start
    assert.equal(kind, 'timeout')
    assert.equal(text, `no answer within 0.3 s from 127.0.0.1:${server.server.port}`)
    assert.ok(took >= 290 && took < 580, `${took}`)
  })

  test('is sent the same query again within that time, and its late answer counts', async (t) => {
    const server = await startServer(t, ({ name }) => (server.queries.length < 3 ? 'silence' : { answers: [a(name)] }))
    assert.equal((await resolverFor(t, [server], { attempts: 3 }).lookup('x.test', 'A')).status, 'found')
    assert.equal(new Set(server.queries.map(({ id, port }) => `${id} ${port}`)).size, 1)
    assert.equal(server.queries.length, 3)
  })

  test('delays one lookup, not the next, whatever the name', async (t) => {
    const dead = await startServer(t, () => 'silence')
    const live = await startServer(t, ({ name }) => ({ answers: [a(name)] }))
    const { lookup } = resolverFor(t, [dead, live])
    assert.equal((await lookup('one.test', 'A')).status, 'found')
    const start = performance.now()
    assert.equal((await lookup('two.test', 'A')).status, 'found')
    assert.ok(performance.now() - start < 250)
    assert.equal(dead.queries.length, 1)
  })

  test('is tried again after a minute, in the background, and is the first again when it answers', async (t) => {
    let time = 0
    const first = await startServer(t, () => 'silence')
    const second = await startServer(t, ({ name }) => ({ answers: [a(name)] }))
    const { lookup } = resolverFor(t, [first, second], { timeout: 100, now: () => time })
    await lookup('one.test', 'A')
    first.script = ({ name }) => ({ answers: [a(name)] })
    time = 60_000
    await lookup('two.test', 'A')
    await delay(50)
    assert.deepEqual(
      first.queries.map(({ name }) => name),
      ['one.test', 'two.test'],
    )
    await lookup('three.test', 'A')
    assert.deepEqual(
      second.queries.map(({ name }) => name),
      ['one.test', 'two.test'],
    )
  })

  test('that answers other questions meanwhile is not dead: the name is, and no other server waits for it again', async (t) => {
    const answers: Script = ({ name }) => (name === 'dead.test' ? 'silence' : { answers: [a(name)] })
    const servers = [await startServer(t, answers), await startServer(t, answers)]
    const { lookup } = resolverFor(t, servers)
    const start = performance.now()
    const dead = lookup('dead.test', 'A')
    await delay(50)
    await lookup('live.test', 'A')
    assert.equal(failure(await dead).class, 'timeout')
    assert.ok(performance.now() - start < 580)
    await lookup('other.test', 'A')
    assert.equal(servers[1]?.queries.length, 0)
  })

  test("a name's dead name server makes the next message wait no more", async (t) => {
    const server = await startServer(t, ({ name }) => (name === 'dead.test' ? 'silence' : { answers: [a(name)] }))
    const { lookup } = resolverFor(t, [server], { attempts: 3 })
    const [dead] = await Promise.all([lookup('dead.test', 'A'), lookup('live.test', 'A')])
    const start = performance.now()
    assert.deepEqual(await lookup('dead.test', 'A'), dead)
    assert.ok(performance.now() - start < 250)
  })
})

describe('SERVFAIL', () => {
  for (const code of [1, 2, 5, 6, 7, 8, 9, 10, 11, 12]) {
    test(`RFC 8914: with extended error ${code} is bogus`, async (t) => {
      const server = await startServer(t, () => ({ rcode: SERVFAIL, ede: [22, code] }))
      const { class: kind, text } = failure(await resolverFor(t, [server], { attempts: 3 }).lookup('x.test', 'TLSA'))
      assert.equal(kind, 'bogus')
      assert.match(text, new RegExp(`^SERVFAIL, .* \\(EDE ${code}\\)$`))
      assert.equal(server.queries.length, 1, 'it would only say it again')
    })
  }

  for (const code of [0, 3, 13, 22, 23, 65535]) {
    test(`RFC 8914: with extended error ${code} is a server failure`, async (t) => {
      const server = await startServer(t, () => ({ rcode: SERVFAIL, ede: [code] }))
      const { class: kind, text } = failure(await resolverFor(t, [server]).lookup('x.test', 'TLSA'))
      assert.equal(kind, 'server-failure')
      assert.match(text, new RegExp(`EDE ${code}`))
    })
  }

  test('alone is bogus where there is an answer with checking disabled', async (t) => {
    const server = await startServer(t, ({ name, checkingDisabled }) =>
      checkingDisabled ? { answers: [a(name)] } : { rcode: SERVFAIL },
    )
    const answer = await resolverFor(t, [server], { attempts: 3 }).lookup('x.test', 'A')
    assert.deepEqual(failure(answer), {
      class: 'bogus',
      text: 'SERVFAIL, DNSSEC bogus (there is an answer with checking disabled)',
    })
    assert.deepEqual(
      server.queries.map(({ checkingDisabled }) => checkingDisabled),
      [false, true],
    )
  })

  test('alone is bogus where there is a denial with checking disabled', async (t) => {
    const server = await startServer(t, ({ checkingDisabled }) => ({ rcode: checkingDisabled ? 3 : SERVFAIL }))
    assert.equal(failure(await resolverFor(t, [server]).lookup('x.test', 'A')).class, 'bogus')
  })

  test('alone is a server failure where there is none either, asked once for each round', async (t) => {
    const server = await startServer(t, () => ({ rcode: SERVFAIL }))
    const answer = await resolverFor(t, [server], { attempts: 3 }).lookup('x.test', 'A')
    assert.deepEqual(failure(answer), { class: 'server-failure', text: 'SERVFAIL' })
    assert.deepEqual(
      server.queries.map(({ checkingDisabled }) => checkingDisabled),
      [false, true, false, false],
    )
  })

  test('and a silent check are a server failure within the time-out', async (t) => {
    const server = await startServer(t, ({ checkingDisabled }) => (checkingDisabled ? 'silence' : { rcode: SERVFAIL }))
    const start = performance.now()
    const answer = await resolverFor(t, [server], { attempts: 3 }).lookup('x.test', 'A')
    assert.equal(failure(answer).class, 'server-failure')
    assert.ok(performance.now() - start < 580)
  })
})

describe('fail-over', () => {
  const good: Reply = { ad: true, answers: [a('x.test')] }
  const bad: readonly [string, Parameters<typeof startServer>[1]][] = [
    ['SERVFAIL', () => ({ rcode: SERVFAIL, ede: [22] })],
    ['REFUSED', () => ({ rcode: REFUSED })],
    ['FORMERR', () => ({ rcode: 1 })],
    ['NOTIMP', () => ({ rcode: 4 })],
    ['BADVERS', () => ({ rcode: 16 })],
    ['a referral', () => ({ ra: false })],
    ['silence', () => 'silence'],
    ['an answer that is cut short', () => ({ ...good, cut: 1 })],
    ['a truncated answer and a TCP reset', ({ over }) => (over === 'tcp' ? 'reset' : { tc: true })],
    ['a truncated answer and no answer over TCP', ({ over }) => (over === 'tcp' ? 'silence' : { tc: true })],
    ['nothing but answers to other questions', () => [{ ...good, question: { name: 'y.test', type: 'A' } }]],
    ['bogus', () => ({ rcode: SERVFAIL, ede: [6] })],
  ]
  for (const [what, script] of bad) {
    test(`${what} from one server, an answer from the next`, async (t) => {
      const servers = [await startServer(t, script), await startServer(t, () => good)]
      assert.equal(security(await resolverFor(t, servers).lookup('x.test', 'A')), 'secure')
    })
  }

  test('D3: what one server finds bogus is not overruled by one that did not validate it', async (t) => {
    const validating = await startServer(t, () => ({ rcode: SERVFAIL, ede: [6] }))
    const careless = await startServer(t, () => ({ ...good, ad: false }))
    assert.equal(failure(await resolverFor(t, [validating, careless]).lookup('x.test', 'A')).class, 'bogus')
    assert.equal(careless.queries.length, 1)
  })

  test('a server that refused is not asked again, one that failed is, and the most telling failure is told', async (t) => {
    const refusing = await startServer(t, () => ({ rcode: REFUSED }))
    const failing = await startServer(t, () => ({ rcode: SERVFAIL, ede: [23] }))
    const answer = await resolverFor(t, [refusing, failing], { attempts: 3 }).lookup('x.test', 'A')
    assert.deepEqual(failure(answer), { class: 'server-failure', text: 'SERVFAIL, network error (EDE 23)' })
    assert.deepEqual([refusing.queries.length, failing.queries.length], [1, 3])
  })

  test('a port on which nobody listens is a network failure, at once', async (t) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    socket.close()
    const start = performance.now()
    const answer = await resolverFor(t, [{ server: { address: '127.0.0.1', port } }]).lookup('x.test', 'A')
    assert.deepEqual(failure(answer), { class: 'network', text: `ECONNREFUSED from 127.0.0.1:${port}` })
    assert.ok(performance.now() - start < 290)
  })

  test('a refusal is a refusal', async (t) => {
    const server = await startServer(t, () => ({ rcode: REFUSED, ede: [18] }))
    assert.deepEqual(failure(await resolverFor(t, [server]).lookup('x.test', 'A')), {
      class: 'refused',
      text: 'REFUSED, prohibited (EDE 18)',
    })
  })

  test('every query is reported', async (t) => {
    const queries: QueryReport[] = []
    const servers = [await startServer(t, () => 'silence'), await startServer(t, () => ({ rcode: 3 }))]
    await resolverFor(t, servers, { timeout: 100, onQuery: (query) => queries.push(query) }).lookup('x.test', 'MX')
    assert.deepEqual(
      queries.map(({ name, type, server, result }) => [name, type, server, result]),
      [
        ['x.test', 'MX', servers[0]?.server, 'timeout'],
        ['x.test', 'MX', servers[1]?.server, 'NXDOMAIN'],
      ],
    )
    assert.ok((queries[0]?.milliseconds ?? 0) >= 95)
  })
})

describe('the transport', () => {
  test('RFC 5452: each query has its own id and port', async (t) => {
    const server = await startServer(t, ({ name }) => ({ answers: [a(name)] }))
    const { lookup } = resolverFor(t, [server])
    for (let n = 0; n < 20; n++) await lookup(`n${n}.test`, 'A')
    assert.ok(new Set(server.queries.map(({ id }) => id)).size >= 19)
    assert.ok(new Set(server.queries.map(({ port }) => port)).size >= 15)
  })

  test('RFC 5452: what does not answer the question is ignored, and the answer behind it counts', async (t) => {
    const server = await startServer(t, ({ id, name }) => {
      const forged = [a(name, '192.0.2.66')]
      return [
        { id: id ^ 1, ad: true, answers: forged },
        { question: { name: 'other.test', type: 'A' }, ad: true, answers: forged },
        { question: { name, type: 'AAAA' }, ad: true, answers: forged },
        Buffer.from('garbage'),
        Buffer.alloc(0),
        { ad: true, answers: [a(name, '192.0.2.7')] },
      ]
    })
    const answer = await resolverFor(t, [server]).lookup('x.test', 'A')
    assert.deepEqual(answer.status === 'found' && answer.records, ['192.0.2.7'])
    assert.equal(server.queries.length, 1)
  })

  test('RFC 5452: a flood of guesses is answered by asking over TCP', async (t) => {
    const server = await startServer(t, ({ id, name, over }) =>
      over === 'tcp'
        ? { answers: [a(name, '192.0.2.7')] }
        : Array.from({ length: 100 }, (_, n) => ({ id: id ^ (n + 1), answers: [a(name, '192.0.2.66')] })),
    )
    const answer = await resolverFor(t, [server]).lookup('x.test', 'A')
    assert.deepEqual(answer.status === 'found' && answer.records, ['192.0.2.7'])
  })

  test('an answer from elsewhere is not heard', async (t) => {
    const stranger = createSocket('udp4')
    t.after(() => stranger.close())
    const server = await startServer(t, ({ port }) => {
      stranger.send(Buffer.alloc(12), port, '127.0.0.1')
      return { answers: [a('x.test')], delay: 50 }
    })
    assert.equal((await resolverFor(t, [server]).lookup('x.test', 'A')).status, 'found')
  })

  test('RFC 7766: a truncated answer is read over TCP, however large', async (t) => {
    const answers = Array.from({ length: 100 }, (_, n) => ({
      name: 'x.test',
      type: 'TXT',
      ttl: 60,
      data: [Buffer.alloc(255, 0x61), Buffer.alloc(255, 0x62), Buffer.from(`${n}`)],
    }))
    const server = await startServer(t, ({ over }) => (over === 'udp' ? { tc: true } : { ad: true, answers }))
    const answer = await resolverFor(t, [server]).lookup('x.test', 'TXT')
    assert.equal(answer.status, 'found')
    assert.equal(answer.security, 'secure')
    assert.equal(answer.records.length, 100)
    assert.ok(answer.records.every((text) => text.length > 510))
    assert.deepEqual(
      server.queries.map(({ over }) => over),
      ['udp', 'tcp'],
    )
  })

  test('what is in a truncated answer does not count', async (t) => {
    const server = await startServer(t, ({ over }) =>
      over === 'udp' ? { tc: true, ad: true, answers: [a('x.test')] } : 'reset',
    )
    const { class: kind, text } = failure(await resolverFor(t, [server]).lookup('x.test', 'A'))
    assert.equal(kind, 'network')
    assert.match(text, /^ECONNRESET from 127\.0\.0\.1:/)
  })

  test('an answer to another question over TCP is malformed', async (t) => {
    const server = await startServer(t, ({ over, id }) => (over === 'udp' ? { tc: true } : { id: id ^ 1 }))
    assert.equal(failure(await resolverFor(t, [server]).lookup('x.test', 'A')).class, 'malformed')
  })

  test('a slow answer is waited for as long as the time-out says', async (t) => {
    const server = await startServer(t, () => ({ answers: [a('x.test')], delay: 200 }))
    assert.equal((await resolverFor(t, [server]).lookup('x.test', 'A')).status, 'found')
  })

  test('D5: a denial without SOA is an answer too', async (t) => {
    const server = await startServer(t, () => ({ rcode: 3, authorities: [soa('test')] }))
    assert.equal((await resolverFor(t, [server]).lookup('x.test', 'A')).status, 'absent')
  })
})
