/**
 * What is answered, and how it travels: nothing is cached, nothing is loaded from anywhere, nothing is executed.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { STYLE } from './style'

export interface Reply {
  readonly status: number
  /** the media type */
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** The page's style is in the page, so that the login form needs nothing else. Nothing but this very text is taken for one. */
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  'img-src data:', // the icon
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin', // with none at all, browsers would not say where a form of ours comes from
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-Robots-Tag': 'noindex, nofollow',
}

/** Writes an answer, whole. A request with HEAD gets all but its body. */
export function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.removeHeader('X-Powered-By')
  const charset = typeof body === 'string' && !type.includes('charset') ? '; charset=utf-8' : ''
  response.writeHead(status, {
    ...HEADERS,
    'Content-Type': `${type}${charset}`,
    'Content-Length': bytes.length,
    ...headers,
  })
  response.end(bytes)
}

export function jsonReply(status: number, value: object, headers?: Reply['headers']): Reply {
  const body = `${JSON.stringify(value, null, 2)}\n`
  return { status, type: 'application/json', body, ...(headers && { headers }) }
}

/** What a program is told where there is no answer. */
export function jsonError(status: number, text: string, headers?: Reply['headers']): Reply {
  return jsonReply(status, { schema: 1, error: text }, headers)
}
