/**
 * Plans a delivery: gathers the evidence about a domain and its hosts, side by side, and has every host decided.
 *
 * Cold, a domain costs three DNS round trips one after the other (MX, addresses, TLSA); warm, none.
 *
 * @module
 */

import { isIP } from 'node:net'
import { toAsciiDomain, type Answer, type Lookup, type RecordData } from '../dns'
import type { TlsaEvidence } from '../dane'
import { isPublicAddress } from '../https'
import type { StsEvidence } from '../mta-sts'
import { decideDomain, decideHost, doubtDenial, mxLookupFailed } from '../policy'
import type { Attempt, DomainEvidence, HostEvidence, MxSecurity, Reason, Verdict } from '../policy'
import type { HostSettings, MxTrust } from '../settings'
import { gatherHost, type AddressFamily } from './hosts'
import { preferredToThisMachine } from './own-host'
import { awaitHosts } from './host-deadline'
import { printable } from './printable'

/** More MX hosts than this of one domain are not tried, the least preferred first. */
const MAX_HOSTS = 32

/** Hosts that a text names. */
const MOST_NAMED = 8

/** What a plan is made with. Settings are those of one moment: a reload in mid-plan changes nothing. */
export interface Planner {
  readonly lookup: Lookup
  /** undefined: nowhere to look policies up */
  readonly stsPolicyFor: ((policyDomain: string) => Promise<StsEvidence>) | undefined
  /** whether a host that is not in the Internet may have a policy (`allow-private-addresses`) */
  readonly privateHostsHavePolicies: boolean
  /** All rules applied, for a host or, without one, for the domain. */
  readonly settingsFor: (mx: string | undefined, trust: MxTrust) => HostSettings
  /** milliseconds: one resolver time-out, for the hosts of a plan together */
  readonly timeout: number
  /** hosts that messages gave up on, see {@link awaitHosts} */
  readonly givenUp: Set<string>
  /** of MX hosts; TLSA names follow it */
  readonly mxPort: number
  readonly family: AddressFamily
  /** from 0 up to 1: shuffles hosts of equal preference */
  readonly random: () => number
  /** a retry, or the only attempt there is */
  readonly mayRelax: boolean
  /** what is asked for the message itself; left out: nothing */
  readonly request?: Attempt['request']
  /** whether an address is this machine's; left out: mail may come back (`local_mx_ok`) */
  readonly isOwn?: ((address: string) => Promise<boolean>) | undefined
}

export interface PlannedHost {
  readonly name: string
  readonly port: number
  readonly addresses: readonly string[]
  readonly evidence: HostEvidence
  readonly verdict: Verdict
  /** what the message brings into the verdict */
  readonly attempt: Attempt
}

export type Plan =
  | { readonly status: 'hosts'; readonly domain: DomainEvidence; readonly hosts: readonly PlannedHost[] }
  | { readonly status: 'deferred'; readonly domain: string; readonly because: Reason; readonly bogus: boolean }
  | Undeliverable

/** No retry will ever help. */
export interface Undeliverable {
  readonly status: 'undeliverable'
  readonly why: 'null-mx' | 'no-mail-host' | 'no-address' | 'mail-loop'
  readonly text: string
}

/** RFC 7505 §4.2, RFC 3463 §3.2 and §3.5 */
export const undeliverableStatus = {
  ...{ 'null-mx': '5.1.10', 'no-mail-host': '5.1.2', 'no-address': '5.4.4', 'mail-loop': '5.4.6' },
} as const

/**
 * Plans the delivery to a recipient domain by its MX records.
 *
 * @param domain - as in the envelope: U-labels and address literals included
 */
export async function planDomain(planner: Planner, domain: string): Promise<Plan> {
  const literal = addressLiteral(domain)
  if (literal !== undefined) {
    const plan = await planHosts(planner, withoutLookups(literal, 'mx'), [literal], planner.mxPort) // T22
    return withoutThisMachine(planner, plan, [])
  }

  const policyDomain = toAsciiDomain(domain)
  if (policyDomain === undefined)
    return { status: 'undeliverable', why: 'no-mail-host', text: `"${printable(domain, 120)}" is not a domain name` }

  const { mtaSts } = planner.settingsFor(undefined, { mxIsSecure: true })
  const looksUpSts = mtaSts !== 'disable' && !isReport(planner)
  const [mx, sts] = await Promise.all([
    planner.lookup(policyDomain, 'MX'),
    looksUpSts ? planner.stsPolicyFor?.(policyDomain) : undefined,
  ])
  if (mx.status === 'failed')
    return deferred(policyDomain, mxLookupFailed(policyDomain, mx.failure.text), mx.failure.class === 'bogus') // D6

  const hosts = mx.status === 'found' ? sortByPreference(mx.records, planner.random) : [policyDomain]
  const evidence = domainEvidence(policyDomain, mx, sts)
  const settings = planner.settingsFor(undefined, trustIn(evidence))
  const believed = (plan: Plan): Plan => {
    if (plan.status !== 'undeliverable') return plan
    // that a host has no address is the word of another zone than the one of the MX record
    const denied = plan.why === 'no-address' ? ({ ...evidence, mxSecurity: 'insecure' } as const) : evidence
    const doubt = doubtDenial(settings, denied, plan.text, planner.request)
    return doubt === undefined ? plan : deferred(policyDomain, doubt, false)
  }
  if (hosts.length === 0) return believed(nullMx(policyDomain))
  const verdict = decideDomain(settings, evidence, planner.request)
  if (verdict.action === 'defer') return deferred(policyDomain, verdict.because, false)

  const planned = await planHosts(planner, evidence, hosts, planner.mxPort)
  const plan = await withoutThisMachine(planner, planned, mx.status === 'found' ? mx.records : [])
  return believed(orUndeliverable(plan, policyDomain))
}

/** Undeliverable where no host is left: this machine is the best one, and has sent the message on all the same. */
async function withoutThisMachine(planner: Planner, plan: Plan, records: readonly RecordData['MX'][]): Promise<Plan> {
  if (planner.isOwn === undefined || plan.status !== 'hosts') return plan
  const preferenceOf = (name: string) =>
    Math.min(...records.filter(({ exchange }) => exchange === name).map(({ preference }) => preference))
  const hosts = await preferredToThisMachine(plan.hosts, records.length > 0 ? preferenceOf : () => 0, planner.isOwn)
  if (hosts.length > 0 || plan.hosts.length === 0) return { ...plan, hosts }
  const { policyDomain } = plan.domain
  const text = `mail for ${policyDomain} loops back: its best host is this machine, which does not deliver it (RFC 5321 5.1)`
  return { status: 'undeliverable', why: 'mail-loop', text }
}

function deferred(domain: string, because: Reason, bogus: boolean): Plan {
  return { status: 'deferred', domain, because, bogus }
}

/** A host that another plugin named: a relay, a static route. */
export interface StaticHost {
  readonly name: string
  /** where the route gives it beside the name */
  readonly address: string | undefined
  readonly port: number
  readonly credentials: boolean
}

/**
 * Plans for one host that did not come from MX records: DANE by its own name (D30), and MTA-STS, whose policy domain it is where
 * it is named by a domain name (RFC 8461 §3.4).
 */
export async function planStaticHost(
  planner: Planner,
  { name, address, port, credentials }: StaticHost,
): Promise<{ readonly domain: DomainEvidence; readonly host: PlannedHost }> {
  const policyDomain = addressLiteral(name) ?? toAsciiDomain(name) ?? name
  const domain = withoutLookups(policyDomain, 'static')
  const [host] = await decideHosts(planner, domain, [policyDomain], port, { address, credentials })
  if (host === undefined) throw new Error(`no plan for ${policyDomain}`)
  if (!mayHavePolicy(planner, host)) return { domain, host }
  const withPolicy = { ...domain, sts: await planner.stsPolicyFor?.(policyDomain) }
  return { domain: withPolicy, host: decideAnew(host, { domain: withPolicy }) }
}

/** Names that are not in the public DNS, or not to be asked for (RFC 6761, RFC 6762, RFC 8375, RFC 9476). */
const SPECIAL_USE = /(?:^|\.)(?:local|internal|home\.arpa|test|localhost|invalid|onion|alt)$/

/** Whether a relay is worth a lookup. One in our own network is found by our own names and addresses. */
function mayHavePolicy(planner: Planner, { name, addresses, verdict }: PlannedHost): boolean {
  if (verdict.settings.mtaSts === 'disable' || isReport(planner)) return false
  if (planner.privateHostsHavePolicies) return isIP(name) === 0 && name.includes('.')
  return isIP(name) === 0 && name.includes('.') && !SPECIAL_USE.test(name) && addresses.some(isPublicAddress)
}

/** The verdict on a host when something else is known, with the settings and for the message of the first one. */
export function decideAnew(
  host: PlannedHost,
  { domain, tlsa = host.evidence.tlsa }: { readonly domain: DomainEvidence; readonly tlsa?: TlsaEvidence },
): PlannedHost {
  const evidence = { ...host.evidence, tlsa }
  const { attempt, verdict } = host
  return { ...host, evidence, verdict: decideHost({ settings: verdict.settings, domain, host: evidence, attempt }) }
}

function domainEvidence(policyDomain: string, mx: Answered, sts: StsEvidence | undefined): DomainEvidence {
  const expanded = mx.canonicalName === policyDomain ? undefined : mx.canonicalName
  const isImplicitMx = mx.status === 'absent'
  return { policyDomain, route: 'mx', mxSecurity: mx.security, isImplicitMx, expandedNextHop: expanded, sts }
}

type Answered = Exclude<Answer<'MX'>, { status: 'failed' }>

function withoutLookups(name: string, route: DomainEvidence['route']): DomainEvidence {
  const mxSecurity: MxSecurity = 'not-looked-up'
  return { policyDomain: name, route, mxSecurity, isImplicitMx: false, expandedNextHop: undefined, sts: undefined }
}

type Given = Pick<StaticHost, 'address' | 'credentials'>
const FOUND_BY_DNS: Given = { address: undefined, credentials: false }

async function planHosts(
  planner: Planner,
  domain: DomainEvidence,
  names: readonly string[],
  port: number,
): Promise<Plan> {
  return { status: 'hosts', domain, hosts: await decideHosts(planner, domain, names, port, FOUND_BY_DNS) }
}

async function decideHosts(
  planner: Planner,
  domain: DomainEvidence,
  names: readonly string[],
  port: number,
  { address, credentials }: Given,
): Promise<PlannedHost[]> {
  const trust = trustIn(domain)
  // all lookups for a domain share its places, those of preferred hosts first, whichever zone a host is in
  const lookup: Lookup = (asked, type, options) =>
    planner.lookup(asked, type, { ...options, group: domain.policyDomain })
  const gathering = names.map((name) => {
    const asksTlsa = usesTlsa(planner.settingsFor(name, trust), trust) && !isReport(planner)
    return gatherHost(lookup, name, port, asksTlsa, planner.family)
  })
  const evidence = await awaitHosts(names, gathering, planner.timeout, planner.givenUp)
  const attempt = { credentials, mayRelax: planner.mayRelax, request: planner.request }

  return evidence.map((found) => {
    const host = reachedAt(found, address)
    const addresses = host.addresses.status === 'found' ? host.addresses.addresses : []
    const settings = planner.settingsFor(host.name, { ...trust, addresses })
    return {
      name: host.name,
      port,
      ...{ addresses, evidence: host, attempt },
      verdict: decideHost({ settings, domain, host, attempt }),
    }
  })
}

/** An address that a route gives beside the name is where it leads, unless DNS cannot say what the name stands for (D31). */
function reachedAt(host: HostEvidence, address: string | undefined): HostEvidence {
  if (address === undefined || host.addresses.status === 'failed') return host
  return { ...host, addresses: { status: 'found', addresses: [address] } }
}

/** How far a host's name can be trusted when rules ask for it. */
function trustIn({ mxSecurity, sts }: DomainEvidence): MxTrust {
  return { mxIsSecure: mxSecurity !== 'insecure', stsEnforced: sts?.policy?.mode === 'enforce' }
}

function usesTlsa(settings: HostSettings, { mxIsSecure }: MxTrust): boolean {
  if (settings.dane === 'disable') return false
  return mxIsSecure || settings.insecureMx !== 'may'
}

/** A TLS report of ours keeps to no policy of the domain: there is nothing to look up (R22). */
function isReport({ request }: Planner): boolean {
  return request === 'tls-report'
}

/** Hosts in MX order, equal preferences shuffled (RFC 5321 §5.1, D19); a null MX among others means nothing (RFC 7505 §3). */
export function sortByPreference(records: readonly RecordData['MX'][], random: () => number): string[] {
  const hosts = records.filter(({ exchange }) => exchange !== '')
  const shuffled = hosts.map((mx) => ({ mx, order: random() }))
  shuffled.sort((a, b) => a.mx.preference - b.mx.preference || a.order - b.order)
  return [...new Set(shuffled.map(({ mx }) => mx.exchange))].slice(0, MAX_HOSTS)
}

/** An address literal's address: [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 §4.1.3). */
function addressLiteral(domain: string): string | undefined {
  const inner = /^\[(?:IPv6:)?(.+)\]$/i.exec(domain)?.[1]
  if (inner !== undefined && isIP(inner) !== 0) return inner
  return isIP(domain) === 0 ? undefined : domain
}

/** The domain says that it takes no mail. */
export function nullMx(domain: string): Undeliverable {
  return { status: 'undeliverable', why: 'null-mx', text: `${domain} sends and receives no mail (null MX, RFC 7505)` }
}

/** A domain whose hosts surely have no address gets no mail, ever. Without MX records it is its own host (RFC 5321 §5.1). */
function orUndeliverable(plan: Plan, domain: string): Plan {
  if (plan.status !== 'hosts' || plan.hosts.length === 0) return plan
  if (plan.hosts.some(({ evidence }) => evidence.addresses.status !== 'absent')) return plan
  if (plan.domain.isImplicitMx)
    return { status: 'undeliverable', why: 'no-mail-host', text: `${domain} has no MX record and no address` }
  const names = plan.hosts.slice(0, MOST_NAMED).map(({ name }) => name)
  const more = plan.hosts.length > MOST_NAMED ? ` and ${plan.hosts.length - MOST_NAMED} more` : ''
  const text = `no host of ${domain} has an address: ${names.join(', ')}${more} (RFC 5321 5.1)`
  return { status: 'undeliverable', why: 'no-address', text }
}
