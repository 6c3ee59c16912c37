/**
 * Every key of outbound-tls.ini with its kind and its default. docs/configuration.md explains them.
 *
 * @module
 */

import { DAY } from '../time'
import { key, listKey, optionalKey, type Key, type KeysOf, type ValueKind } from './keys'
import * as kind from './kinds'
import type { ResolverAddress, RetryRange } from './kinds'
import type {
  DnsSettings,
  LastError,
  MainSettings,
  MtaStsSettings,
  Route,
  RuleKey,
  RuleSettings,
  StoreSettings,
} from './settings'

const LEVEL = kind.oneOf('optional', 'require', 'disable')

/** What a rule may set. */
export const RULE_KEYS: KeysOf<RuleSettings> = {
  dane: key('dane', LEVEL, 'optional'),
  mtaSts: key('mta-sts', LEVEL, 'optional'),
  starttls: key('starttls', LEVEL, 'optional'),
  allowInvalidCerts: key('allow-invalid-certs', kind.FLAG, false),
  relaxAfterTlsFailure: key('relax-after-tls-failure', kind.FLAG, true),
  audit: key('audit', kind.FLAG, false),
  daneAndMtaSts: key('dane-and-mta-sts', kind.oneOf('dane', 'both'), 'dane'),
  insecureMx: key('insecure-mx', kind.oneOf('dane', 'encrypt', 'may'), 'dane'),
  plaintextFallback: key('plaintext-fallback', kind.FLAG, true),
  minTlsVersion: key('min-tls-version', kind.oneOf('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'), 'TLSv1.2'),
  ciphers: optionalKey('ciphers', kind.CIPHERS),
  caFile: optionalKey('ca-file', kind.PATH),
  tlsTimeout: key('tls-timeout', kind.duration('1s', '10m'), 60_000),
}

/** The fields of {@link RULE_KEYS}. */
export const RULE_FIELDS = Object.keys(RULE_KEYS) as readonly RuleKey[]

/** `[main]`. */
export const MAIN_KEYS: KeysOf<MainSettings> = {
  ...RULE_KEYS,
  knownCerts: key('known-certs', kind.durationOrNone('1h', '400d'), 30 * DAY),
  smtpPort: key('smtp-port', kind.integer(1, 65535), 25),
  mtaStsTimeout: key('mta-sts-timeout', kind.duration('1s', '10m'), 60_000),
  requiretls: key('requiretls', kind.FLAG, false),
  tlsRequiredNo: key('tls-required-no', kind.FLAG, true),
  finalDelivery: listKey('final-delivery[]', kind.TEXT),
}

/** `[dns]`. */
export const DNS_KEYS: KeysOf<DnsSettings> = {
  resolvers: listKey<ResolverAddress>('resolver[]', kind.RESOLVER),
  trustAd: key('trust-ad', kind.AUTO_OR_FLAG, 'auto'),
  selfTest: listKey('self-test[]', kind.DOMAIN),
  timeout: key('timeout', kind.duration('100ms', '1m'), 5000),
  attempts: key('attempts', kind.integer(1, 10), 3),
  cacheSize: key('cache-size', kind.integer(1, 1_000_000), 10_000),
}

/** `[mta-sts]`. */
export const MTA_STS_KEYS: KeysOf<MtaStsSettings> = {
  refresh: key('refresh', kind.duration('1s', '30d'), DAY),
  port: key('port', kind.integer(1, 65535), 443),
  allowPrivateAddresses: key('allow-private-addresses', kind.FLAG, false),
}

/** `[store]`. */
export const STORE_KEYS: KeysOf<StoreSettings> = {
  engine: key('engine', kind.ENGINE, 'sqlite'),
  path: key('path', kind.PATH, 'outbound-tls.db'),
  url: optionalKey('url', kind.POSTGRES_URL),
  retention: key('retention', kind.duration('8d', '3650d'), 30 * DAY),
}

/** The conditions of a rule, as they are written. */
export interface ConditionValues {
  readonly rcptDomain: readonly string[] | undefined
  readonly mx: readonly string[] | undefined
  readonly senderDomain: readonly string[] | undefined
  readonly sender: readonly string[] | undefined
  readonly retryNum: RetryRange | undefined
  readonly lastError: readonly LastError[] | undefined
  readonly route: Route | undefined
}

const LAST_ERROR = kind.oneOf('none', 'dns', 'connection', 'tls', 'dane', 'mta-sts', 'smtp')

/** The conditions that a rule needs at least one of. */
export const CONDITION_KEYS: KeysOf<ConditionValues> = {
  rcptDomain: listKey('if-rcpt-domain[]', kind.DOMAIN_PATTERN),
  mx: listKey('if-mx[]', kind.MX_PATTERN),
  senderDomain: listKey('if-sender-domain[]', kind.SENDER_DOMAIN_PATTERN),
  sender: listKey('if-sender[]', kind.SENDER),
  retryNum: unset('if-retry-num', kind.RETRY_RANGE),
  lastError: listKey('if-last-error[]', LAST_ERROR),
  route: unset('if-route', kind.oneOf('static', 'mx')),
}

/** What else a rule may say. */
export const RULE_NOTE_KEYS: KeysOf<{ readonly until: Date | undefined; readonly reason: string | undefined }> = {
  until: unset('until', kind.DAY),
  reason: unset('reason', kind.TEXT),
}

/** A key without a default that, once written, needs a value: an empty condition would match nothing, or everything. */
function unset<Value>(name: string, of: ValueKind<Value>): Key<Value | undefined> {
  return key<Value | undefined>(name, of, undefined)
}
