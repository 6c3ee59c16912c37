/**
 * The TLS handshake of a session, bounded in time, and what is to be known of the peer behind it.
 *
 * @module
 */

import type { EventEmitter } from 'node:events'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { TlsPeer } from './peer'
import { ReplyError, type ReplyReader } from './smtp-reply'

/** A connected socket that can be upgraded to TLS in place, as Haraka's wrapper can. */
export interface SmtpSocket {
  /** emits data, error, end and close: of the plain socket, and after the upgrade of the TLS socket */
  readonly events: EventEmitter
  write(data: string): unknown
  upgrade(options: ConnectionOptions, secured: () => void): void
  /** the TLS socket on top, from the upgrade on */
  secureSocket(): TLSSocket | undefined
}

/**
 * Upgrades a socket to TLS.
 *
 * @param reader - of the replies before: it tells when the connection breaks
 * @throws {@link UnusableOptions}, or what went wrong with the handshake
 */
export async function shakeHands(
  socket: SmtpSocket,
  reader: ReplyReader,
  options: ConnectionOptions,
  milliseconds: number,
): Promise<TlsPeer> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new ReplyError('timeout', 'the TLS handshake took too long')), milliseconds)
      void reader.broken.then(reject)
      startTls(socket, options, () => {
        const secure = socket.secureSocket()
        try {
          if (secure !== undefined) resolve(describePeer(secure))
        } catch (error) {
          reject(new Error(messageOf(error))) // thrown out of an event it would end the process
        }
      })
    })
  } finally {
    clearTimeout(timer)
  }
}

/** The peer had no part in it: our key, certificate, ciphers or trust anchors are of no use. */
export class UnusableOptions extends Error {}

function startTls(socket: SmtpSocket, options: ConnectionOptions, secured: () => void): void {
  try {
    socket.upgrade(options, secured)
  } catch (error) {
    throw new UnusableOptions(messageOf(error))
  }
}

/** A chain longer than this is nobody's. */
const MAX_CHAIN = 32

/** Reads the peer's chain. To be called once, inside the upgrade's callback: Node ≤ 24 empties it at the first reading. */
function describePeer(socket: TLSSocket): TlsPeer {
  const chain: Uint8Array[] = []
  let x509 = socket.getPeerX509Certificate()
  while (x509 !== undefined && chain.length < MAX_CHAIN) {
    chain.push(x509.raw)
    x509 = x509.issuerCertificate
  }
  const keyInfo = socket.getEphemeralKeyInfo()
  return {
    chain,
    // OpenSSL's code as a string, whatever the declarations say
    chainError: socket.authorized ? undefined : String(socket.authorizationError),
    protocol: socket.getProtocol() ?? 'TLS',
    cipher: socket.getCipher().name,
    keyExchange: keyInfo !== null && 'name' in keyInfo ? keyInfo.name : undefined,
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
