/**
 * Rules: `[rule:NAME]` sections, which override `[main]` for the deliveries that they match.
 *
 * @module
 */

import { DAY } from '../time'
import { configurationError, type ConfigurationError, type Place } from './errors'
import { isSection, namesOf, pick, readSection } from './keys'
import { matchesName, normalName, compilePatterns, type NamePatterns } from './names'
import { normalAddress } from './kinds'
import type { Conditions, DeliveryFacts, Rule, RuleKey, RuleSettings, SetBy } from './settings'
import { CONDITION_KEYS, RULE_FIELDS, RULE_KEYS, RULE_NOTE_KEYS, type ConditionValues } from './tables'

const NOTICE_DAYS = 7

/** Reads a `[rule:NAME]` section. A rule comes back even with errors, so that all of a file's are found at once. */
export function readRule(
  file: string,
  heading: string,
  section: unknown,
): { readonly rule: Rule; readonly errors: readonly ConfigurationError[] } {
  const place = { file, section: `[${heading}]` }
  const { values, errors } = readSection({ ...CONDITION_KEYS, ...RULE_NOTE_KEYS, ...RULE_KEYS }, section, place)
  const sets = pick(values, RULE_FIELDS)
  const rule: Rule = {
    name: heading.slice('rule:'.length),
    reason: values.reason,
    until: values.until,
    conditions: compileConditions(values),
    sets,
    setBy: setByRule(place.section, sets, values.reason),
  }
  return { rule, errors: [...errors, ...contradictions(place, section, sets)] }
}

function compileConditions(values: Partial<ConditionValues>): Conditions {
  const patterns = (list: readonly string[] | undefined) => (list === undefined ? undefined : compilePatterns(list))
  return {
    rcptDomain: patterns(values.rcptDomain),
    mx: patterns(values.mx),
    senderDomain: patterns(values.senderDomain),
    sender: values.sender && new Set(values.sender),
    retryNum: values.retryNum,
    lastError: values.lastError && new Set(values.lastError),
    route: values.route,
  }
}

function setByRule(section: string, sets: Partial<RuleSettings>, reason: string | undefined): Rule['setBy'] {
  const setBy = (key: RuleKey): SetBy => ({
    section,
    key: RULE_KEYS[key].name,
    ...(reason === undefined ? {} : { reason }),
    explicit: true,
  })
  return Object.fromEntries((Object.keys(sets) as RuleKey[]).map((key) => [key, setBy(key)]))
}

function contradictions(place: Place, section: unknown, sets: Partial<RuleSettings>): readonly ConfigurationError[] {
  const errors: ConfigurationError[] = [...disabledButRequired(place, sets)]
  const written = new Set(isSection(section) ? Object.keys(section) : [])
  const isForRoutes = isSection(section) && section['if-route'] === 'static'
  const has = (names: readonly string[]) => names.some((name) => written.has(name.replace('[]', '')))
  if (!/^rule:\S(?:.{0,98}\S)?$/.test(place.section.slice(1, -1))) {
    errors.push(
      configurationError(place, undefined, undefined, 'a rule needs a name of at most 100 characters: [rule:NAME]'),
    )
  }
  if (!has(namesOf(CONDITION_KEYS))) {
    const accepted = `a rule needs at least one condition: ${namesOf(CONDITION_KEYS).join(', ')}`
    errors.push(configurationError(place, undefined, undefined, accepted))
  }
  if (!has(namesOf(RULE_KEYS))) {
    const accepted = `a rule needs at least one key to set: ${namesOf(RULE_KEYS).join(', ')}`
    errors.push(configurationError(place, undefined, undefined, accepted))
  }
  if (written.has('if-mx') && written.has('mta-sts') && !isForRoutes) {
    const accepted =
      'not in a rule with if-mx[] (but for if-route = static): MTA-STS is decided before the MX host is known'
    errors.push(configurationError(place, 'mta-sts', sets.mtaSts, accepted))
  }
  return errors
}

/** STARTTLS that is never used cannot satisfy a `require` that the same section makes. */
export function disabledButRequired(
  place: Place,
  sets: Partial<RuleSettings>,
  because = 'starttls = disable in the same section',
): readonly ConfigurationError[] {
  if (sets.starttls !== 'disable') return []
  return (['dane', 'mtaSts'] as const)
    .filter((key) => sets[key] === 'require')
    .map((key) => configurationError(place, RULE_KEYS[key].name, 'require', `contradicts ${because}`))
}

/** The facts with each name in its normal form, made once for all rules. */
export function normalFacts(facts: DeliveryFacts): DeliveryFacts {
  return {
    ...facts,
    recipientDomain: normalName(facts.recipientDomain),
    sender: normalAddress(facts.sender),
    senderDomain: normalName(facts.senderDomain),
  }
}

/**
 * Whether a rule matches a delivery to a host.
 *
 * @param facts - in normal form
 * @param mx - the host's name in normal form; undefined while it is not known, when no rule with `if-mx` matches
 */
export function ruleMatches(rule: Rule, facts: DeliveryFacts, mx: string | undefined, now: Date): boolean {
  if (rule.until !== undefined && now >= rule.until) return false
  const { rcptDomain, senderDomain, sender, retryNum, lastError, route } = rule.conditions
  return (
    named(rcptDomain, facts.recipientDomain) &&
    named(rule.conditions.mx, mx) &&
    named(senderDomain, facts.senderDomain) &&
    (sender === undefined || sender.has(facts.sender)) &&
    (retryNum === undefined || (facts.retryNumber >= retryNum.from && facts.retryNumber <= retryNum.to)) &&
    (lastError === undefined || failedFor(lastError, facts)) &&
    (route === undefined || route === facts.route)
  )
}

function named(patterns: NamePatterns | undefined, name: string | undefined): boolean {
  if (patterns === undefined) return true
  return name !== undefined && matchesName(patterns, name)
}

function failedFor(wanted: NonNullable<Conditions['lastError']>, { lastErrors }: DeliveryFacts): boolean {
  return lastErrors.size === 0 ? wanted.has('none') : [...lastErrors].some((error) => wanted.has(error))
}

/** A rule that will soon stop matching. */
export interface ExpiringRule {
  readonly name: string
  readonly until: Date
  /** 1 on the last day */
  readonly daysLeft: number
  readonly reason?: string
}

/** The rules that stop matching within seven days, each worth one WARN a day. */
export function expiringRules(settings: { readonly rules: readonly Rule[] }, now: Date): readonly ExpiringRule[] {
  return settings.rules.flatMap(({ name, until, reason }) => {
    if (until === undefined) return []
    const daysLeft = Math.ceil((until.getTime() - now.getTime()) / DAY)
    if (daysLeft < 1 || daysLeft > NOTICE_DAYS) return []
    return [{ name, until, daysLeft, ...(reason === undefined ? {} : { reason }) }]
  })
}
