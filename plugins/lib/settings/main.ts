/**
 * What is special about `[main]`: contradictions, warnings, and who set its values.
 *
 * @module
 */

import { configurationError, type ConfigurationError, type Place } from './errors'
import type { HarakaTls } from './haraka'
import { disabledButRequired } from './rules'
import type { MainSettings, RuleKey, SetBy } from './settings'
import { RULE_FIELDS, RULE_KEYS } from './tables'

/** What `[main]` cannot ask for at the same time, with Haraka's own switch taken into account. */
export function mainContradictions(
  place: Place,
  main: Partial<MainSettings>,
  haraka: HarakaTls,
): readonly ConfigurationError[] {
  const { starttls } = effectiveMain(main, haraka)
  if (starttls !== 'disable') return []
  const because = haraka.enableTls ? 'starttls = disable in [main]' : 'enable_tls = false in outbound.ini'
  const errors = [...disabledButRequired(place, { ...main, starttls }, because)]
  if (main.requiretls === true) {
    errors.push(configurationError(place, 'requiretls', 'true', `contradicts ${because}`))
  }
  if (main.starttls === 'require') {
    errors.push(configurationError(place, 'starttls', 'require', `contradicts ${because}`))
  }
  return errors
}

/** `[main]` with Haraka's own switch: `enable_tls = false` means `starttls = disable`. */
export function effectiveMain(main: Partial<MainSettings>, haraka: HarakaTls): Partial<MainSettings> {
  return haraka.enableTls ? main : { ...main, starttls: 'disable' }
}

/** Values that are accepted in `[main]`, though they are meant for rules. */
export function mainWarnings(file: string, main: Partial<MainSettings>): readonly string[] {
  const warn = (what: string, effect: string) => `${file} [main] ${what}: ${effect}. It is meant for rules.`
  const warnings: string[] = []
  if (main.dane === 'require') {
    warnings.push(warn('dane = require', 'no mail leaves for domains without DNSSEC and TLSA records, which are most'))
  }
  if (main.mtaSts === 'require') {
    warnings.push(warn('mta-sts = require', 'no mail leaves for domains without an MTA-STS policy, which are most'))
  }
  if (main.starttls === 'disable') {
    warnings.push(warn('starttls = disable', 'all mail leaves in clear text, and none where a policy demands TLS'))
  }
  if (main.allowInvalidCerts === true) {
    warnings.push(warn('allow-invalid-certs = true', 'anyone on the path can pose as a host that no policy protects'))
  }
  return warnings
}

/** Who decided each key that rules may set, where no rule does. */
export function setByMain(main: Partial<MainSettings>, haraka: HarakaTls): Readonly<Record<RuleKey, SetBy>> {
  const setBy = (field: RuleKey): SetBy => {
    if (field === 'starttls' && !haraka.enableTls) {
      return { section: 'outbound.ini', key: 'enable_tls', explicit: true }
    }
    return { section: '[main]', key: RULE_KEYS[field].name, explicit: field in main }
  }
  return Object.fromEntries(RULE_FIELDS.map((field) => [field, setBy(field)])) as Record<RuleKey, SetBy>
}
