/**
 * TLS for outbound sessions: trust anchors and versions. Certificates are judged by us, after the handshake.
 *
 * @module
 */

import {
  createSecureContext,
  DEFAULT_CIPHERS,
  getCACertificates,
  type ConnectionOptions,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls'
import type { AttemptVerdict } from '../policy'
import { errorText } from '../error-text'

/** What Haraka's tls.ini contributes to outbound TLS: a client certificate and ciphers. */
export interface ClientTls {
  readonly key?: Buffer
  readonly cert?: Buffer
  readonly ciphers?: string
  /** mutual_tls or mutual_auth_hosts: Haraka merges a certificate of its own into the options it is given */
  readonly mutual: boolean
}

/** What a handshake is begun with. */
export interface TlsOptions extends ConnectionOptions {
  /** no cipher suite without forward secrecy is offered: that may be why the handshake fails */
  readonly onlyForwardSecrecy?: boolean
}

export type TlsOptionsFor = (verdict: AttemptVerdict) => TlsOptions

/**
 * Options for handshakes that are judged afterwards: no session is ever resumed, since a resumed one presents no
 * certificate, and OpenSSL looks at the chain only.
 *
 * Contexts are made once for each combination of settings: parsing the trust anchors costs more than a handshake.
 *
 * @param readTrustAnchors - gives the PEM text of a `ca-file`; throws where it cannot be read
 */
export function createTlsOptions(client: ClientTls, readTrustAnchors: (file: string) => string): TlsOptionsFor {
  const contexts = new Map<string, SecureContext>()

  return (verdict) => {
    const { serverName, settings } = verdict
    const configured = settings.ciphers ?? client.ciphers
    const ciphers = configured ?? (demandsForwardSecrecy(verdict) ? FORWARD_SECRECY : DEFAULT_CIPHERS)
    const parameters = () => contextParameters(client, settings, ciphers, readTrustAnchors)
    const judgedLater: TlsOptions = {
      onlyForwardSecrecy: ciphers === FORWARD_SECRECY,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(serverName === undefined ? {} : { servername: serverName }),
    }
    // A ready-made context would hide the client certificate that Haraka merges in
    if (client.mutual) return { ...parameters(), ...judgedLater }

    const key = JSON.stringify([settings.minTlsVersion, settings.caFile, ciphers])
    const context = contexts.get(key) ?? createSecureContext(parameters())
    contexts.set(key, context)
    return { ...judgedLater, secureContext: context }
  }
}

/** Without static RSA key exchange: of what OpenSSL offers by default, that alone has no forward secrecy (T29, Q5: RFC 9325 §4.1). */
const FORWARD_SECRECY = `${DEFAULT_CIPHERS}:!kRSA`

/** Where a handshake that fails may lead to clear text, any encryption is better (RFC 7435 §3). */
function demandsForwardSecrecy({ tls, clearTextWithoutStarttls, clearTextAfterFailure }: AttemptVerdict): boolean {
  return tls === 'required' && !clearTextWithoutStarttls && !clearTextAfterFailure
}

function contextParameters(
  { key, cert }: ClientTls,
  { minTlsVersion, caFile }: AttemptVerdict['settings'],
  ciphers: string,
  readTrustAnchors: (file: string) => string,
): ConnectionOptions {
  // OpenSSL 3 speaks TLS 1.0 and 1.1 at security level 0 only
  const isOld = minTlsVersion === 'TLSv1' || minTlsVersion === 'TLSv1.1'
  return {
    minVersion: minTlsVersion,
    ciphers: isOld ? `${ciphers}:@SECLEVEL=0` : ciphers,
    ...(key === undefined || cert === undefined ? {} : { key, cert }),
    ...(caFile === undefined ? {} : { ca: [...getCACertificates('default'), readTrustAnchors(caFile)] }),
  }
}

/** What OpenSSL makes of a client certificate and ciphers: undefined, or its reason to refuse one of them. */
export function faultsOf({
  key,
  cert,
  ciphers,
}: ClientTls): Readonly<Record<'key' | 'cert' | 'ciphers', string | undefined>> {
  const faults = {
    key: key && refusalOf({ key }),
    cert: cert && refusalOf({ cert }),
    ciphers: ciphers === undefined ? undefined : refusalOf({ ciphers }),
  }
  if (key === undefined || cert === undefined || faults.key !== undefined || faults.cert !== undefined) return faults
  return { ...faults, key: refusalOf({ key, cert }) }
}

/** OpenSSL's reason, without the names of its source files. */
function refusalOf(options: SecureContextOptions): string | undefined {
  try {
    createSecureContext(options)
    return undefined
  } catch (error) {
    if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason
    return errorText(error)
  }
}
