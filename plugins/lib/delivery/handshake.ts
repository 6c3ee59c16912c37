/**
 * The TLS handshake of a session, bounded in time, and what is to be known of the peer behind it.
 *
 * @module
 */

import type { EventEmitter } from 'node:events'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { chainErrorOf, describeNothing, endEntityOf, presentedChain } from '../certificates'
import { errorText } from '../error-text'
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
          reject(new Error(errorText(error))) // thrown out of an event it would end the process
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
    throw new UnusableOptions(errorText(error))
  }
  const secure = socket.secureSocket()
  if (secure !== undefined) secure.getPeerCertificate = describeNothing
}

function describePeer(socket: TLSSocket): TlsPeer {
  const leaf = endEntityOf(socket)
  let chain: readonly Uint8Array[] | undefined
  const keyInfo = socket.getEphemeralKeyInfo()
  return {
    leaf,
    chain: () => (chain ??= leaf === undefined ? [] : chainOf(socket, leaf)),
    chainError: chainErrorOf(socket),
    protocol: socket.getProtocol() ?? 'TLS',
    cipher: socket.getCipher().name,
    keyExchange: keyInfo !== null && 'name' in keyInfo ? keyInfo.name : undefined,
  }
}

/** Where the issuers cannot be read, also since the connection is gone, they are as good as not presented. */
function chainOf(socket: TLSSocket, leaf: Uint8Array): readonly Uint8Array[] {
  try {
    const chain = presentedChain(socket)
    return chain.length === 0 ? [leaf] : chain
  } catch {
    return [leaf]
  }
}
