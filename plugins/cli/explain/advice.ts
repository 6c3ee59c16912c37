/**
 * What would have to be done for more to be proved: by those who have the domain or its hosts, and by ourselves.
 *
 * @module
 */

import type { PlannedHost, Session } from '../../lib/delivery'
import { formatTlsa, presentTlsa, recordFor } from '../../lib/dane'
import { matchesPolicy, type StsPolicy, type StsReason } from '../../lib/mta-sts'
import type { Evidence } from './gather'

export interface Advice {
  /** stable, for programs */
  readonly code: AdviceCode
  /** whose turn it is: those who run the domain, those who run the host, or who runs this Haraka */
  readonly for: 'domain' | 'host' | 'sender'
  /** the domain or host; for the sender, a section of the settings */
  readonly about: string
  readonly text: string
  /** the section that says so */
  readonly source: string
}

/** docs/command.md says what each is about. */
export const ADVICE_CODES = [
  'validating-resolver',
  'enable-dane',
  'enable-mta-sts',
  'enable-starttls',
  'end-audit',
  'mend-dns',
  'sign-mx',
  'sign-host',
  'publish-tlsa',
  'mend-tlsa',
  'publish-sts',
  'mend-sts',
  'enforce-sts',
  'lengthen-sts',
  'list-in-sts',
  'offer-starttls',
  'mend-tls',
  'mend-certificate',
] as const

export type AdviceCode = (typeof ADVICE_CODES)[number]

/** A week: RFC 8461 §3.2 advises "weeks or greater". */
const SHORT_MAX_AGE = 604_800

/** All that would help, the sender's own affairs first. */
export function adviseOn(evidence: Evidence, sessions: readonly Session[]): readonly Advice[] {
  const { plan } = evidence
  const hosts = plan.status === 'hosts' ? plan.hosts : []
  return [
    ...adviseSender(evidence, hosts),
    ...adviseOnMx(evidence),
    ...adviseOnSts(evidence, hosts),
    ...hosts.flatMap((host) => adviseHost(evidence, host, presentedBy(host, sessions))),
    ...firstOfEachHost(sessions).flatMap(adviseOnSession),
  ]
}

function adviseSender({ settings, health, nameServers }: Evidence, hosts: readonly PlannedHost[]): Advice[] {
  const advice: Advice[] = []
  const own = (code: AdviceCode, about: string, text: string, source: string): void => {
    advice.push({ code, for: 'sender', about, text, source })
  }
  const { dane, mtaSts, starttls, audit } = settings.setBy
  if (settings.dane === 'disable')
    own('enable-dane', dane.section, 'dane = disable: TLSA is never looked up', 'RFC 7672 2')
  else if (!health.secureAnswers) {
    const why = nameServers.trustAd ? 'a name server does not validate DNSSEC' : nameServers.because
    const text = `name a resolver of this machine that validates DNSSEC: without one there is no DANE (${why})`
    own('validating-resolver', '[dns] resolver[]', text, 'RFC 7672 2.1.1')
  }
  if (settings.mtaSts === 'disable')
    own('enable-mta-sts', mtaSts.section, 'mta-sts = disable: no policy is looked up', 'RFC 8461 5')
  if (settings.starttls === 'disable')
    own('enable-starttls', starttls.section, 'starttls = disable: mail leaves in clear text', 'RFC 3207 4')
  if (hosts.some(({ verdict }) => verdict.settings.audit))
    own('end-audit', audit.section, 'audit = true: what should be refused is delivered all the same', 'RFC 7672 2.2')
  return advice
}

function adviseOnMx({ plan, answers, message, settings, health }: Evidence): Advice[] {
  const domain = message.facts.recipientDomain
  const mx = answers.get(domain, 'MX')
  if (mx === undefined) return []
  const advise = (code: AdviceCode, text: string, source: string): Advice[] => [
    { code, for: 'domain', about: domain, text, source },
  ]
  if (mx.status === 'failed') return advise('mend-dns', mendText('MX records', domain, mx.failure), 'RFC 7672 2.1.2')
  const isOurDoing = settings.dane === 'disable' || !health.secureAnswers
  if (plan.status !== 'hosts' || mx.security === 'secure' || isOurDoing) return []
  return advise('sign-mx', 'sign the zone with DNSSEC, so that nobody can forge its MX records', 'RFC 7672 2.2.1')
}

function mendText(what: string, name: string, failure: { readonly class: string; readonly text: string }): string {
  if (failure.class === 'bogus') return `mend the DNSSEC signatures of ${name}: ${failure.text}`
  return `have its name servers answer when they are asked for ${what} of ${name}: ${failure.text}`
}

const STS_TROUBLE: Partial<Record<StsReason, AdviceCode>> = {
  'no-record': 'publish-sts',
  'several-records': 'mend-sts',
  'malformed-record': 'mend-sts',
  'lookup-failed': 'mend-sts',
  'fetch-failed': 'mend-sts',
  'backed-off': 'mend-sts',
}

function adviseOnSts({ sts, message, plan }: Evidence, hosts: readonly PlannedHost[]): Advice[] {
  if (sts === undefined || plan.status === 'undeliverable') return []
  const about = message.facts.recipientDomain
  const advise = (code: AdviceCode, text: string, source: string): Advice => ({
    ...{ code, for: 'domain', about, text, source },
  })
  const trouble = sts.why === undefined ? undefined : STS_TROUBLE[sts.why]
  const advice: Advice[] = []
  if (trouble === 'publish-sts')
    advice.push(advise(trouble, 'publish an MTA-STS policy, for senders that do not use DANE', 'RFC 8461 3'))
  if (trouble === 'mend-sts') advice.push(advise(trouble, `mend what is wrong with MTA-STS: ${sts.text}`, 'RFC 8461 3'))
  return sts.policy === undefined ? advice : [...advice, ...adviseOnPolicy(sts.policy, hosts, advise)]
}

function adviseOnPolicy(
  policy: StsPolicy,
  hosts: readonly PlannedHost[],
  advise: (code: AdviceCode, text: string, source: string) => Advice,
): Advice[] {
  const { mode, maxAge } = policy
  if (mode === 'none') return [advise('enforce-sts', 'the policy has mode none: publish one to be kept', 'RFC 8461 5')]
  const advice = hosts
    .filter(({ name }) => !matchesPolicy(policy, name))
    .map(({ name }) =>
      advise('list-in-sts', `the policy does not list ${name}: if it is yours, add "mx: ${name}"`, 'RFC 8461 4.1'),
    )
  if (mode === 'testing') advice.push(advise('enforce-sts', 'the policy has mode testing: set enforce', 'RFC 8461 5'))
  if (maxAge < SHORT_MAX_AGE)
    advice.push(advise('lengthen-sts', `max_age is ${maxAge} seconds: weeks protect better`, 'RFC 8461 3.2'))
  return advice
}

/** The TLSA record of what a host presents; undefined where that is not known. */
function presentedBy(host: PlannedHost, sessions: readonly Session[]): string | undefined {
  const leaves = sessions.map(({ target, met }) => {
    if (target.host !== host || met.status !== 'opened') return undefined
    const { starttls } = met.opening
    return starttls.status === 'done' ? starttls.peer.leaf : undefined
  })
  const leaf = leaves.find((one) => one !== undefined)
  return leaf && formatTlsa(recordFor(leaf))
}

function adviseHost(
  { settings, health, plan }: Evidence,
  { name, port, evidence }: PlannedHost,
  presented: string | undefined,
): Advice[] {
  const record = `_${port}._tcp.${name} TLSA ${presented ?? '3 1 1 with the SHA2-256 digest of its public key'}`
  const { tlsa, addresses } = evidence
  const advise = (code: AdviceCode, text: string, source: string): Advice[] => [
    { code, for: 'host', about: name, text, source },
  ]
  if (addresses.status === 'failed')
    return advise('mend-dns', `mend its addresses in DNS: ${addresses.text}`, 'RFC 7672 2.1.2')
  if (addresses.status === 'absent') return advise('mend-dns', `give it an address: ${addresses.text}`, 'RFC 5321 5.1')
  if (settings.dane === 'disable' || !health.secureAnswers) return []
  if (tlsa.status === 'failed') return advise('mend-tlsa', mendText('TLSA', tlsa.name, tlsa.failure), 'RFC 7672 2.1.2')
  if (tlsa.status === 'found') {
    if (tlsa.usable.length > 0) return []
    return advise('publish-tlsa', `none of its TLSA records is usable: publish ${record}`, 'RFC 7672 3.1')
  }
  const isSigned = plan.status !== 'hosts' || plan.domain.mxSecurity !== 'insecure'
  if (tlsa.why === 'address-insecure' || tlsa.why === 'insecure')
    return advise('sign-host', 'sign the zone of this host with DNSSEC, and publish TLSA records', 'RFC 7672 2.2.2')
  if (tlsa.why !== 'absent' || !isSigned) return []
  return advise('publish-tlsa', `publish ${record}`, 'RFC 7672 3.1')
}

/** All addresses of a host mostly have the same certificate, and always the same advice. */
function firstOfEachHost(sessions: readonly Session[]): readonly Session[] {
  const opened = sessions.filter(({ met, target }) => met.status === 'opened' && target.afterFailure === undefined)
  return [...new Map(opened.toReversed().map((session) => [session.target.host.name, session])).values()].toReversed()
}

function adviseOnSession({ target, met }: Session): Advice[] {
  if (met.status !== 'opened') return []
  const { name, port } = target.host
  const { starttls } = met.opening
  const advise = (code: AdviceCode, text: string, source: string): Advice[] => [
    { code, for: 'host', about: name, text, source },
  ]
  if (starttls.status === 'not-offered' || starttls.status === 'refused')
    return advise('offer-starttls', 'offer STARTTLS, and accept it', 'RFC 3207 4')
  if (starttls.status === 'failed') return advise('mend-tls', `mend its TLS: ${starttls.text}`, 'RFC 3207 4')
  if (starttls.status === 'not-tried') return []

  const { leaf } = starttls.peer
  const { pkix, dane } = starttls.judgement
  const record = leaf === undefined ? undefined : formatTlsa(recordFor(leaf))
  if (dane?.status === 'refused' && dane.outdone !== undefined) {
    const how = `remove the stale TLSA record ${presentTlsa(dane.outdone.by)} at _${port}._tcp.${name}, or publish one like it of what the host presents`
    return advise('mend-tlsa', `${how}: ${dane.text}`, 'RFC 7671 9')
  }
  if (dane?.status === 'refused') {
    const remedy = dane.why === 'dane-no-match' && record !== undefined
    const how = remedy ? `publish _${port}._tcp.${name} TLSA ${record}, or restore its key: ` : ''
    return advise(remedy ? 'publish-tlsa' : 'mend-certificate', `${how}${dane.text}`, 'RFC 7672 2.2')
  }
  if (pkix.status !== 'invalid') return []
  return advise('mend-certificate', `have a certificate that is valid for ${name}: ${pkix.text}`, 'RFC 8461 4.2')
}
