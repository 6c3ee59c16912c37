/**
 * The policy hosts of the private internet (RFC 8461 §3.3): one HTTPS server that answers for each of them as it is told.
 *
 * @module
 */
import { once } from 'node:events'
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
  /** instead of an answer */
  readonly instead?: 'silence' | 'reset'
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
  /** What a host answers from now on. */
  readonly serve: (host: string, identity: Identity, answer: PolicyAnswer) => void
  readonly stop: () => Promise<void>
}

/** Starts the server for all policy hosts on one address. */
export async function startPolicyHosts(address: string): Promise<PolicyHosts> {
  const hosts = new Map<string, { context: tls.SecureContext; answer: PolicyAnswer }>()
  const requests: PolicyRequest[] = []

  const server = https.createServer(
    { SNICallback: (name, done) => done(null, hosts.get(name)?.context) },
    (request, response) => {
      const host = (request.headers.host ?? '').replace(/:\d+$/, '')
      const { servername } = request.socket as { servername?: string | false }
      const name = typeof servername === 'string' ? servername : undefined
      requests.push({ host, path: request.url ?? '', servername: name, at: Date.now() })
      const answer = hosts.get(host)?.answer ?? { text: '', status: 404 }
      if (answer.instead === 'silence') return
      if (answer.instead === 'reset') {
        request.socket.destroy()
        return
      }
      setTimeout(() => {
        response.writeHead(answer.status ?? 200, { 'content-type': 'text/plain', ...answer.headers }).end(answer.text)
      }, answer.delay ?? 0)
    },
  )
  server.on('tlsClientError', () => undefined) // a client that does not trust us: the test sees it at the other end
  server.listen(0, address)
  await once(server, 'listening')

  const bound = server.address()
  return {
    address,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    requests,
    serve: (host, identity, answer) => hosts.set(host, { context: tls.createSecureContext(identity), answer }),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
