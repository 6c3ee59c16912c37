/**
 * Settings as people write them, and who did.
 *
 * @module
 */

import { RULE_FIELDS, RULE_KEYS, type HostSettings, type RuleKey, type SetBy, type Settings } from '../../lib/settings'

export interface ShownSetting {
  /** as it is written in the file */
  readonly key: string
  /** as it would be written there; undefined: empty */
  readonly value: string | undefined
  readonly setBy: SetBy
  /** when the rule that set it stops matching */
  readonly until: Date | undefined
}

/** All that rules may set, in the order of the documentation. */
export function settingsShown(decided: HostSettings, { rules }: Settings): readonly ShownSetting[] {
  return RULE_FIELDS.map((field) => {
    const setBy = decided.setBy[field]
    const rule = rules.find(({ name }) => setBy.section === `[rule:${name}]`)
    return { key: RULE_KEYS[field].name, value: valueText(field, decided), setBy, until: rule?.until }
  })
}

/** Those of a host that are not as they are for the domain. */
export function differingSettings(host: HostSettings, domain: HostSettings, all: Settings): readonly ShownSetting[] {
  const ofDomain = settingsShown(domain, all)
  return settingsShown(host, all).filter(
    ({ value, setBy }, index) => value !== ofDomain[index]?.value || setBy.section !== ofDomain[index]?.setBy.section,
  )
}

function valueText(field: RuleKey, decided: HostSettings): string | undefined {
  const value = decided[field]
  return typeof value === 'number' ? `${value / 1000}s` : value?.toString()
}
