/**
 * One query to one name server: over UDP, and over TCP where the answer does not fit (RFC 7766 §5). A socket of its own
 * for each query, opened when it starts and closed when it ends, whichever way that is: thereby a random source port
 * for each, and answers from that server's address only (RFC 5452 §9).
 *
 * @module
 */

import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { DnsFailure } from './answer'
import type { Relevance } from './message'
import { type NameServer, describeServer } from './resolv-conf'

/** What is to be sent where, and what counts as its answer. */
export interface Exchange {
  readonly server: NameServer
  readonly query: Buffer
  /** milliseconds, for UDP and TCP together */
  readonly timeout: number
  /** how often the datagram is sent within that time, as long as there is no answer */
  readonly sends: number
  readonly relevance: (message: Buffer) => Relevance
  /** once aborted, the exchange goes on, but does not keep the process alive */
  readonly signal: AbortSignal
}

/** With so many messages that answer something else, an attacker is guessing: TCP is harder to guess. */
const MAX_UNRELATED = 32

/** Sends the query and waits for its answer. Resolves to the message, or to why there is none; never rejects. */
export async function exchange(options: Exchange): Promise<Buffer | DnsFailure> {
  const start = performance.now()
  const answer = await overUdp(options)
  if (answer !== 'use-tcp') return answer
  const left = Math.max(1, options.timeout - (performance.now() - start))
  const late = await overTcp({ ...options, timeout: left })
  return 'class' in late && late.class === 'timeout' ? silence(options.server, options.timeout) : late
}

function overUdp(options: Exchange): Promise<Buffer | DnsFailure | 'use-tcp'> {
  const { server, query, timeout, sends, relevance } = options
  return conclude<Buffer | 'use-tcp'>(options, (finish, guarded) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    let unrelated = 0
    let sent = 0
    let repeat: NodeJS.Timeout | undefined
    const fail = (error: unknown): void => finish(networkFailure(server, error))
    const send = guarded(() => {
      socket.send(query, (error) => error && fail(error))
      if (++sent >= sends) clearInterval(repeat)
    })
    const connected = guarded((error?: Error) => {
      if (error) return fail(error) // no route to the server: to send on this socket would throw
      if (sends > 1) repeat = setInterval(send, timeout / sends).unref()
      send()
    })

    socket.on('error', fail)
    socket.on(
      'message',
      guarded((message: Buffer) => {
        const what = relevance(message)
        if (what === 'reply') finish(message)
        else if (what === 'truncated' || ++unrelated > MAX_UNRELATED) finish('use-tcp')
      }),
    )
    guarded(() => socket.connect(server.port, server.address, connected))()
    return {
      unref: () => socket.unref(),
      release() {
        clearInterval(repeat)
        socket.close()
      },
    }
  })
}

function overTcp(options: Exchange): Promise<Buffer | DnsFailure> {
  const { server, query, relevance } = options
  return conclude<Buffer>(options, (finish, guarded) => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true })
    const receive = createReceiver()
    socket.on('error', (error) => finish(networkFailure(server, error)))
    socket.on('close', () => finish(networkFailure(server, new Error('connection closed'))))
    socket.on(
      'data',
      guarded((chunk: Buffer) => {
        const message = receive(chunk)
        if (message === undefined) return
        if (relevance(message) === 'reply') finish(message)
        else finish({ class: 'malformed', text: `answer over TCP to another question from ${describeServer(server)}` })
      }),
    )
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    guarded(() => socket.write(Buffer.concat([length, query])))()
    return { unref: () => socket.unref(), release: () => socket.destroy() }
  })
}

/** Takes chunks until they hold a message with its length in front (RFC 1035 §4.2.2), which bounds what is kept; then returns it. */
function createReceiver(): (chunk: Buffer) => Buffer | undefined {
  const chunks: Buffer[] = []
  let received = 0
  let wanted: number | undefined
  return (chunk) => {
    chunks.push(chunk)
    received += chunk.length
    if (received < 2) return undefined
    wanted ??= 2 + Buffer.concat(chunks).readUInt16BE(0)
    return received < wanted ? undefined : Buffer.concat(chunks).subarray(2, wanted)
  }
}

/** What an exchange has opened. */
interface Opened {
  unref(): void
  release(): void
}

/** Makes a callback that does nothing once the exchange is over, and fails the exchange where it throws. */
type Guarded = <Args extends readonly unknown[]>(step: (...args: Args) => void) => (...args: Args) => void

/**
 * What all transports share: the first result counts, a time-out and an exception are results too, and what `begin`
 * opened is released. Nothing may throw into the event loop: an exception there ends the process.
 *
 * @param begin - opens what is needed
 */
function conclude<Result>(
  { server, timeout, signal }: Exchange,
  begin: (finish: (result: Result | DnsFailure) => void, guarded: Guarded) => Opened,
): Promise<Result | DnsFailure> {
  return new Promise((resolve) => {
    let opened: Opened | undefined
    let finished = false
    const release = (): void => {
      try {
        opened?.release()
      } catch {
        // it was closed already
      }
    }
    const finish = (result: Result | DnsFailure): void => {
      if (finished) return
      finished = true
      clearTimeout(limit)
      signal.removeEventListener('abort', unref)
      release()
      resolve(result)
    }
    const guarded: Guarded =
      (step) =>
      (...args) => {
        if (finished) return
        try {
          step(...args)
        } catch (error) {
          finish(networkFailure(server, error))
        }
      }
    const unref = guarded(() => {
      limit.unref()
      opened?.unref()
    })

    const limit = setTimeout(() => finish(silence(server, timeout)), timeout)
    signal.addEventListener('abort', unref)
    guarded(() => {
      opened = begin(finish, guarded)
      if (finished) release() // by an exception in between
    })()
    if (signal.aborted) unref()
  })
}

function silence(server: NameServer, timeout: number): DnsFailure {
  return { class: 'timeout', text: `no answer within ${formatSeconds(timeout)} from ${describeServer(server)}` }
}

function formatSeconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(1))} s`
}

function networkFailure(server: NameServer, error: unknown): DnsFailure {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
  return { class: 'network', text: `${code} from ${describeServer(server)}` }
}
