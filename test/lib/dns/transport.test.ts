import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import net from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { encodeQuery } from '../../../dist/lib/dns/message.js'
import { type Exchange, exchange } from '../../../dist/lib/dns/transport.js'
import { resolverFor } from './resolver-fixture.ts'
import { a, startServer } from './scripted-server.ts'

/** An address that no socket may connect to: Linux says EACCES, others that there is no route. */
const NO_ROUTE = { address: '255.255.255.255', port: 53 }

const QUERY = encodeQuery({ name: 'x.test', type: 'A' }, 1, false)

function ask(changes: Partial<Exchange> = {}): ReturnType<typeof exchange> {
  return exchange({
    server: NO_ROUTE,
    query: QUERY,
    timeout: 2000,
    sends: 2,
    relevance: () => 'unrelated',
    signal: new AbortController().signal,
    ...changes,
  })
}

function unreachable(): Error {
  return Object.assign(new Error('connect ENETUNREACH'), { code: 'ENETUNREACH' })
}

async function serverFor(t: TestContext, script: Parameters<typeof startServer>[1]) {
  return (await startServer(t, script)).server
}

describe('a name server without a route', () => {
  test('is a network failure, and the next one is asked', async (t) => {
    const second = await startServer(t, ({ name }) => ({ answers: [a(name)] }))
    const answer = await resolverFor(t, [{ server: NO_ROUTE }, second], { attempts: 2 }).lookup('x.test', 'A')
    assert.equal(answer.status, 'found')
  })

  test('that is the only one fails the lookup, at once, and says why', async () => {
    const failure = await ask()
    assert.ok('class' in failure)
    assert.equal(failure.class, 'network')
    assert.match(failure.text, /^E[A-Z]+ from 255\.255\.255\.255:53$/)
  })

  test('ENETUNREACH, as connect() tells its callback, is said', async (t) => {
    t.mock.method(dgram.Socket.prototype, 'connect', (...args: unknown[]) => {
      process.nextTick(args.at(-1) as (error: Error) => void, unreachable())
    })
    assert.deepEqual(await ask({ server: { address: '192.0.2.1', port: 53 } }), {
      class: 'network',
      text: 'ENETUNREACH from 192.0.2.1:53',
    })
  })
})

describe('an exception in the transport fails the query, and not the process', () => {
  const thrower = (): never => {
    throw unreachable()
  }
  for (const [what, prototype, method] of [
    ['UDP connect()', dgram.Socket.prototype, 'connect'],
    ['UDP send()', dgram.Socket.prototype, 'send'],
  ] as const)
    test(what, async (t) => {
      const server = await serverFor(t, () => 'silence')
      t.mock.method(prototype, method, thrower)
      const failure = await ask({ server })
      assert.deepEqual('class' in failure && failure.class, 'network')
    })

  test('UDP send(), when the datagram is repeated', async (t) => {
    const server = await serverFor(t, () => 'silence')
    const send = Reflect.get(dgram.Socket.prototype, 'send') as (...args: unknown[]) => void
    let sent = 0
    t.mock.method(dgram.Socket.prototype, 'send', function (this: dgram.Socket, ...args: unknown[]) {
      if (++sent > 1) throw unreachable()
      return Reflect.apply(send, this, args)
    })
    const failure = await ask({ server, timeout: 200 })
    assert.deepEqual('class' in failure && failure.class, 'network')
    assert.equal(sent, 2)
  })

  test('UDP send(), by its callback', async (t) => {
    const server = await serverFor(t, () => 'silence')
    t.mock.method(dgram.Socket.prototype, 'send', (_query: Buffer, done: (error: Error) => void) => {
      process.nextTick(done, unreachable())
    })
    assert.deepEqual('class' in (await ask({ server })), true)
  })

  test('UDP close()', async (t) => {
    const server = await serverFor(t, () => 'silence')
    t.mock.method(dgram.Socket.prototype, 'connect', function (this: dgram.Socket) {
      this.close()
    })
    assert.deepEqual(await ask({ server, timeout: 50 }), {
      class: 'timeout',
      text: `no answer within 0.1 s from 127.0.0.1:${server.port}`,
    })
  })

  for (const over of ['udp', 'tcp'] as const)
    test(`reading a message that came over ${over.toUpperCase()}`, async (t) => {
      const server = await serverFor(t, ({ name }) => ({ answers: [a(name)] }))
      let isFirst = true
      const relevance = () => {
        if (over === 'udp' || !isFirst) throw unreachable()
        isFirst = false
        return 'truncated' as const
      }
      const failure = await ask({ server, relevance })
      assert.deepEqual('class' in failure && failure.class, 'network')
    })

  test('TCP connect()', async (t) => {
    const server = await serverFor(t, ({ name }) => ({ answers: [a(name)] }))
    t.mock.method(net.Socket.prototype, 'connect', thrower)
    const failure = await ask({ server, relevance: () => 'truncated' })
    assert.deepEqual('class' in failure && failure.class, 'network')
  })

  test('TCP write()', async (t) => {
    const server = await serverFor(t, ({ name }) => ({ answers: [a(name)] }))
    const write = Reflect.get(net.Socket.prototype, 'write') as (...args: unknown[]) => boolean
    t.mock.method(net.Socket.prototype, 'write', function (this: net.Socket, ...args: unknown[]) {
      if (this.connecting) throw unreachable() // the test runner writes to sockets of its own
      return Reflect.apply(write, this, args)
    })
    const failure = await ask({ server, relevance: () => 'truncated' })
    assert.deepEqual('class' in failure && failure.class, 'network')
  })

  test('a port that is none', async () => {
    const failure = await ask({ server: { address: '127.0.0.1', port: 65_536 } })
    assert.deepEqual(failure, { class: 'network', text: 'ERR_SOCKET_BAD_PORT from 127.0.0.1:65536' })
  })
})

test('a socket that could not connect is closed', async (t) => {
  t.mock.method(dgram.Socket.prototype, 'connect', () => {
    throw unreachable()
  })
  const close = t.mock.method(dgram.Socket.prototype, 'close')
  await ask()
  assert.equal(close.mock.callCount(), 1)
})
