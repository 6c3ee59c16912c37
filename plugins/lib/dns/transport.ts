/**
 * One query to one name server: over UDP, and over TCP where the answer does not fit (RFC 7766 §5). A socket of its own
 * for each query, opened when it starts and closed when it ends, whichever way that is: thereby a random source port
 * for each, and answers from that server's address only (RFC 5452 §9).
 *
 * @module
 */

import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Failure } from './answer'
import type { Relevance } from './message'
import { type Server, describeServer } from './resolv-conf'

/** What is to be sent where, and what counts as its answer. */
export interface Exchange {
  readonly server: Server
  readonly query: Buffer
  /** milliseconds, for UDP and TCP together */
  readonly timeout: number
  /** how often the datagram is sent within that time, as long as there is no answer */
  readonly sends: number
  readonly relevance: (message: Buffer) => Relevance
  /** ends the exchange */
  readonly signal: AbortSignal
}

/** With so many messages that answer something else, somebody is guessing: TCP is harder to guess. */
const MAX_UNRELATED = 32

/** Sends the query and waits for its answer. Resolves to the message, or to why there is none; never rejects. */
export async function exchange(options: Exchange): Promise<Buffer | Failure> {
  const start = performance.now()
  const answer = await overUdp(options)
  if (answer !== 'use-tcp') return answer
  const left = Math.max(1, options.timeout - (performance.now() - start))
  const late = await overTcp({ ...options, timeout: left })
  return 'class' in late && late.class === 'timeout' ? silence(options.server, options.timeout) : late
}

function overUdp({
  server,
  query,
  timeout,
  sends,
  relevance,
  signal,
}: Exchange): Promise<Buffer | Failure | 'use-tcp'> {
  return conclude<Buffer | Failure | 'use-tcp'>(server, timeout, signal, (finish) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    let unrelated = 0
    let sent = 0
    let repeat: NodeJS.Timeout | undefined
    const send = (): void => {
      socket.send(query, (error) => error && finish(networkFailure(server, error)))
      if (++sent >= sends) clearInterval(repeat)
    }

    socket.on('error', (error) => finish(networkFailure(server, error)))
    socket.on('message', (message) => {
      const what = relevance(message)
      if (what === 'reply') finish(message)
      else if (what === 'truncated' || ++unrelated > MAX_UNRELATED) finish('use-tcp')
    })
    socket.connect(server.port, server.address, () => {
      if (sends > 1) repeat = setInterval(send, timeout / sends)
      send()
    })
    return () => {
      clearInterval(repeat)
      socket.close()
    }
  })
}

function overTcp({ server, query, timeout, relevance, signal }: Exchange): Promise<Buffer | Failure> {
  return conclude<Buffer | Failure>(server, timeout, signal, (finish) => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true })
    const receive = createReceiver()
    socket.on('error', (error) => finish(networkFailure(server, error)))
    socket.on('close', () => finish(networkFailure(server, new Error('connection closed'))))
    socket.on('data', (chunk) => {
      const message = receive(chunk)
      if (message === undefined) return
      if (relevance(message) === 'reply') finish(message)
      else finish({ class: 'malformed', text: `answer over TCP to another question from ${describeServer(server)}` })
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
    return () => socket.destroy()
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

/**
 * What all transports share: the first result counts, time-out and signal are results too, and everything that `begin`
 * opened is released before the promise is.
 *
 * @param begin - opens what is needed and returns what releases it; finishes later, never before it returns
 */
function conclude<Result>(
  server: Server,
  timeout: number,
  signal: AbortSignal,
  begin: (finish: (result: Result | Failure) => void) => () => void,
): Promise<Result | Failure> {
  return new Promise((resolve) => {
    let release: (() => void) | undefined
    let finished = false
    const finish = (result: Result | Failure): void => {
      if (finished) return
      finished = true
      clearTimeout(limit)
      signal.removeEventListener('abort', abort)
      release?.()
      resolve(result)
    }
    const abort = (): void => finish(CLOSED)
    const limit = setTimeout(() => finish(silence(server, timeout)), timeout)
    signal.addEventListener('abort', abort)
    if (signal.aborted) {
      finish(CLOSED)
      return
    }
    try {
      release = begin(finish)
    } catch (error) {
      finish(networkFailure(server, error))
    }
  })
}

export const CLOSED: Failure = { class: 'network', text: 'the resolver was closed' }

function silence(server: Server, timeout: number): Failure {
  return { class: 'timeout', text: `no answer within ${formatSeconds(timeout)} from ${describeServer(server)}` }
}

function formatSeconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(1))} s`
}

function networkFailure(server: Server, error: unknown): Failure {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
  return { class: 'network', text: `${code} from ${describeServer(server)}` }
}
