/**
 * What a scripted mail server may be told to do.
 *
 * @module
 */
import type { SecureVersion } from 'node:tls'
import type { Reply } from './reply.ts'

/** A private key and the certificates that are presented with it, leaf first, as PEM. */
export interface Identity {
  readonly key: string
  readonly cert: string
}

/** `reset` comes right behind the 220, `reset-after-client-hello` in the middle; `alert` is handshake_failure. */
export type Handshake = 'normal' | 'reset' | 'reset-after-client-hello' | 'silence' | 'alert' | 'garbage'

/** How a server behaves. What is left out is done as it should be. */
export interface Behaviour {
  readonly name: string
  readonly identity: Identity
  /** presented to those who ask for this name by SNI */
  readonly identities?: Readonly<Record<string, Identity>>
  readonly lmtp?: boolean
  /** STARTTLS is offered: true, unless said otherwise */
  readonly offersTls?: boolean
  /** EHLO keywords, and those that are added once the session is encrypted */
  readonly capabilities?: readonly string[]
  readonly capabilitiesOnTls?: readonly string[]
  readonly offersAuth?: 'never' | 'on-tls' | 'always'
  readonly handshake?: Handshake
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
  /** as OpenSSL lists them */
  readonly ciphers?: string
  readonly clientCertificate?: 'requested' | 'required'
  readonly greeting?: Reply
  /** EHLO and LHLO, before TLS */
  readonly ehlo?: Reply
  readonly ehloOnTls?: Reply
  readonly helo?: Reply
  /** a handshake follows when it begins with 220 */
  readonly starttls?: Reply
  readonly auth?: Reply
  readonly mail?: Reply
  /** the same for all, or by address; an address without a reply is accepted */
  readonly rcpt?: Reply | Readonly<Record<string, Reply>>
  readonly data?: Reply
  /** to the whole message; LMTP: for each recipient, by address as in `rcpt` */
  readonly message?: Reply | Readonly<Record<string, Reply>>
  readonly quit?: Reply
  /** milliseconds before every reply */
  readonly delay?: number
}
