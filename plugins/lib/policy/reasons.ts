/**
 * The wording of every reason a decision can have. One function for each, named after its row in the decision table.
 *
 * @module
 */

import { usageName, type TlsaEvidence } from '../dane'
import type { StsPolicy } from '../mta-sts'
import type { HostSettings, SetBy } from '../settings'
import type { AddressEvidence, DomainEvidence, HostQuestion } from './evidence'
import type { EnhancedStatus, Reason, ReasonCode } from './reason'
import { thePolicy, withoutAnyPolicy } from './sts-words'
import type { FoundTlsa } from './verdict'

export function noAddress(host: string, addresses: AddressEvidence): Reason {
  const failed = addresses.status === 'failed'
  const text = addresses.status === 'found' ? '' : addresses.text
  return {
    code: failed ? 'address-lookup-failed' : 'no-address',
    concern: 'dns',
    text: failed ? `DNS lookup failed for ${host}: ${text}` : `${host} has no address: ${text}`,
    source: failed ? 'RFC 7672 2.1.2' : 'RFC 5321 5.1',
    status: '4.4.3',
  }
}

export function mxLookupFailed(domain: string, text: string): Reason {
  const source = 'RFC 7672 2.1.2'
  return {
    code: 'mx-lookup-failed',
    concern: 'dns',
    text: `MX lookup failed for ${domain}: ${text}`,
    source,
    status: '4.4.3',
  }
}

export function tlsaLookupFailed(tlsa: Extract<TlsaEvidence, { status: 'failed' }>): Reason {
  return {
    code: 'tlsa-lookup-failed',
    concern: 'dane',
    text: `DANE: TLSA lookup failed at ${tlsa.name}: ${tlsa.failure.text}`,
    source: 'RFC 7672 2.1.2',
    status: '4.7.5',
  }
}

export function daneRequired({ domain, host, settings }: HostQuestion): Reason {
  return {
    code: 'dane-required',
    concern: 'dane',
    text: `DANE is required${by(settings.setBy.dane)} but ${withoutDane(domain.mxSecurity === 'insecure', host.tlsa)}`,
    source: 'RFC 7672 6',
    status: '4.7.5',
  }
}

function withoutDane(insecureMx: boolean, tlsa: TlsaEvidence): string {
  if (insecureMx) return 'the MX record is not signed'
  if (tlsa.status === 'found') return `none of the TLSA records at ${tlsa.queryName} is usable`
  if (tlsa.status === 'none' && tlsa.why === 'address-insecure') return 'the address of the host is not signed'
  if (tlsa.status === 'none' && tlsa.why === 'ip-address') return 'the host is an IP address'
  return 'the host has no secure TLSA record'
}

export function daneMustMatch(tlsa: FoundTlsa): Reason {
  return {
    code: 'dane-match',
    concern: 'dane',
    text: `DANE: one of ${records(tlsa)} must match`,
    source: 'RFC 7672 2.2',
    status: '4.7.5',
  }
}

export function tlsaUnusable(tlsa: FoundTlsa): Reason {
  return {
    code: 'tlsa-unusable',
    concern: 'dane',
    text: `DANE: TLS is required, though none of ${records(tlsa)} is usable (${someOf(tlsa.unusable.map(({ why }) => why))})`,
    source: 'RFC 7672 2.2',
    status: '4.7.5',
  }
}

export function insecureMxEncrypts(tlsa: FoundTlsa, settings: HostSettings): Reason {
  return {
    code: 'insecure-mx-encrypt',
    concern: 'dane',
    text: `DANE: TLS is required because of ${records(tlsa)} behind an unsigned MX record (insecure-mx${by(settings.setBy.insecureMx)})`,
    source: 'RFC 7672 2.2.1',
    status: '4.7.5',
  }
}

export function daneAndSts(tlsa: FoundTlsa, domain: DomainEvidence, sts: StsPolicy): Reason {
  return {
    code: 'dane-match',
    concern: 'dane',
    text: `DANE and MTA-STS: one of ${records(tlsa)} must match, and ${thePolicy(domain, sts)} must be kept`,
    source: 'RFC 7672 2.2, RFC 8461 5',
    status: '4.7.5',
  }
}

export function stsUnavailable(domain: string, text: string): Reason {
  return {
    code: 'sts-unavailable',
    concern: 'mta-sts',
    text: `MTA-STS: it cannot be known whether ${domain} has a policy: ${text}`,
    source: 'RFC 8461 5.1',
    status: '4.7.5',
  }
}

export function stsRequired(domain: string, text: string, settings: HostSettings): Reason {
  return {
    code: 'sts-required',
    concern: 'mta-sts',
    text: `MTA-STS is required${by(settings.setBy.mtaSts)} but ${domain} has no policy to keep: ${text}`,
    source: 'RFC 8461 5',
    status: '4.7.5',
  }
}

export function notInStsPolicy(domain: DomainEvidence, host: string, sts: StsPolicy): Reason {
  return {
    code: 'sts-policy-mx-mismatch',
    concern: 'mta-sts',
    text: `MTA-STS: ${thePolicy(domain, sts)} does not list ${host} (mx: ${someOf(sts.mx, ', ')})${exceptionFor(domain, host)}`,
    source: 'RFC 8461 4.1',
    status: '4.7.5',
  }
}

/** It is our own relay, whatever it says of itself. */
function exceptionFor({ route }: DomainEvidence, host: string): string {
  if (route !== 'static') return ''
  return `; to use it all the same: a rule with if-mx[] = ${host}, if-route = static and mta-sts = disable`
}

export function deniedDespitePolicy(domain: DomainEvidence, denial: string, sts: StsPolicy): Reason {
  return {
    code: 'sts-policy-mx-mismatch',
    concern: 'mta-sts',
    text: `MTA-STS: ${denial}, but that is not signed, and ${thePolicy(domain, sts)} names hosts (mx: ${someOf(sts.mx, ', ')})`,
    source: 'RFC 8461 5',
    status: '4.7.5',
  }
}

export function stsEnforced(domain: DomainEvidence, sts: StsPolicy): Reason {
  return {
    code: 'sts-policy-enforced',
    concern: 'mta-sts',
    text: `MTA-STS: ${thePolicy(domain, sts)} asks for TLS with a valid certificate`,
    source: 'RFC 8461 5',
    status: '4.7.5',
  }
}

export function starttlsDisabled(host: string, bySts: boolean, settings: HostSettings): Reason {
  const policy = bySts ? 'an enforced MTA-STS policy' : 'DANE'
  return {
    code: 'starttls-disabled',
    concern: bySts ? 'mta-sts' : 'dane',
    text: `${policy} asks for TLS with ${host}, but STARTTLS is disabled${by(settings.setBy.starttls)}`,
    source: bySts ? 'RFC 8461 5' : 'RFC 7672 2.2',
    status: '4.7.4',
  }
}

export function credentialsInClear(host: string, settings: HostSettings): Reason {
  return {
    code: 'starttls-disabled',
    concern: 'tls',
    text: `credentials for ${host} are never sent in clear text, but STARTTLS is disabled${by(settings.setBy.starttls)}; only a rule for this host can allow it`,
    source: 'RFC 4954 4',
    status: '4.7.4',
  }
}

export function credentials(host: string): Reason {
  const text = `credentials are sent to ${host} over authenticated TLS only`
  return { code: 'credentials', concern: 'tls', text, source: 'RFC 4954 4', status: '4.7.5' }
}

export function starttlsRequired(host: string, settings: HostSettings): Reason {
  const text = `STARTTLS is required for ${host}${by(settings.setBy.starttls)}`
  return { code: 'starttls-required', concern: 'tls', text, source: 'RFC 3207 4', status: '4.7.4' }
}

export const requireTls: Reason = {
  code: 'requiretls',
  concern: 'tls',
  text: 'REQUIRETLS: the message goes over TLS, to a host that proves who it is, or not at all',
  source: 'RFC 8689 4.2.1',
  status: '5.7.10',
}

export const requireTlsNotOffered: Reason = {
  ...requireTls,
  code: 'requiretls-not-offered',
  concern: 'smtp',
  text: 'REQUIRETLS is not offered over TLS',
  status: '5.7.30',
}

/** @param unknown - why the policy of the domain is not known now, if there is one that might list the host */
export function mxNotValidated(domain: string, host: string, unknown: string | undefined): Reason {
  const text = `REQUIRETLS: the MX record of ${domain} is not signed, and no enforced MTA-STS policy lists ${host}`
  const reason: Reason = { ...requireTls, code: 'requiretls-mx-not-validated', text, status: '5.7.30' }
  if (unknown === undefined) return reason
  return { ...reason, concern: 'mta-sts', text: `${text}, as far as is known now: ${unknown}`, status: '4.7.5' }
}

export function requireTlsWithoutStarttls(host: string, settings: HostSettings): Reason {
  const text = `REQUIRETLS asks for TLS with ${host}, but STARTTLS is disabled${by(settings.setBy.starttls)}`
  return { ...requireTls, code: 'starttls-disabled', text }
}

/** What a message that requires TLS does not wait for: another policy, or a setting of ours (Q4). */
const forGood = new Map<ReasonCode, EnhancedStatus>([
  ['sts-policy-mx-mismatch', '5.7.30'],
  ['starttls-disabled', '5.7.10'],
])

/** @param unknown - why the policy of the domain may be another one by now */
export function failsRequireTls(because: Reason, unknown: string | undefined): Reason {
  if (because.concern === 'mta-sts' && unknown !== undefined) return because
  return { ...because, status: forGood.get(because.code) ?? because.status }
}

export function opportunistic({ settings, domain }: HostQuestion): Reason {
  const text = `${withoutAnyPolicy(domain)}; starttls = optional${by(settings.setBy.starttls)}`
  return { code: 'starttls-optional', concern: 'tls', text, source: 'RFC 7435 3', status: '4.7.5' }
}

export function withoutTls(settings: HostSettings): Reason {
  const setBy = settings.harakaTls === 'none' ? ' by no_tls_hosts in tls.ini' : by(settings.setBy.starttls)
  const text = `STARTTLS is disabled${setBy} and no policy asks for TLS`
  return { code: 'starttls-disabled', concern: 'tls', text, source: 'RFC 3207', status: '4.7.4' }
}

export function overridesNoTlsHosts(host: string, because: Reason): string {
  return `no_tls_hosts in tls.ini names ${host}, but a policy asks for TLS and wins: ${because.text}`
}

function records(tlsa: FoundTlsa): string {
  const usages = [...new Set(tlsa.usable.map(({ usage }) => usageName(usage)))].join(' and ')
  const count = tlsa.records.length === 1 ? '1 TLSA record' : `${tlsa.records.length} TLSA records`
  return `${count} at ${tlsa.queryName}${usages === '' ? '' : ` (${usages})`}`
}

const MOST_NAMED = 5

/** A remote party's list may be long, and most of it the same. */
function someOf(list: readonly string[], separator = '; '): string {
  const different = [...new Set(list)]
  return [...different.slice(0, MOST_NAMED), ...(different.length > MOST_NAMED ? ['…'] : [])].join(separator)
}

/** Who set a key, where it was not our default: " ([rule:banks]: the auditors want it)". */
function by({ section, reason, explicit }: SetBy): string {
  if (!explicit) return ''
  return reason === undefined ? ` (${section})` : ` (${section}: ${reason})`
}
