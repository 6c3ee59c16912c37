/**
 * Why a host or a domain is dealt with as it is: the words and numbers that log, bounce, report and page share.
 *
 * @module
 */

/** Whose rule it was; also what `if-last-error` in a rule matches. */
export type Concern = 'dns' | 'connection' | 'tls' | 'dane' | 'mta-sts' | 'smtp'

/**
 * 4.7.5 for certificates and policies, 4.7.4 for missing STARTTLS, 4.4.3 for DNS, 4.4.1 for hosts that do not answer
 * (RFC 3463). All of them temporary: what a policy refuses today, the right host may satisfy tomorrow. Only a message that
 * requires TLS does not wait for that (Q4): 5.7.10 where no TLS to a proved host came up, else 5.7.30.
 */
export type EnhancedStatus = '4.4.1' | '4.4.2' | '4.4.3' | '4.4.6' | '4.7.4' | '4.7.5' | '5.7.10' | '5.7.30'

/** Stable words, a fixed list: they go into TLS reports as failure-reason-code, into metrics as a label, into rules of thumb. */
export type ReasonCode =
  | 'mx-lookup-failed'
  | 'address-lookup-failed'
  | 'no-address'
  | 'tlsa-lookup-failed'
  | 'dane-required'
  | 'dane-no-match'
  | 'dane-match'
  | 'tlsa-unusable'
  | 'insecure-mx-encrypt'
  | 'sts-required'
  | 'sts-unavailable'
  | 'sts-policy-mx-mismatch'
  | 'sts-policy-enforced'
  | 'starttls-disabled'
  | 'starttls-required'
  | 'starttls-optional'
  | 'starttls-not-offered'
  | 'starttls-refused'
  | 'starttls-injection'
  | 'requiretls'
  | 'requiretls-mx-not-validated'
  | 'requiretls-not-offered'
  | 'credentials'
  | 'static-route'
  | 'handshake-failed'
  | 'certificate-missing'
  | 'certificate-not-trusted'
  | 'certificate-expired'
  | 'certificate-host-mismatch'
  | 'connection-failed'
  | 'connection-lost'
  | 'greeting-refused'
  | 'ehlo-refused'
  | 'malformed-reply'
  | 'timeout'
  | 'not-tried'
  | 'local-address'
  | 'configuration'

/** One reason, complete: a log line, a bounce and a report need nothing else. */
export interface Reason {
  readonly code: ReasonCode
  readonly concern: Concern
  /** for people: "none of 2 TLSA records at _25._tcp.mx1.example.org matches its certificate" */
  readonly text: string
  /** the section that made it so: "RFC 7672 2.2" */
  readonly source: string
  readonly status: EnhancedStatus
  /** the next attempt does not ask for it (relax-after-tls-failure) */
  readonly isWaivedNext?: boolean
}
