/**
 * Rules, and what they make of the settings: those that end, when; those that ask for less than `[main]`, that they never do.
 *
 * @module
 */

import {
  CONDITION_KEYS,
  RULE_FIELDS,
  RULE_KEYS,
  type Conditions,
  type Rule,
  type RuleKey,
  type RuleSettings,
} from '../../lib/settings'
import { timeOrNull, type Time } from '../../views'
import type { Answer } from './answer'
import type { Sources } from './sources'

export interface ShownRule {
  readonly name: string
  /** conditions as they stand in the file: `if-mx[] = mx.example.org` */
  readonly conditions: readonly string[]
  /** what it sets: `allow-invalid-certs = true` */
  readonly sets: readonly string[]
  /** whether it asks for less than `[main]` does, or only looks on (`audit`) */
  readonly weakens: boolean
  readonly until: Time | null
  /** `never`: it has no end */
  readonly state: 'in-force' | 'ends-soon' | 'ended' | 'never-ends'
  readonly reason: string | null
}

export interface ExemptionsData {
  /** what `[main]` itself lets through: `audit = true` */
  readonly main: readonly string[]
  /** those that end first, then those that never do, then those that have ended */
  readonly rules: readonly ShownRule[]
}

const SOON = 7 * 86_400_000

export function exemptionsOf({ settings, now }: Pick<Sources, 'settings' | 'now'>): ExemptionsData {
  const { main, rules } = settings
  const at = now()
  const shown = rules.map((rule) => shownRule(rule, main, at))
  return { main: laxitiesOf(main), rules: shown.sort((a, b) => rank(a) - rank(b)) }
}

export function readExemptions(sources: Sources): Promise<Answer<ExemptionsData>> {
  return Promise.resolve({ ok: true, data: exemptionsOf(sources) })
}

function rank({ state, until }: ShownRule): number {
  if (state === 'ended') return Infinity
  return until === null ? Number.MAX_SAFE_INTEGER : Date.parse(until)
}

function shownRule({ name, conditions, sets, until, reason }: Rule, main: RuleSettings, now: number): ShownRule {
  const keys = RULE_FIELDS.filter((key) => key in sets)
  return {
    name,
    conditions: conditionTexts(conditions),
    sets: keys.map((key) => keyText(key, sets)),
    weakens: keys.some((key) => isWeaker(key, sets, main)),
    until: timeOrNull(until?.getTime()),
    state: stateOf(until?.getTime(), now),
    reason: reason ?? null,
  }
}

function stateOf(until: number | undefined, now: number): ShownRule['state'] {
  if (until === undefined) return 'never-ends'
  if (until <= now) return 'ended'
  return until - now <= SOON ? 'ends-soon' : 'in-force'
}

/** What `[main]` lets through that it would not if nobody had touched it. */
function laxitiesOf(main: RuleSettings): readonly string[] {
  const defaults = Object.fromEntries(
    RULE_FIELDS.map((key) => [key, RULE_KEYS[key].default]),
  ) as unknown as RuleSettings
  return RULE_FIELDS.filter((key) => isWeaker(key, main, defaults)).map((key) => keyText(key, main))
}

function keyText(key: RuleKey, settings: Partial<RuleSettings>): string {
  const value = settings[key]
  return `${RULE_KEYS[key].name} = ${key === 'tlsTimeout' ? `${Number(value) / 1000}s` : String(value)}`
}

/** The values of each key, the one that asks for least first. Those of the others let nothing through. */
const FROM_WEAK_TO_STRONG: Readonly<Partial<Record<RuleKey, readonly unknown[]>>> = {
  dane: ['disable', 'optional', 'require'],
  mtaSts: ['disable', 'optional', 'require'],
  starttls: ['disable', 'optional', 'require'],
  allowInvalidCerts: [true, false],
  relaxAfterTlsFailure: [true, false],
  audit: [true, false],
  daneAndMtaSts: ['dane', 'both'],
  insecureMx: ['may', 'encrypt', 'dane'],
  plaintextFallback: [true, false],
  minTlsVersion: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
}

function isWeaker(key: RuleKey, settings: Partial<RuleSettings>, than: RuleSettings): boolean {
  const order = FROM_WEAK_TO_STRONG[key] ?? []
  return order.indexOf(settings[key]) < order.indexOf(than[key])
}

function conditionTexts({ retryNum, lastError, route, sender, ...patterns }: Conditions): readonly string[] {
  const lists: readonly (readonly [keyof Conditions, Iterable<string> | undefined])[] = [
    ...(['rcptDomain', 'mx', 'senderDomain'] as const).map((field) => {
      const { exact, below } = patterns[field] ?? {}
      return [field, exact && below && [...exact, ...[...below].map((name) => `*.${name}`)]] as const
    }),
    ['sender', sender],
    ['retryNum', retryNum && [rangeText(retryNum)]],
    ['lastError', lastError],
    ['route', route && [route]],
  ]
  return lists.flatMap(([field, values]) =>
    values === undefined ? [] : [`${CONDITION_KEYS[field].name} = ${[...values].join(', ') || '<>'}`],
  )
}

function rangeText({ from, to }: { readonly from: number; readonly to: number }): string {
  if (to === Infinity || to === Number.MAX_SAFE_INTEGER) return `>=${from}`
  return from === to ? String(from) : from === 0 ? `<=${to}` : `${from} to ${to}`
}
