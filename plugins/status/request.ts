/**
 * What is asked for.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { StatusSettings } from '../lib/settings'
import type { Visit } from './access'

export interface Request {
  readonly visit: Visit
  readonly settings: StatusSettings
  readonly target: 'page' | 'api' | 'metrics'
  /** what is asked for within the target, in its parts, decoded: `destinations`, `example.org` */
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

const LONGEST_URL = 4096

/** Reads a request; undefined: it is not for us. */
export function readRequest(message: IncomingMessage, settings: StatusSettings): Request | undefined {
  const [path = '', query = ''] = (message.url ?? '').slice(0, LONGEST_URL).split('?', 2)
  const visit = visitOf(message)
  const rest = { visit, settings, query: new URLSearchParams(query) }
  if (path === '/metrics') return settings.metrics ? { ...rest, target: 'metrics', parts: [] } : undefined
  if (path !== settings.path && !path.startsWith(`${settings.path}/`)) return undefined

  const parts = path.slice(settings.path.length).split('/').slice(1).map(decode)
  if (parts.at(-1) === '') parts.pop()
  // reports of others may come this way: the plugin analysis takes them
  if (visit.method === 'POST' && parts.join('/') === 'report') return undefined
  if (parts[0] === 'api') return { ...rest, target: 'api', parts: parts.slice(1) }
  return { ...rest, target: 'page', parts }
}

function visitOf({ method = '', httpVersion, headers, headersDistinct, socket }: IncomingMessage): Visit {
  // of several Host fields the first is in `headers`, while a proxy may have gone by another (RFC 9112 §3.2)
  const isOneHost = headersDistinct.host?.length === 1
  return {
    ...{ method, httpVersion, remoteAddress: socket.remoteAddress, encrypted: socket instanceof TLSSocket },
    headers: isOneHost ? headers : { ...headers, host: undefined },
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Whether it changes nothing. */
export function isReading({ visit }: Request): boolean {
  return visit.method === 'GET' || visit.method === 'HEAD'
}

const LONGEST_FORM = 4096

/** The fields of a form that is sent; undefined: it is none that we know, or has not come whole. */
export async function readForm(message: IncomingMessage): Promise<URLSearchParams | undefined> {
  const type = message.headers['content-type'] ?? ''
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(type)) return undefined
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > LONGEST_FORM) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined // whoever sent it has gone
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
