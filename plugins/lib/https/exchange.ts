/**
 * One HTTP request over a connection that is already there: no redirects, no cookies, no cache, no proxy, no second request (T14).
 *
 * @module
 */

import { once } from 'node:events'
import { request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { quote } from '../dns'
import { reasonOf } from './connect'

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** with its query, as a URL has it */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** What is wrong with an answer, in words; undefined: nothing. Asked before any of its body is read. */
  readonly refuse: (status: number, headers: IncomingHttpHeaders) => string | undefined
  /** the largest body of an answer, in octets; undefined: what there is of one is not read */
  readonly largestAnswer?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** empty where it was not to be read */
  readonly body: Buffer
}

/** `answered` tells whether the host has said anything at all, so that another address need not be asked. */
export type Exchanged =
  | { readonly ok: true; readonly answer: HttpAnswer }
  | { readonly ok: false; readonly answered: boolean; readonly text: string }

/**
 * How many informational responses (1xx, RFC 9110 §15.2) may come before the answer. They are legal in any number, and we have not asked
 * for one: servers send 103 now and then. Node limits the headers of each, not their number.
 */
const MOST_INFORMATIONAL = 10

/**
 * How much a host may send altogether: octets. Node limits single headers, trailers and chunk extensions, not their sum. The largest
 * body, 64 KiB, in chunks of one octet is 384 KiB.
 */
const MOST_OCTETS = 1_048_576

/**
 * Sends a request and reads the answer. The connection is closed behind it.
 *
 * @param host - what the Host header says
 * @param signal - gives up when it aborts
 */
export async function exchange(
  socket: Duplex,
  host: string,
  wanted: HttpRequest,
  signal: AbortSignal,
): Promise<Exchanged> {
  let answered = false
  const excess = new AbortController()
  const stop = AbortSignal.any([signal, excess.signal])
  try {
    const outgoing = request({
      createConnection: () => socket,
      method: wanted.method,
      path: wanted.path,
      headers: { host, connection: 'close', ...wanted.headers, ...lengthOf(wanted.body) },
      maxHeaderSize: 16_384,
    })
    outgoing.on('error', () => undefined) // one that comes after we have given up
    // we have not asked for another protocol: it is an answer like any other, which would not be told otherwise
    outgoing.on('upgrade', (response: IncomingMessage) => outgoing.emit('response', response))
    limitAnswer(outgoing, excess)
    outgoing.end(wanted.body)
    const [response] = (await once(outgoing, 'response', { signal: stop })) as [IncomingMessage]
    answered = true
    response.on('error', () => undefined)
    const { statusCode: status = 0, headers } = response
    const refusal = wanted.refuse(status, headers)
    if (refusal !== undefined) return { ok: false, answered, text: refusal }
    const body = await readBody(response, wanted.largestAnswer, stop)
    return typeof body === 'string'
      ? { ok: false, answered, text: body }
      : { ok: true, answer: { status, headers, body } }
  } catch (error) {
    return { ok: false, answered, text: stop.aborted ? reasonOf(stop) : describe(error) }
  } finally {
    socket.destroy()
  }
}

/** Aborts as soon as more comes than any answer needs. */
function limitAnswer(outgoing: ClientRequest, excess: AbortController): void {
  let informational = 0
  outgoing.on('information', () => {
    if (++informational > MOST_INFORMATIONAL)
      excess.abort(new Error(`more than ${MOST_INFORMATIONAL} informational responses (1xx)`))
  })
  let octets = 0
  // on 'socket' the parser listens already: nothing that comes early passes it by
  outgoing.on('socket', (socket) =>
    socket.on('data', ({ length }: Buffer) => {
      octets += length
      if (octets > MOST_OCTETS) excess.abort(new Error(`more than ${MOST_OCTETS} octets, chunks and headers included`))
    }),
  )
}

function lengthOf(body: Uint8Array | undefined): Readonly<Record<string, string>> {
  return body === undefined ? {} : { 'content-length': String(body.length) }
}

/** @returns a text: why there is none */
async function readBody(
  response: IncomingMessage,
  largest: number | undefined,
  signal: AbortSignal,
): Promise<Buffer | string> {
  if (largest === undefined) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let size = 0
  const stop = (): unknown => response.destroy(new Error(reasonOf(signal)))
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > largest) return `larger than ${largest} octets`
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return quote(code ?? message)
}
