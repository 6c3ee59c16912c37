/**
 * All rules applied: what the settings come to for one host of one delivery.
 *
 * @module
 */

import { matchesHostList } from './haraka'
import { pick } from './keys'
import { normalName } from './names'
import { normalFacts, ruleMatches } from './rules'
import type { DeliveryFacts, HostSettings, MxTrust, Rule, RuleKey, RuleSettings, SetBy, Settings } from './settings'
import { RULE_FIELDS } from './tables'

/** The keys that rules set, and who set each. */
interface Decided {
  readonly values: RuleSettings
  readonly setBy: Readonly<Record<RuleKey, SetBy>>
}

/** Nothing is known about the name: then it is whatever an attacker says, and the domain's policy is a strict one. */
const NO_TRUST: MxTrust = { mxIsSecure: false, stsEnforced: true }

const BY_STATIC_ROUTE: SetBy = { section: 'static route', key: 'allow-invalid-certs', explicit: false }
const BY_FORCE_TLS_HOSTS: SetBy = { section: 'tls.ini [outbound]', key: 'force_tls_hosts[]', explicit: true }

/**
 * What the settings come to for one host.
 *
 * @param mx - the host's name; undefined before it is known, when only what concerns the domain (`mtaSts`) has a meaning
 * @param trust - what is known about that name; left out, nothing
 */
export function settingsFor(
  settings: Settings,
  facts: DeliveryFacts,
  mx: string | undefined,
  now: Date,
  trust: MxTrust = NO_TRUST,
): HostSettings {
  const delivery = normalFacts(facts)
  const host = mx === undefined ? undefined : normalName(mx)
  const matching = settings.rules.filter((rule) => ruleMatches(rule, delivery, host, now))
  const names = host === undefined ? [delivery.recipientDomain] : [host, delivery.recipientDomain]
  const harakaTls = harakaTlsFor(settings, names, trust.addresses ?? [])

  const apply = (rules: readonly Rule[]): Decided => {
    const decided = firstRuleDecides(settings, rules)
    const routed = delivery.route === 'static' ? stsOnlyWhereAsked(pkixOnlyWhereAsked(decided, rules), rules) : decided
    return harakaTls === 'force' ? forced(routed) : routed
  }
  const all = apply(matching)
  const namedByTheirMx = matching.some((rule) => rule.conditions.mx !== undefined)
  if (!namedByTheirMx || trust.mxIsSecure || delivery.route === 'static') {
    return { ...all.values, harakaTls, setBy: all.setBy, keptAgainstMxRules: [] }
  }
  const without = apply(matching.filter((rule) => rule.conditions.mx === undefined))
  const kept = keysToKeep(all.values, without.values, trust.stsEnforced ?? true)
  return {
    ...all.values,
    ...pick(without.values, kept),
    harakaTls,
    setBy: { ...all.setBy, ...pick(without.setBy, kept) },
    keptAgainstMxRules: kept,
  }
}

/** In file order, the first rule that sets a key decides it; `[main]` decides the rest. */
function firstRuleDecides(settings: Settings, rules: readonly Rule[]): Decided {
  return rules.reduceRight<Decided>(
    ({ values, setBy }, rule) => ({ values: { ...values, ...rule.sets }, setBy: { ...setBy, ...rule.setBy } }),
    decidedByMain(settings),
  )
}

/** Without rules it is the same for every host of every delivery. */
const byMain = new WeakMap<Settings, Decided>()

function decidedByMain(settings: Settings): Decided {
  const known = byMain.get(settings)
  if (known !== undefined) return known
  const decided = { values: pick(settings.main, RULE_FIELDS), setBy: settings.setBy }
  byMain.set(settings, decided)
  return decided
}

/** A host that another plugin named often has no name to prove: only a rule for static routes asks for PKIX there. */
function pkixOnlyWhereAsked(decided: Decided, rules: readonly Rule[]): Decided {
  const asking = rules.find(({ conditions, sets }) => conditions.route === 'static' && 'allowInvalidCerts' in sets)
  const setBy = asking?.setBy.allowInvalidCerts ?? BY_STATIC_ROUTE
  return override(decided, { allowInvalidCerts: asking?.sets.allowInvalidCerts ?? true }, setBy)
}

/** `mta-sts = require` is meant for recipient domains: a relay must have a policy only where a rule for static routes says so. */
function stsOnlyWhereAsked(decided: Decided, rules: readonly Rule[]): Decided {
  if (decided.values.mtaSts !== 'require') return decided
  const asking = rules.find(({ conditions, sets }) => conditions.route === 'static' && 'mtaSts' in sets)
  const setBy = asking?.setBy.mtaSts ?? { ...BY_STATIC_ROUTE, key: 'mta-sts' }
  return override(decided, { mtaSts: asking?.sets.mtaSts ?? 'optional' }, setBy)
}

/** Haraka's force_tls_hosts: STARTTLS is required, with PKIX, whatever the rules say. */
function forced(decided: Decided): Decided {
  return override(decided, { starttls: 'require', allowInvalidCerts: false }, BY_FORCE_TLS_HOSTS)
}

function override({ values, setBy }: Decided, changes: Partial<RuleSettings>, by: SetBy): Decided {
  const changedBy = Object.fromEntries(Object.keys(changes).map((key) => [key, by]))
  return { values: { ...values, ...changes }, setBy: { ...setBy, ...changedBy } }
}

/**
 * Behind an insecure MX record the host's name is whatever an attacker says. Rules with `if-mx` then lower nothing that
 * an enforced STS policy or a `require` demands. What they cannot lower anyway needs no keeping: an enforced policy asks
 * for PKIX whatever allow-invalid-certs says, skips a host whose STARTTLS is disabled, and clear text, relaxing and
 * insecure-mx have no say where TLS is required.
 *
 * @returns the keys that stay as they are without these rules
 */
function keysToKeep(all: RuleSettings, without: RuleSettings, stsEnforced: boolean): readonly RuleKey[] {
  const required = without.dane === 'require' || without.mtaSts === 'require' || without.starttls === 'require'
  const lowered: Partial<Record<RuleKey, boolean>> = {
    dane: without.dane === 'require' && all.dane !== 'require',
    starttls: without.starttls === 'require' && all.starttls !== 'require',
    allowInvalidCerts: without.starttls === 'require' && all.allowInvalidCerts && !without.allowInvalidCerts,
    audit: (required || stsEnforced) && all.audit && !without.audit,
    // which of two lists is the stricter one nobody can tell
    ciphers: (required || stsEnforced) && all.ciphers !== without.ciphers,
    // versions compare as strings: TLSv1 < TLSv1.1 < TLSv1.2 < TLSv1.3
    minTlsVersion: (required || stsEnforced) && all.minTlsVersion < without.minTlsVersion,
  }
  return RULE_FIELDS.filter((key) => lowered[key] === true)
}

function harakaTlsFor(
  settings: Settings,
  names: readonly string[],
  addresses: readonly string[],
): HostSettings['harakaTls'] {
  const { forceTls, noTls } = settings.haraka
  if (matchesHostList(forceTls, names, addresses)) return 'force'
  return matchesHostList(noTls, names, addresses) ? 'none' : undefined
}
