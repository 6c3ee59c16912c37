/**
 * A TLS connection to a host that has proved its name (RFC 9110 §4.3.4).
 *
 * @module
 */

import { once } from 'node:events'
import { connect, type SecureContext, type TLSSocket } from 'node:tls'
import { chainErrorOf, describeNothing, endEntityOf, readCertificate } from '../certificates'
import { errorText } from '../error-text'

export interface HttpsTarget {
  readonly host: string
  /** an IP address: no name is looked up any more, so what was checked is what is connected to */
  readonly address: string
  readonly port: number
  readonly trust: SecureContext
}

/**
 * Why there is no answer.
 *
 * - `certificate`: the host does not prove its name
 * - `other`: names, connections, TLS versions, HTTP; and no time left
 */
export interface HttpsFailure {
  readonly kind: 'certificate' | 'other'
  /** for people; remote text in it is quoted and cut */
  readonly text: string
}

export type Connected =
  { readonly ok: true; readonly socket: TLSSocket } | { readonly ok: false; readonly failure: HttpsFailure }

/**
 * Connects to one address of a host and checks its certificate before anything is sent (T13): a chain to a trusted root, the dates, the
 * name as DNS-ID.
 *
 * @param signal - gives up when it aborts; its reason is then the failure's text
 */
export async function connectTo(target: HttpsTarget, signal: AbortSignal): Promise<Connected> {
  const socket = connect({
    host: target.address,
    port: target.port,
    servername: target.host, // T20
    secureContext: target.trust,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false, // judged below, where the reason can be told
    checkServerIdentity: () => undefined, // it accepts a common name
  })
  socket.getPeerCertificate = describeNothing
  socket.on('error', ignore) // one that comes after we have given up
  try {
    await once(socket, 'secureConnect', { signal })
  } catch (error) {
    socket.destroy()
    return refuse(connectFailure(error, signal))
  }

  const problem = certificateProblem(socket, target.host)
  if (problem === undefined) return { ok: true, socket }
  socket.destroy()
  return refuse({ kind: 'certificate', text: `certificate refused: ${problem}` })
}

function refuse(failure: HttpsFailure): Connected {
  return { ok: false, failure }
}

/** What is wrong with the certificate, if anything. */
function certificateProblem(socket: TLSSocket, host: string): string | undefined {
  const der = endEntityOf(socket)
  if (der === undefined) return 'none was presented'
  const chainError = chainErrorOf(socket)
  if (chainError !== undefined) return chainError
  const certificate = readCertificate(der)
  if (certificate === undefined) return 'it cannot be parsed'
  const named = certificate.checkHost(host, { subject: 'never', partialWildcards: false })
  return named === undefined ? `it is not for ${host}` : undefined
}

function connectFailure(error: unknown, signal: AbortSignal): HttpsFailure {
  if (signal.aborted) return { kind: 'other', text: reasonOf(signal) }
  const { code = '', message } = error as NodeJS.ErrnoException
  if (/^ERR_SSL|^ERR_TLS|^EPROTO$/.test(code)) return { kind: 'other', text: `TLS handshake failed: ${code}` }
  return { kind: 'other', text: code === '' ? message : code }
}

/** Why a signal aborted, in words. */
export function reasonOf(signal: AbortSignal): string {
  return errorText(signal.reason)
}

function ignore(): void {
  // no caller is left to tell
}
