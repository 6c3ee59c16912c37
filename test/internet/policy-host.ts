/**
 * The policy hosts of the private internet (RFC 8461 §3.3): one HTTPS server that answers for each of them as it is told.
 *
 * @module
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import https from 'node:https'
import tls from 'node:tls'
import type { Identity } from './behaviour.ts'

/** What a policy host says. Everything but the text is as it should be, unless said otherwise. */
export interface PolicyAnswer {
  readonly text: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** milliseconds before the answer */
  readonly delay?: number
  /** instead of an answer; `drip`: a byte now and then, `cut-off`: half of what was announced */
  readonly instead?: 'silence' | 'reset' | 'drip' | 'cut-off'
}

export interface PolicyRequest {
  readonly host: string
  readonly path: string
  readonly servername: string | undefined
  /** milliseconds since the epoch */
  readonly at: number
}

export interface PolicyHosts {
  readonly address: string
  readonly port: number
  readonly requests: readonly PolicyRequest[]
  /** the name that each client asked for by SNI, also where it then had no request */
  readonly handshakes: readonly string[]
  /** Nobody listens there. */
  readonly deserted: string
  /** What a host answers from now on. */
  readonly serve: (host: string, identity: Identity, answer: PolicyAnswer) => void
  readonly stop: () => Promise<void>
}

/**
 * Starts the server for all policy hosts on one address.
 *
 * @param network - the first octets of addresses that nobody else has, "127.5.255"
 * @param wanted - its port; 0: a free one
 */
export async function startPolicyHosts(network: string, wanted = 0): Promise<PolicyHosts> {
  const address = `${network}.1`
  const hosts = new Map<string, { context: tls.SecureContext; answer: PolicyAnswer }>()
  const requests: PolicyRequest[] = []
  const handshakes: string[] = []

  const server = https.createServer(
    {
      SNICallback: (name, done) => {
        handshakes.push(name)
        done(null, hosts.get(name)?.context)
      },
    },
    (request, response) => {
      const host = (request.headers.host ?? '').replace(/:\d+$/, '')
      const { servername } = request.socket as { servername?: string | false }
      const name = typeof servername === 'string' ? servername : undefined
      requests.push({ host, path: request.url ?? '', servername: name, at: Date.now() })
      const answer = hosts.get(host)?.answer ?? { text: '', status: 404 }
      setTimeout(() => respond(response, answer), answer.delay ?? 0)
    },
  )
  server.on('tlsClientError', () => undefined) // a client that does not trust us: the test sees it at the other end
  server.listen(wanted, address)
  await once(server, 'listening')

  const bound = server.address()
  return {
    address,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    requests,
    handshakes,
    deserted: `${network}.2`,
    serve: (host, identity, answer) => hosts.set(host, { context: tls.createSecureContext(identity), answer }),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Milliseconds between the bytes of one that drips. */
const DRIP = 100

function respond(response: ServerResponse, { text, status = 200, headers, instead }: PolicyAnswer): void {
  if (instead === 'silence') return
  if (instead === 'reset') {
    response.socket?.destroy()
    return
  }
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text), ...headers })
  if (instead === 'cut-off') response.write(text.slice(0, text.length / 2), () => response.socket?.destroy())
  else if (instead === 'drip') drip(response, text)
  else response.end(text)
}

function drip(response: ServerResponse, text: string): void {
  const bytes = text[Symbol.iterator]()
  const timer = setInterval(() => {
    const { value } = bytes.next()
    if (value === undefined) response.end()
    else response.write(value)
  }, DRIP)
  response.on('close', () => clearInterval(timer))
}
