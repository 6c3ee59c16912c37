/**
 * A mail server that presents whatever chain it is told to, in a process of its own: its CPU time is not that of a client.
 *
 * @module
 */
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'

process.once('message', ({ cert, key }: { cert: string; key: string }) => {
  const server = createServer({ cert, key, ciphers: 'DEFAULT:@SECLEVEL=0' }, (socket) =>
    socket.on('error', () => undefined),
  )
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
})
