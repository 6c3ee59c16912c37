/**
 * One HTTP request over a connection that is already there: no redirects, no cookies, no cache, no proxy, no second request (T14).
 *
 * @module
 */

import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
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
  try {
    const outgoing = request({
      createConnection: () => socket,
      method: wanted.method,
      path: wanted.path,
      headers: { host, connection: 'close', ...wanted.headers, ...lengthOf(wanted.body) },
      maxHeaderSize: 16_384,
    })
    outgoing.on('error', () => undefined) // one that comes after we have given up
    // nobody has asked for another protocol: it is an answer like any other, which would not be told otherwise
    outgoing.on('upgrade', (response: IncomingMessage) => outgoing.emit('response', response))
    outgoing.end(wanted.body)
    const [response] = (await once(outgoing, 'response', { signal })) as [IncomingMessage]
    answered = true
    response.on('error', () => undefined)
    const { statusCode: status = 0, headers } = response
    const refusal = wanted.refuse(status, headers)
    if (refusal !== undefined) return { ok: false, answered, text: refusal }
    const body = await readBody(response, wanted.largestAnswer, signal)
    return typeof body === 'string'
      ? { ok: false, answered, text: body }
      : { ok: true, answer: { status, headers, body } }
  } catch (error) {
    return { ok: false, answered, text: signal.aborted ? reasonOf(signal) : describe(error) }
  } finally {
    socket.destroy()
  }
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
