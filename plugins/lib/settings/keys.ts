/**
 * How keys are declared and sections read: each key has a name, a kind of value and a default; what is not declared is
 * an error, and so is every value that its kind does not accept.
 *
 * @module
 */

import { configurationError, type ConfigurationError, type Place } from './errors'

/** A kind of value. */
export interface ValueKind<Value> {
  /** what is accepted, to go behind "accepted:" */
  readonly accepted: string
  /** @returns undefined for what is not accepted */
  readonly read: (text: string) => Value | undefined
}

/** One key of a section. */
export interface Key<Value> {
  /** as it is written: `dane`, `resolver[]` */
  readonly name: string
  readonly default: Value
  readonly accepted: string
  readonly read: (texts: readonly string[]) => { readonly value: Value } | { readonly refused: string }
}

/** The keys of a section, by the names of the fields that they fill. */
export type KeysOf<Values> = { readonly [Field in keyof Values]-?: Key<Values[Field]> }

/** What a section says, defaults left out, and what is wrong with it. */
export interface SectionReading<Values> {
  readonly values: Partial<Values>
  readonly errors: readonly ConfigurationError[]
}

/** A key with one value. */
export function key<Value>(name: string, kind: ValueKind<Value>, byDefault: Value): Key<Value> {
  return {
    name,
    default: byDefault,
    accepted: `accepted: ${kind.accepted}`,
    read: ([text = '']) => {
      const value = kind.read(text)
      return value === undefined ? { refused: text } : { value }
    },
  }
}

/** A key that may be left empty, which means what it means to leave it out. */
export function optionalKey<Value>(name: string, kind: ValueKind<Value>): Key<Value | undefined> {
  const { accepted, read } = key<Value | undefined>(name, kind, undefined)
  return {
    name,
    default: undefined,
    accepted,
    read: (texts) => (texts[0] === '' ? { value: undefined } : read(texts)),
  }
}

/** A key that is written once for each of its values, with `[]` behind its name. */
export function listKey<Value>(name: `${string}[]`, kind: ValueKind<Value>): Key<readonly Value[] | undefined> {
  return {
    name,
    default: undefined,
    accepted: `accepted in each line: ${kind.accepted}`,
    read: (texts) => {
      const read = texts.map((text) => kind.read(text))
      const refused = texts.find((_text, index) => read[index] === undefined)
      return refused === undefined ? { value: read.filter((value) => value !== undefined) } : { refused }
    },
  }
}

/** All keys at their defaults. */
export function defaultsOf<Values extends object>(keys: KeysOf<Values>): Values {
  const fields = Object.entries<Key<unknown>>(keys)
  return Object.fromEntries(fields.map(([field, key]) => [field, key.default])) as Values
}

/** Reads one section of what haraka-config gives. Total: whatever `section` is, the result says what is wrong with it. */
export function readSection<Values extends object>(
  keys: KeysOf<Values>,
  section: unknown,
  place: Place,
): SectionReading<Values> {
  const declared = new Map(
    Object.entries<Key<unknown>>(keys).map(([field, key]) => [key.name.replace('[]', ''), { field, key }]),
  )
  const values: Record<string, unknown> = {}
  const errors: ConfigurationError[] = []
  for (const [name, raw] of Object.entries(isSection(section) ? section : {})) {
    const known = declared.get(name)
    if (known === undefined) {
      errors.push(configurationError(place, name, oneLine(raw), `unknown key, accepted: ${namesOf(keys).join(', ')}`))
      continue
    }
    const reading = readKey(known.key, raw)
    if ('value' in reading) values[known.field] = reading.value
    else errors.push(configurationError(place, known.key.name, reading.refused, reading.accepted))
  }
  return { values: values as Partial<Values>, errors }
}

function readKey(
  key: Key<unknown>,
  raw: unknown,
): { readonly value: unknown } | { readonly refused: string | undefined; readonly accepted: string } {
  const isList = key.name.endsWith('[]')
  const single = key.name.replace('[]', '')
  if (Array.isArray(raw) !== isList) {
    const form = isList
      ? `write ${key.name} = VALUE, one line for each`
      : `write ${single} = VALUE, once and without []`
    return { refused: oneLine(raw), accepted: form }
  }
  const texts = (Array.isArray(raw) ? raw : [raw]).map(textOf)
  if (texts.some((text) => text === undefined)) return { refused: undefined, accepted: key.accepted }
  const reading = key.read(texts.filter((text) => text !== undefined))
  return 'value' in reading ? reading : { refused: reading.refused, accepted: key.accepted }
}

/** haraka-config makes numbers of what looks like one; a JSON override may hold booleans too. */
function textOf(raw: unknown): string | undefined {
  if (typeof raw === 'string') return raw
  return typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : undefined
}

function oneLine(raw: unknown): string | undefined {
  return Array.isArray(raw) ? raw.map((item) => textOf(item) ?? '').join(', ') : textOf(raw)
}

/** The keys of a section as they are written. */
export function namesOf<Values extends object>(keys: KeysOf<Values>): readonly string[] {
  return Object.values<Key<unknown>>(keys).map(({ name }) => name)
}

/** Whether this is what a section looks like: an object that is no array. */
export function isSection(section: unknown): section is Readonly<Record<string, unknown>> {
  return typeof section === 'object' && section !== null && !Array.isArray(section)
}

/** Some fields of an object: those of `fields` that it has. */
export function pick<Values extends object, Field extends keyof Values>(
  from: Values,
  fields: readonly Field[],
): Pick<Values, Field> {
  const present = fields.filter((field) => field in from)
  return Object.fromEntries(present.map((field) => [field, from[field]])) as Pick<Values, Field>
}
