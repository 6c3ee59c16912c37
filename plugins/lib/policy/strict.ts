/**
 * The rows of the decision table, for a message that asks for nothing itself, and without audits.
 *
 * The order is the order of precedence. First what makes a host unusable whatever else holds (lookups that failed,
 * every `require`), then an administrator's `disable`, then DANE, then MTA-STS, then opportunistic TLS. Where
 * several policies hold for a host, the strictest TLS counts and every proof asked for must be given, but for one
 * case: DANE behind a secure MX record decides alone unless `dane-and-mta-sts = both`.
 *
 * @module
 */

import { referenceIdentifiers } from '../dane'
import { matchesPolicy, type StsPolicy } from '../mta-sts'
import type { HostSettings } from '../settings'
import { isIP } from 'node:net'
import type { DomainEvidence, HostQuestion } from './evidence'
import * as reasons from './reasons'
import type { Reason } from './reason'
import { cachedRemark } from './sts-words'
import type { AppliedPolicies, AttemptVerdict, FoundTlsa, Leniency, Proof, SkipVerdict, Verdict } from './verdict'

/** What MTA-STS alone can veto. A relay that works goes on working where it cannot be known whether it has a policy. */
export function stsVeto(settings: HostSettings, { policyDomain, route, sts }: DomainEvidence): Reason | undefined {
  if (settings.mtaSts === 'disable') return undefined
  if (sts?.status === 'failed' && route !== 'static') return reasons.stsUnavailable(policyDomain, sts.text)
  if (settings.mtaSts !== 'require') return undefined
  if (sts?.policy === undefined)
    return reasons.stsRequired(policyDomain, sts?.text ?? 'no policy can be looked up for it', settings)
  return sts.policy.mode === 'none'
    ? reasons.stsRequired(policyDomain, 'its policy has mode none', settings)
    : undefined
}

/** The verdict for one host of a domain that is not deferred. What is disabled must have been taken out of the question. */
export function decideStrictly(question: HostQuestion): Verdict {
  const { settings, domain, host, attempt } = question
  if (host.addresses.status !== 'found') return skip(question, reasons.noAddress(host.name, host.addresses))
  const veto = stsVeto(settings, domain) // the domain is deferred for it, but where the host has rules of its own
  if (veto !== undefined) return skip(question, veto)
  if (host.tlsa.status === 'failed') return skip(question, reasons.tlsaLookupFailed(host.tlsa)) // D8, D16

  const dane = standingOfDane(question)
  if (settings.dane === 'require' && !meetsRequiredDane(question, dane))
    return skip(question, reasons.daneRequired(question)) // D21, D46

  const sts = enforcedSts(settings, domain)
  const daneDecides = decidesAlone(question, dane)
  if (sts !== undefined && !daneDecides && !matchesPolicy(sts, host.name))
    return skip(question, reasons.notInStsPolicy(domain, host.name, sts)) // T23, T25

  const policyApplies = dane.kind !== 'none' || sts !== undefined
  if (settings.starttls === 'disable') {
    if (policyApplies) return skip(question, reasons.starttlsDisabled(host.name, dane.kind === 'none', settings))
    if (attempt.credentials && !setByRule(settings))
      return skip(question, reasons.credentialsInClear(host.name, settings))
    return attemptOf(question, { tls: 'none', ...asking([]), because: reasons.withoutTls(settings) })
  }

  // the last row of the table: a forged MX may point to a host with perfect TLSA, so only a secure MX record lets
  // DANE stand in for the policy (T31 forbids only the reverse)
  if (dane.kind === 'authenticate' && sts !== undefined && !daneDecides)
    return required(question, asking(['dane', 'pkix']), reasons.daneAndSts(dane.tlsa, domain, sts))
  if (dane.kind === 'authenticate') return required(question, asking(['dane']), reasons.daneMustMatch(dane.tlsa)) // D13
  if (sts !== undefined) return required(question, asking(['pkix']), reasons.stsEnforced(domain, sts)) // T25
  if (dane.kind === 'encrypt') return required(question, relaxedOf(question), dane.because) // D14
  return withoutPolicy(question)
}

/** The rows "none of these": only the administrator asks for anything. */
function withoutPolicy(question: HostQuestion): AttemptVerdict {
  const { settings, host, attempt } = question
  if (attempt.credentials) return required(question, asking(['pkix']), reasons.credentials(host.name))
  if (settings.starttls === 'require')
    return required(question, askedOf(question), reasons.starttlsRequired(host.name, settings))
  if (settings.harakaTls === 'none')
    return attemptOf(question, { tls: 'none', ...asking([]), because: reasons.withoutTls(settings) })

  return attemptOf(question, {
    tls: 'opportunistic',
    ...relaxedOf(question),
    clearTextWithoutStarttls: true, // D15
    clearTextAfterFailure: settings.plaintextFallback,
    because: reasons.opportunistic(question),
  })
}

type DaneStanding =
  | { readonly kind: 'none' }
  | { readonly kind: 'encrypt'; readonly tlsa: FoundTlsa; readonly because: Reason }
  | { readonly kind: 'authenticate'; readonly tlsa: FoundTlsa }

/** What the TLSA records ask for, given how the host's name was learnt (RFC 7672 §2.2, §2.2.1). */
function standingOfDane({ settings, domain, host }: HostQuestion): DaneStanding {
  const { tlsa } = host
  if (tlsa.status !== 'found') return { kind: 'none' }

  const behindInsecureMx = domain.mxSecurity === 'insecure'
  if (behindInsecureMx && settings.insecureMx === 'may') return { kind: 'none' } // D22
  if (tlsa.usable.length === 0) return { kind: 'encrypt', tlsa, because: reasons.tlsaUnusable(tlsa) } // D14
  if (behindInsecureMx && settings.insecureMx === 'encrypt')
    return { kind: 'encrypt', tlsa, because: reasons.insecureMxEncrypts(tlsa, settings) }
  return { kind: 'authenticate', tlsa }
}

function meetsRequiredDane({ domain }: HostQuestion, dane: DaneStanding): boolean {
  return domain.mxSecurity !== 'insecure' && dane.kind === 'authenticate'
}

function decidesAlone({ settings, domain }: HostQuestion, dane: DaneStanding): boolean {
  if (settings.mtaSts === 'require') return false // a veto: the policy must be satisfied whatever else is
  return dane.kind === 'authenticate' && domain.mxSecurity !== 'insecure' && settings.daneAndMtaSts === 'dane'
}

/** The domain's policy if it must be kept: mode enforce, or testing where `mta-sts = require` makes it so. */
export function enforcedSts(settings: HostSettings, { sts }: DomainEvidence): StsPolicy | undefined {
  const policy = sts?.policy
  if (policy === undefined || policy.mode === 'none') return undefined
  return policy.mode === 'enforce' || settings.mtaSts === 'require' ? policy : undefined
}

export function asking(proofs: readonly Proof[], leniency?: Leniency): Asked {
  return { proofs, leniency }
}

/** What a host must prove where no policy says it. Credentials are never sent to a host without a proof. */
function askedOf({ settings, attempt }: HostQuestion): Asked {
  if (attempt.credentials || !settings.allowInvalidCerts) return asking(['pkix'])
  const isRoute = settings.setBy.allowInvalidCerts.section === 'static route'
  return asking([], isRoute ? 'static-route' : 'allow-invalid-certs')
}

/** The same where nothing but allow-invalid-certs asks for a proof: it does so at the first attempt only. */
function relaxedOf(question: HostQuestion): Asked {
  const { settings, attempt } = question
  const asked = askedOf(question)
  const mayBeRelaxed = settings.relaxAfterTlsFailure && settings.starttls === 'optional' && !attempt.credentials
  if (!mayBeRelaxed || asked.proofs.length === 0) return asked
  return attempt.mayRelax ? asking([], 'relax-after-tls-failure') : { ...asked, isWaivedNext: true }
}

function setByRule(settings: HostSettings): boolean {
  return settings.setBy.starttls.section.startsWith('[rule:')
}

export function appliedPolicies({ settings, domain, host }: HostQuestion): AppliedPolicies {
  const policy = domain.sts?.policy
  const ignoresTlsa = domain.mxSecurity === 'insecure' && settings.insecureMx === 'may'
  const sts = policy?.mode === 'none' ? undefined : policy
  return {
    tlsa: host.tlsa.status === 'found' && !ignoresTlsa ? host.tlsa : undefined,
    sts,
    stsListsHost: sts !== undefined && matchesPolicy(sts, host.name),
    stsRemark: cachedRemark(domain),
  }
}

export function skip(question: HostQuestion, because: Reason): SkipVerdict {
  return { action: 'skip', because, applied: appliedPolicies(question), settings: question.settings }
}

type Asked = Pick<AttemptVerdict, 'proofs' | 'leniency'> & Partial<Pick<AttemptVerdict, 'isWaivedNext'>>

export function required(question: HostQuestion, asked: Asked, because: Reason): AttemptVerdict {
  const overridesList = question.settings.harakaTls === 'none'
  const warning = overridesList ? reasons.overridesNoTlsHosts(question.host.name, because) : undefined
  return attemptOf(question, { tls: 'required', ...asked, because, warning })
}

type Terms = Pick<AttemptVerdict, 'tls' | 'because'> & Asked & Partial<AttemptVerdict>

export function attemptOf(question: HostQuestion, terms: Terms): AttemptVerdict {
  const { settings, domain, host, attempt } = question
  const byDane = terms.proofs.includes('dane')
  const { baseDomain } = host.tlsa.status === 'found' && byDane ? host.tlsa : { baseDomain: host.name }
  return {
    action: 'attempt',
    isWaivedNext: false,
    clearTextWithoutStarttls: terms.tls === 'none',
    clearTextAfterFailure: false,
    serverName: isIP(baseDomain) === 0 ? baseDomain : undefined, // D47, T20
    referenceIdentifiers: referenceIdentifiers({
      mxSecurity: domain.mxSecurity === 'not-looked-up' ? 'none' : domain.mxSecurity,
      baseDomain,
      host: host.name,
      nextHop: domain.policyDomain,
      ...(domain.expandedNextHop === undefined ? {} : { expandedNextHop: domain.expandedNextHop }),
    }),
    request: attempt.request,
    proves: domain.mxSecurity !== 'insecure' || namedBySts(question) ? 'domain' : 'host',
    wouldSkip: undefined,
    audit: false,
    warning: undefined,
    applied: appliedPolicies(question),
    settings,
    ...terms,
  }
}

/** An enforced policy names the host itself: then an insecure MX record cannot lead astray (RFC 8461 §4.1). */
function namedBySts({ settings, domain, host }: HostQuestion): boolean {
  const sts = enforcedSts(settings, domain)
  return sts !== undefined && matchesPolicy(sts, host.name)
}
