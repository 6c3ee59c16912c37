/**
 * An HTTPS endpoint that TLS reports are posted to (RFC 8460 §5.4), on an address and port of its own.
 *
 * @module
 */
import { once } from 'node:events'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Identity } from '../internet/behaviour.ts'

export interface Posted {
  readonly path: string
  readonly method: string
  readonly contentType: string
  readonly body: Buffer
}

export interface Receiver {
  readonly port: number
  readonly posted: readonly Posted[]
  /** The status that it answers from now on; at first 201. With silence it takes what comes, and says nothing. */
  readonly answer: (status: number | 'silence') => void
  readonly stop: () => Promise<void>
}

export async function startReceiver(identity: Identity, address = '127.0.0.1'): Promise<Receiver> {
  const posted: Posted[] = []
  let status: number | 'silence' = 201
  const server = https.createServer(identity, (request, response) => {
    const { url: path = '', method = '', headers } = request
    void buffer(request).then((body) => {
      posted.push({ path, method, contentType: headers['content-type'] ?? '', body })
      if (status !== 'silence') response.writeHead(status).end()
    })
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, address)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    posted,
    answer: (answered) => void (status = answered),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
