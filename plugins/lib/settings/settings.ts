/**
 * The typed settings of outbound-tls.ini, and what they come to for one host.
 *
 * @module
 */

import type { HarakaTls } from './haraka'
import type { ResolverAddress, RetryRange } from './kinds'
import type { NamePatterns } from './names'

/** How much is asked of DANE, MTA-STS or STARTTLS. */
export type RequirementLevel = 'optional' | 'require' | 'disable'

/** What a rule may set, and `[main]` sets for all other deliveries. */
export interface RuleSettings {
  readonly dane: RequirementLevel
  readonly mtaSts: RequirementLevel
  readonly starttls: RequirementLevel
  /** a certificate that does not validate for the MX name is accepted where no policy says otherwise */
  readonly allowInvalidCerts: boolean
  readonly relaxAfterTlsFailure: boolean
  /** decide, log and record what would have been refused, but deliver */
  readonly audit: boolean
  readonly daneAndMtaSts: 'dane' | 'both'
  readonly insecureMx: 'dane' | 'encrypt' | 'may'
  readonly plaintextFallback: boolean
  readonly minTlsVersion: TlsVersion
  /** OpenSSL's list for TLS 1.2 and older; undefined: what tls.ini has, or what the verdict asks for */
  readonly ciphers: string | undefined
  /** extra trust anchors, as written in the file */
  readonly caFile: string | undefined
  /** for the STARTTLS command and the handshake, in milliseconds */
  readonly tlsTimeout: number
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
export type RuleKey = keyof RuleSettings

/** `[main]`. */
export interface MainSettings extends RuleSettings {
  /** how long a certificate that was accepted although it is not valid is known after it was last seen: milliseconds; 0: not at all */
  readonly knownCerts: number
  readonly smtpPort: number
  /** in milliseconds */
  readonly mtaStsTimeout: number
  readonly requiretls: boolean
  readonly tlsRequiredNo: boolean
  /** plugins at Haraka's queue hooks beyond which no SMTP follows: mail that requires TLS may go to them */
  readonly finalDelivery: readonly string[] | undefined
}

/** `[dns]`. */
export interface DnsSettings {
  /** undefined: the name servers of /etc/resolv.conf */
  readonly resolvers: readonly ResolverAddress[] | undefined
  readonly trustAd: 'auto' | boolean
  /** undefined: the resolver's own choice of two */
  readonly selfTest: readonly string[] | undefined
  /** of one attempt, in milliseconds */
  readonly timeout: number
  readonly attempts: number
  readonly cacheSize: number
}

/** `[mta-sts]`. */
export interface MtaStsSettings {
  /** in milliseconds */
  readonly refresh: number
  readonly port: number
  readonly allowPrivateAddresses: boolean
}

/** `[store]`. */
export interface StoreSettings {
  readonly engine: 'sqlite' | 'postgres'
  /** of the SQLite file, relative to the Haraka instance */
  readonly path: string
  /** of the PostgreSQL server; undefined: as libpq's environment says. It may hold a password. */
  readonly url: string | undefined
  /** in milliseconds */
  readonly retention: number
}

/** All of outbound-tls.ini. */
export interface Settings {
  readonly main: MainSettings
  readonly dns: DnsSettings
  readonly mtaSts: MtaStsSettings
  readonly store: StoreSettings
  /** in file order */
  readonly rules: readonly Rule[]
  readonly haraka: HarakaTls
  /** who decided each key of `[main]` */
  readonly setBy: Readonly<Record<RuleKey, SetBy>>
}

/** A `[rule:NAME]` section. */
export interface Rule {
  readonly name: string
  readonly reason: string | undefined
  /** the rule matches before this time only */
  readonly until: Date | undefined
  readonly conditions: Conditions
  readonly sets: Partial<RuleSettings>
  readonly setBy: Partial<Readonly<Record<RuleKey, SetBy>>>
}

/** What a rule asks of a delivery: each condition that is not undefined must hold. */
export interface Conditions {
  readonly rcptDomain: NamePatterns | undefined
  readonly mx: NamePatterns | undefined
  readonly senderDomain: NamePatterns | undefined
  readonly sender: ReadonlySet<string> | undefined
  readonly retryNum: RetryRange | undefined
  readonly lastError: ReadonlySet<LastError> | undefined
  readonly route: Route | undefined
}

/** Why the last attempt failed. */
export type LastError = 'none' | 'dns' | 'connection' | 'tls' | 'dane' | 'mta-sts' | 'smtp'

/** `static`: hosts that another plugin named. `mx`: hosts found in DNS. */
export type Route = 'static' | 'mx'

/** Who decided a key. */
export interface SetBy {
  /** `[main]`, `[rule:NAME]`, `tls.ini [outbound]`, `outbound.ini` or `static route` */
  readonly section: string
  /** as it is written there */
  readonly key: string
  /** of the rule, in the administrator's words */
  readonly reason?: string
  /** false: it is not in a file, it is our default */
  readonly explicit: boolean
}

/** What the rules may ask about one delivery. Names may be written in any way: they are normalised here. */
export interface DeliveryFacts {
  readonly recipientDomain: string
  /** the empty string for the null sender, as is its domain */
  readonly sender: string
  readonly senderDomain: string
  /** attempts already made */
  readonly retryNumber: number
  /** at any of its hosts; empty is the same as `none` */
  readonly lastErrors: ReadonlySet<LastError>
  readonly route: Route
}

/** What is known about the name of an MX host. */
export interface MxTrust {
  /** whether the MX record that names the host is DNSSEC-secure */
  readonly mxIsSecure: boolean
  /** whether an STS policy in mode enforce applies to the domain; left out, it is assumed */
  readonly stsEnforced?: boolean
  /** the host's addresses, for the networks in Haraka's host lists */
  readonly addresses?: readonly string[]
}

/** What one host's decision depends on, all rules applied. */
export interface HostSettings extends RuleSettings {
  /**
   * Haraka's own lists. `force` has already been applied (STARTTLS required, with PKIX). `none` (no_tls_hosts) has not:
   * it means no STARTTLS where neither a policy nor a `require` applies, and loses with a WARN where one does.
   */
  readonly harakaTls: 'force' | 'none' | undefined
  readonly setBy: Readonly<Record<RuleKey, SetBy>>
  /** keys that a rule with `if-mx` would have lowered, had the host's name been trustworthy */
  readonly keptAgainstMxRules: readonly RuleKey[]
}
