/**
 * The server's side of a TLS handshake, as it should be and as it should not.
 *
 * @module
 */
import type { Socket } from 'node:net'
import tls from 'node:tls'
import type { Behaviour, Identity } from './behaviour.ts'
import { liesOn, resetConnection } from './reply.ts'

/** The handshakes that come to nothing; always rejects, saying which one it was. */
export async function breakHandshake(socket: Socket, behaviour: Behaviour): Promise<never> {
  if (behaviour.handshake === 'reset') resetConnection(socket)
  else {
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve())
      socket.once('close', () => reject(new Error('closed before the client hello')))
      socket.resume()
    })
    if (behaviour.handshake === 'reset-after-client-hello') resetConnection(socket)
    if (behaviour.handshake === 'alert') socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 40]))
    if (behaviour.handshake === 'garbage') socket.end('this is no TLS record\r\n')
  }
  throw new Error(`handshake: ${behaviour.handshake ?? 'normal'}`)
}

const contexts = new WeakMap<Behaviour, Map<Identity, tls.SecureContext>>()

function contextFor(behaviour: Behaviour, identity: Identity): tls.SecureContext {
  const known = contexts.get(behaviour) ?? new Map<Identity, tls.SecureContext>()
  const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' } = behaviour
  const old = maxVersion === 'TLSv1' || maxVersion === 'TLSv1.1'
  const context =
    known.get(identity) ??
    tls.createSecureContext({
      ...identity,
      minVersion: old ? 'TLSv1' : minVersion,
      maxVersion,
      ...(behaviour.ciphers !== undefined && { ciphers: behaviour.ciphers }),
      ...(old && { ciphers: 'DEFAULT@SECLEVEL=0' }), // OpenSSL 3 signs no SHA-1 handshake above
    })
  contexts.set(behaviour, known.set(identity, context))
  return context
}

/** The handshake as it should be. Rejects when it fails. */
export async function handshake(socket: Socket, behaviour: Behaviour): Promise<tls.TLSSocket> {
  const secure = new tls.TLSSocket(socket, {
    isServer: true,
    secureContext: contextFor(behaviour, behaviour.identity),
    requestCert: behaviour.clientCertificate !== undefined,
    rejectUnauthorized: behaviour.clientCertificate === 'required',
    SNICallback: (name, done) => {
      const identity = behaviour.identities?.[name]
      done(null, identity && contextFor(behaviour, identity))
    },
  })
  liesOn(secure, socket)
  return new Promise((resolve, reject) => {
    secure.once('secure', () => resolve(secure))
    secure.once('close', () => reject(new Error('closed during the handshake')))
    secure.once('error', reject)
    secure.on('error', () => secure.destroy())
  })
}
