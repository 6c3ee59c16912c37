/**
 * Reports by POST (RFC 8460 §5.4): from anyone, since the sender cannot be told. The body is the report, JSON or gzip; it counts only
 * where unsigned reports count, and a 2xx means that it has been kept.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { clientOf } from '../runtime/clients'
import { quote } from '../lib/dns'
import { readReport, type RefusalCode } from '../lib/tlsrpt/parsing'
import { errorText } from '../lib/error-text'
import { MINUTE } from '../lib/time'
import { keepReport } from './keeping'
import { createRateLimit } from './rate-limit'
import type { Reader } from './reading'

export interface Endpoint {
  /** as in a URL */
  readonly path: string
  readonly reader: () => Reader
}

interface Reply {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

const LIMITS = { ofOne: 100, ofAll: 1000, span: 10 * MINUTE }
/** Bodies that are received at once in one process, from one client and from all; and how long each may take, in milliseconds. */
const AT_ONCE = { ofOne: 5, ofAll: 20 }
const BODY_TIMEOUT = 60_000
const LATER = { 'Retry-After': '600' }

const TYPES = /^application\/(?:tlsrpt\b.*|json|(?:x-)?gzip|octet-stream)$/

const TOO_LARGE: ReadonlySet<RefusalCode> = new Set([
  'too-large',
  'element-too-large',
  'too-many-policies',
  'too-many-details',
])

/** @param endpoint - as it is now; undefined: no reports are accepted */
export function createIntake(
  endpoint: () => Endpoint | undefined,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const rate = createRateLimit(LIMITS, () => performance.now())
  const receiving: string[] = []
  const isBusy = (client: string): boolean =>
    receiving.length >= AT_ONCE.ofAll || receiving.filter((other) => other === client).length >= AT_ONCE.ofOne
  return (request, response, next) => {
    const now = endpoint()
    if (now?.path !== pathOf(request)) return next()
    const reader = now.reader()
    const refusal = refusalOf(request, reader) ?? (rate.allows(addressOf(request)) ? undefined : tooMany)
    if (refusal !== undefined) return send(response, refusal)
    const client = clientOf(addressOf(request))
    if (isBusy(client)) return send(response, busy)
    receiving.push(client)
    void receive(request, reader)
      .then((reply) => send(response, reply))
      .catch(() => response.destroy()) // an unhandled rejection ends the process
      .finally(() => receiving.splice(receiving.indexOf(client), 1))
  }
}

const tooMany: Reply = { status: 429, text: 'too many reports', headers: LATER }
const busy: Reply = { status: 503, text: 'too many reports at once', headers: LATER }

/** What can be said before the body has come. */
function refusalOf({ method, headers }: IncomingMessage, reader: Reader): Reply | undefined {
  if (method !== 'POST') return { status: 405, text: 'reports come by POST', headers: { Allow: 'POST' } }
  // only browsers say so: no page can have its visitors send reports, from within a network or past the limit for one client
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
    return { status: 403, text: 'reports are sent by servers, not by pages' }
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  if (type !== '' && !TYPES.test(type.trim().toLowerCase()))
    return { status: 415, text: 'a report is application/tlsrpt+gzip or application/tlsrpt+json' }
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (!['identity', 'gzip', 'x-gzip'].includes(coding)) return { status: 415, text: 'no other coding than gzip' }
  return Number(headers['content-length'] ?? 0) > reader.settings.maxSize ? tooLarge(reader) : undefined
}

function tooLarge({ settings }: Reader): Reply {
  return { status: 413, text: `no more than ${settings.maxSize} bytes` }
}

/** Reads the body and keeps the report. Never rejects. */
async function receive(request: IncomingMessage, reader: Reader): Promise<Reply> {
  const from = `POST from ${addressOf(request)}`
  const timer = setTimeout(() => request.destroy(new Error('no time left')), BODY_TIMEOUT)
  try {
    const now = Date.now()
    // the answer needs the connection, also where the body is not read to its end
    const body = request.iterator({ destroyOnReturn: false })
    const reading = await readReport(body, { maxSize: reader.settings.maxSize, now })
    if (!reading.ok) {
      const { code, text } = reading.refusal
      reader.log('info', `${from}: no TLS report that can be read: ${code}: ${text}`)
      reader.count('invalid')
      return { status: TOO_LARGE.has(code) ? 413 : 400, text: `${code}: ${text}` }
    }
    const { report, notes } = reading
    // a policy without a domain is about nobody that can be told: kept, as from a mail, and counted nowhere
    if (!report.policies.some((policy) => policy.domain === undefined || reader.isOurs(policy))) {
      reader.log('info', `${from}: a TLS report about no domain of ours, of ${quote(report.organization)}`)
      reader.count('foreign')
      return { status: 422, text: 'about no domain that mail is taken for here' }
    }
    const arrival = { report, notes, receivedAt: now, source: 'https', signedBy: undefined } as const
    const { state } = await keepReport(reader, arrival, from, 'by POST, from anyone')
    if (state === 'lost') return { status: 503, text: 'not kept, try again later', headers: LATER }
    return { status: state === 'new' ? 201 : 200, text: state }
  } catch (error) {
    reader.log('info', `${from}: ${errorText(error)}`)
    return { status: 400, text: 'the body did not come whole' }
  } finally {
    clearTimeout(timer)
    request.resume() // what is left of it would be in the way of the next request
  }
}

function send(response: ServerResponse, { status, text, headers = {} }: Reply): void {
  if (response.destroyed || response.headersSent) return
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=us-ascii',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...headers,
  })
  response.end(`${text}\n`)
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?')[0] ?? ''
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? 'nowhere'
}
