/**
 * The decision: evidence in, one verdict per MX host out. No I/O, no clock.
 *
 * What the message itself asks for comes first: REQUIRETLS, which no setting disables, relaxes or audits, and
 * `TLS-Required: No`, which sets remote policies aside, but nothing that the administrator asks for. All other messages
 * are judged by the rows of the table, in strict.ts, unless an audit only looks on.
 *
 * @module
 */

import { matchesPolicy, type StsReason } from '../mta-sts'
import type { HostSettings } from '../settings'
import type { Attempt, DomainEvidence, HostQuestion } from './evidence'
import type { Reason } from './reason'
import * as reasons from './reasons'
import { appliedPolicies, attemptOf, asking, decideStrictly, enforcedSts, required, skip, stsVeto } from './strict'
import type { DomainVerdict, Verdict } from './verdict'

/**
 * Whether a domain's hosts may be tried at all: what MTA-STS alone can veto before any host is known.
 *
 * @param settings - for the domain, before a host is known (rules with `if-mx` do not count here)
 * @param request - what the message asks for
 */
export function decideDomain(
  settings: HostSettings,
  domain: DomainEvidence,
  request?: Attempt['request'],
): DomainVerdict {
  const veto = ignoresVeto(settings, request) ? undefined : stsVeto(settings, domain)
  return veto === undefined ? { action: 'proceed' } : { action: 'defer', because: veto }
}

function ignoresVeto({ audit, mtaSts }: HostSettings, request: Attempt['request']): boolean {
  if (request === 'requiretls') return false
  if (request === 'tls-required-no') return audit || mtaSts !== 'require'
  return audit || request === 'tls-report'
}

/**
 * Why it is not believed that a domain takes no mail, which bounces a message at once: unsigned DNS says so, which anyone can forge,
 * and an enforced policy, which cannot be forged, names its hosts. Undefined: it is believed.
 *
 * @param denial - what DNS says, in words
 */
export function doubtDenial(
  settings: HostSettings,
  domain: DomainEvidence,
  denial: string,
  request?: Attempt['request'],
): Reason | undefined {
  const ignoresPolicy = request !== 'requiretls' && (settings.audit || request !== undefined)
  if (domain.mxSecurity !== 'insecure' || settings.mtaSts === 'disable' || ignoresPolicy) return undefined
  const sts = enforcedSts(settings, domain)
  return sts === undefined ? undefined : reasons.deniedDespitePolicy(domain, denial, sts)
}

/** The verdict for one host of a domain that {@link decideDomain} let through. */
export function decideHost(asked: HostQuestion): Verdict {
  const question = withoutDisabled(asked)
  const { settings, attempt } = question
  if (attempt.request === 'requiretls') return underRequireTls(question)
  if (attempt.request === 'tls-report' || settings.audit) return passedOver(question, decideStrictly(question))
  return attempt.request === 'tls-required-no' ? underTlsRequiredNo(question) : decideStrictly(question)
}

/** What the administrator disabled is as if it had not been found. */
function withoutDisabled(question: HostQuestion): HostQuestion {
  const { settings, domain, host } = question
  return {
    ...question,
    domain: settings.mtaSts === 'disable' ? { ...domain, sts: undefined } : domain,
    host: settings.dane === 'disable' ? { ...host, tlsa: { status: 'none', why: 'not-looked-up' } } : host,
  }
}

/**
 * REQUIRETLS (Q1): beside what every message must heed, TLS to a host whose name is validated and whose certificate is
 * proved. Whether it offers REQUIRETLS shows after the handshake. What fails here fails for good, but for lookups.
 */
function underRequireTls(question: HostQuestion): Verdict {
  const { settings, domain, host } = question
  const strict = decideStrictly(question)
  const unknown = whyPolicyIsUnknown(domain)
  if (strict.action === 'skip') return { ...strict, because: reasons.failsRequireTls(strict.because, unknown) }
  if (!isMxValidated(question)) return skip(question, reasons.mxNotValidated(domain.policyDomain, host.name, unknown))
  if (settings.starttls === 'disable') return skip(question, reasons.requireTlsWithoutStarttls(host.name, settings))

  const proofs = strict.proofs.length === 0 ? (['pkix'] as const) : strict.proofs
  const because = strict.tls === 'required' ? strict.because : reasons.requireTls
  return required(question, asking(proofs), because)
}

const KNOWN: ReadonlySet<StsReason> = new Set<StsReason>(['no-record', 'several-records', 'malformed-record'])

/** The policy could not be looked up or fetched just now: nothing fails for good by what it may say (T27). */
function whyPolicyIsUnknown({ sts }: DomainEvidence): string | undefined {
  return sts?.why === undefined || KNOWN.has(sts.why) ? undefined : sts.text
}

/**
 * The host's name comes from a signed MX record, or an enforced policy lists it (RFC 8461 §4.1): one in testing says
 * nothing that anybody must keep to. Without an MX record the name is the recipient domain's own (RFC 8689 §4.2.1), and
 * a static route is the administrator's word.
 */
function isMxValidated({ settings, domain, host }: HostQuestion): boolean {
  if (domain.mxSecurity !== 'insecure' || domain.isImplicitMx) return true
  const sts = enforcedSts(settings, domain)
  return sts !== undefined && matchesPolicy(sts, host.name)
}

/**
 * `TLS-Required: No` (Q7, Q8): as if the domain had published nothing, where the administrator's own demands go beyond
 * opportunistic TLS; otherwise as under an audit. What a policy would have refused is said and recorded either way.
 */
function underTlsRequiredNo(question: HostQuestion): Verdict {
  const own = decideStrictly(withoutRemotePolicies(question))
  if (own.action === 'skip') return own
  const strict = decideStrictly(question)
  if (own.tls === 'opportunistic') return passedOver(question, strict)
  const wouldSkip = strict.action === 'skip' ? strict.because : undefined
  return { ...own, applied: appliedPolicies(question), wouldSkip }
}

/** What the administrator requires stays in the question: it is he who asks for it then. */
function withoutRemotePolicies(question: HostQuestion): HostQuestion {
  const { settings, domain, host } = question
  return {
    ...question,
    domain: settings.mtaSts === 'require' ? domain : { ...domain, sts: undefined },
    host: settings.dane === 'require' ? host : { ...host, tlsa: { status: 'none', why: 'not-looked-up' } },
  }
}

/**
 * An audit, a message that its sender freed from policies, a TLS report of ours: what would be refused for TLS reasons
 * is said and recorded, and goes on opportunistically (D49, Q7, R22). Credentials are never shown to a host that failed
 * its policy, whatever an audit would like to see.
 */
function passedOver(question: HostQuestion, strict: Verdict): Verdict {
  if (question.attempt.credentials) return strict
  const lenient = {
    ...{ audit: true, isWaivedNext: false, clearTextWithoutStarttls: true, clearTextAfterFailure: true },
  } as const
  if (strict.action === 'attempt') return { ...strict, ...lenient }
  if (question.host.addresses.status !== 'found') return strict // nothing to do with TLS, and nowhere to go
  const { because } = strict
  return attemptOf(question, { tls: 'opportunistic', ...asking([]), ...lenient, because, wouldSkip: because })
}
