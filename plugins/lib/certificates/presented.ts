/**
 * The certificates that a server presented, in DER. Node has three ways to ask for them, and each has its fault:
 *
 * | | for each connection, chain of three | fault |
 * |---|---|---|
 * | `getPeerCertificate()` | 0.5 to 1 ms | crashes on some curves (curves.ts) |
 * | `getPeerCertificate(true)` | 1 to 3 ms | crashes, leaves certificates out, adds local ones |
 * | `getPeerX509Certificate()` | 0.5 ms | before Node 26 leaks every issuer, 17 kB, and can be asked once only |
 * | `getSession()` | 0.1 ms | has the end entity only |
 *
 * So before Node 26 the end entity is read out of the session, for every connection. The whole chain is read only where it decides,
 * for TLSA records with usage 2 (RFC 7672 §3.1.2), and what that leaks is bounded.
 *
 * @module
 */

import { TLSSocket, type DetailedPeerCertificate } from 'node:tls'
import { constructed, readInside, readOne, Tag } from '../dane'
import { crashesOnCurves } from './curves'

const { node } = process.versions
const leaks = Number(node.split('.')[0]) < 26

/** The end entity's certificate; undefined where none was presented. */
export function endEntityOf(socket: TLSSocket): Uint8Array | undefined {
  const leaf = leaks ? endEntityIn(socket.getSession()) : undefined
  return leaf ?? socket.getPeerX509Certificate()?.raw // of a session that we cannot read, at the cost of the leak
}

/** What Node 24.22 puts before a session: this, and the host, behind its length in two octets. */
const ENVELOPE = Buffer.from('\0nodejs:tls:session:1\0')

/** The field `peer [3]` of OpenSSL's SSL_SESSION (ssl/ssl_asn1.c). */
function endEntityIn(session: Buffer | undefined): Uint8Array | undefined {
  if (session === undefined) return undefined
  const start = session.indexOf(ENVELOPE) === 0 ? ENVELOPE.length + 2 + session.readUInt16BE(ENVELOPE.length) : 0
  const fields = readInside(readOne(session.subarray(start)), Tag.sequence)
  const peer = fields?.find(({ tag }) => tag === constructed(3))?.content
  return peer && Uint8Array.from(peer) // the session around it has secrets
}

/** No honest server presents a longer chain. */
const MAX_CHAIN = 32

/** Octets that a process may lose to {@link presentedChain}: some thousand honest chains. */
const MAX_LEAKED = 64 * 1024 * 1024
/** Octets that are lost for each octet of an issuer: 8 kB for one of 771 octets. */
const LEAK_FACTOR = 10
let leaked = 0

/**
 * All certificates that were presented, the end entity first. To be called once for a connection, and not after
 * `getPeerX509Certificate()`: Node before 26 empties OpenSSL's list at the first reading.
 *
 * What it leaks there is bounded. Past the bound only those are returned that lead from the end entity upwards: where a
 * chain has two issuers of one name, the second is missing, so that DANE-TA may fail, closed, for such a chain.
 */
export function presentedChain(socket: TLSSocket): readonly Uint8Array[] {
  if (leaks && leaked >= MAX_LEAKED && !crashesOnCurves(node)) return linkedChain(socket)
  const chain: Uint8Array[] = []
  let x509 = socket.getPeerX509Certificate()
  while (x509 !== undefined && chain.length < MAX_CHAIN) {
    chain.push(x509.raw)
    x509 = x509.issuerCertificate
  }
  for (const { length } of chain.slice(1)) leaked += length * LEAK_FACTOR
  return chain
}

/** May end with a local certificate that was not presented: it proves as much as if it had been. */
function linkedChain(socket: TLSSocket): readonly Uint8Array[] {
  const described = new Set<DetailedPeerCertificate>()
  const top = TLSSocket.prototype.getPeerCertificate.call(socket, true) as Partial<DetailedPeerCertificate>
  for (let one = top; isDescribed(one) && !described.has(one); one = one.issuerCertificate) described.add(one)
  return [...described].map(({ raw }) => raw)
}

/** Node describes a missing certificate as an empty object, or not at all. */
function isDescribed(one: Partial<DetailedPeerCertificate> | undefined): one is DetailedPeerCertificate {
  return one?.raw !== undefined
}

/**
 * For `getPeerCertificate` of a socket whose peer is judged by us, before the handshake. Node calls it for
 * `checkServerIdentity`, which does not look, and Haraka for a line of its log: a fifteenth of what a delivery costs.
 *
 * @returns what Node itself answers where there is no certificate
 */
export function describeNothing(): DetailedPeerCertificate {
  return {} as DetailedPeerCertificate
}

/**
 * What OpenSSL found wrong with the chain, names apart: a code such as CERT_HAS_EXPIRED, or its own sentence where Node.js
 * has no code for it, such as "EE certificate key too weak". Undefined: it leads to a trusted root.
 */
export function chainErrorOf(socket: TLSSocket): string | undefined {
  if (socket.authorized) return undefined
  const code = String(socket.authorizationError) // a string, whatever the declarations say
  if (code !== 'UNSPECIFIED') return code
  const { _handle } = socket as { readonly _handle?: { readonly verifyError?: () => Error | null } }
  return _handle?.verifyError?.()?.message ?? 'it cannot be used'
}
