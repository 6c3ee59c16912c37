/**
 * What the command foretells, as its tests read it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { commandNow } from '../cli/ground.ts'

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/explain.schema.json'), 'utf8')) as object
const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

export interface Reason {
  readonly code: string
  readonly text: string
  readonly source: string
}

export interface Session {
  readonly address: string
  readonly curiosity: boolean
  readonly secondTry: boolean
  readonly status: 'open' | 'refused' | 'unreachable'
  readonly because: Reason | null
}

export interface Host {
  readonly name: string
  readonly verdict: {
    readonly action: 'skip' | 'attempt'
    readonly because: Reason
    readonly terms: { readonly tls: string; readonly audit: boolean } | null
  }
  readonly settings: Readonly<Record<string, { readonly value: string; readonly setBy: string }>>
  readonly sessions: readonly Session[] | null
}

/** A part of docs/explain.schema.json. */
export interface Told {
  readonly result: {
    readonly action: 'try' | 'deliver' | 'defer' | 'bounce'
    readonly hosts: readonly string[]
    readonly host: string | null
    readonly address: string | null
    readonly level: string | null
    readonly status: string | null
    readonly text: string | null
    readonly later: string | null
  }
  readonly settings: Readonly<Record<string, { readonly value: string | null; readonly setBy: string }>>
  readonly mtaSts: {
    readonly status: string
    readonly source: string | null
    readonly why: string | null
    readonly cacheProblem: string | null
  }
  readonly hosts: readonly Host[]
  readonly advice: readonly { readonly code: string; readonly about: string; readonly text: string }[]
}

export interface Foretold {
  readonly code: number | null
  readonly told: Told
  /** the text, as it is printed */
  readonly text: string
}

/** Asks the command twice: for JSON, which is as documented, and for text, which fits 80 columns. Neither can steer a terminal. */
export async function foretell(name: 'explain' | 'probe', args: readonly string[]): Promise<Foretold> {
  const asJson = await commandNow([name, ...args, '--json'])
  const asText = await commandNow([name, ...args])
  assert.deepEqual([asText.err, asJson.err], ['', ''])
  assert.equal(asText.code, asJson.code)
  assert.match(asJson.out, /^[\n -~]*$/)
  assert.match(asText.out, /^[\n -~]*$/)
  for (const line of asText.out.split('\n')) assert.ok(line.length <= 80 || !line.trim().includes(' '), line)
  const told = JSON.parse(asJson.out) as Told
  assert.ok(isValid(told), JSON.stringify(isValid.errors))
  return { code: asText.code, told, text: asText.out }
}

/** Text is in US-ASCII, the log is not. */
export function ascii(text: string): string {
  return text.replaceAll('…', '...')
}

/** The lines as one, with single spaces: text is broken to fit 80 columns. */
export function unwrapped(text: string): string {
  return text.replace(/\s+/g, ' ')
}
