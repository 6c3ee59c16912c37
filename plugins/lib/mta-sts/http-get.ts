/**
 * One HTTP GET over a connection that is already there: no redirects, no cookies, no cache, no proxy, no second request (T14).
 *
 * @module
 */

import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { quote } from '../dns'
import { reasonOf } from './connect'

/** The largest policy: 64 KiB (T16). */
export const LARGEST_POLICY = 65_536

export type Got =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly answered: boolean; readonly text: string }

/**
 * Fetches the body of a 200 answer of type text/plain (T7, T14).
 *
 * @param host - what the Host header says
 * @param signal - gives up when it aborts
 * @returns `answered` tells whether the host has said anything at all, so that another address need not be asked
 */
export async function httpGet(socket: Duplex, host: string, path: string, signal: AbortSignal): Promise<Got> {
  const outgoing = request({
    createConnection: () => socket,
    path,
    headers: { host, accept: 'text/plain', connection: 'close' },
    maxHeaderSize: 16_384,
  })
  outgoing.on('error', () => undefined) // one that comes after we have given up
  let answered = false
  try {
    outgoing.end()
    const [response] = (await once(outgoing, 'response', { signal })) as [IncomingMessage]
    answered = true
    const refusal = refuseHeaders(response)
    return refusal === undefined ? await readBody(response, signal) : { ok: false, answered, text: refusal }
  } catch (error) {
    return { ok: false, answered, text: signal.aborted ? reasonOf(signal) : describe(error) }
  } finally {
    socket.destroy()
  }
}

function refuseHeaders({ statusCode, headers }: IncomingMessage): string | undefined {
  if (statusCode !== 200) return `HTTP status ${statusCode ?? 0}, not 200`
  const type = headers['content-type'] ?? ''
  if (!/^text\/plain[ \t]*(?:;|$)/i.test(type)) return `media type ${quote(type)}, not text/plain` // T7
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') return `content encoding ${quote(encoding)}, which was not asked for`
  return undefined
}

async function readBody(response: IncomingMessage, signal: AbortSignal): Promise<Got> {
  const chunks: Buffer[] = []
  let size = 0
  const stop = (): unknown => response.destroy(new Error(reasonOf(signal)))
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > LARGEST_POLICY) return { ok: false, answered: true, text: `larger than ${LARGEST_POLICY} octets` }
      chunks.push(chunk)
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
  const body = Buffer.concat(chunks)
  if (mayBeCut(response, body))
    return { ok: false, answered: true, text: 'the answer may be cut off: it has no length' }
  return { ok: true, body }
}

/**
 * A body that ends with the connection can be cut off by anyone on the way, for Node does not tell whether TLS was closed properly.
 * Whole lines may then be missing, which a policy's required fields reveal, but a "max_age: 604800" must not become a "max_age: 6".
 */
function mayBeCut({ headers }: IncomingMessage, body: Buffer): boolean {
  const hasEnd = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  return !hasEnd && body.at(-1) !== 0x0a
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return quote(code ?? message)
}
