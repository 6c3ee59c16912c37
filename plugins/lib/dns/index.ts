/**
 * A security-aware stub resolver whose answers say whether they are secure (RFC 7672 §2.1).
 *
 * @module
 */

export type { Answer, DnsFailure, FailureClass, Lookup, RecordData, RecordType, Security, TlsaData } from './answer'
export type { QueryReport } from './ask'
export { toAsciiDomain } from './names'
export { quote } from './quote'
export { believesAd, describeServer, parseServer, readResolvConf } from './resolv-conf'
export type { NameServer } from './resolv-conf'
export { createResolver } from './resolver'
export type { Resolver, ResolverOptions } from './resolver'
export type { ResolverHealth, ServerHealth } from './self-test'
