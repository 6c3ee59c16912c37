/**
 * Reports, archives and messages that are bent at random, where it matters: in the tree of a JSON value, in its text, in bytes.
 *
 * @module
 */

import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import {
  appendixBReports,
  bentReports,
  googleReports,
  microsoftReports,
  moxReports,
  otherReports,
  postfixReports,
  stalwartReports,
} from './corpus/index.ts'

type Json = null | boolean | number | string | Container
type Container = Json[] | { [name: string]: Json }

const specimens = [
  ...googleReports,
  ...microsoftReports,
  ...otherReports,
  ...moxReports,
  ...stalwartReports,
  ...postfixReports,
  ...appendixBReports,
  ...bentReports,
]

const texts: readonly string[] = specimens.flatMap(({ content }) => {
  try {
    return [JSON.stringify(JSON.parse((content[0] === 0x1f ? gunzipSync(content) : content).toString()))]
  } catch {
    return [] // bent in its bytes, which is for other tests
  }
})

const strange = fc.constantFrom<Json>(
  null,
  true,
  0,
  -1,
  0.5,
  1e12,
  1e300,
  '',
  '7',
  ' 7 ',
  'sts',
  '\0',
  '\u2028\ud800',
  'é'.repeat(300),
  'x'.repeat(1500),
  '2026-09-30',
  '2026-09-30T00:00:00+23:59',
  '192.0.2.1',
  '::ffff:192.0.2.1',
  'mx.example.org',
  [],
  [[]],
  [null, 1, 'x', {}, []],
  {},
  { toString: 1, valueOf: null },
  { policy: { 'policy-type': 'sts' }, summary: { 'total-successful-session-count': 1 } },
  { 'result-type': 'tlsa-invalid', 'failed-session-count': 2 },
  Array.from({ length: 40 }, (_, index) => ({ 'result-type': `type-${index}`, 'failed-session-count': index })),
)
const names = fc.constantFrom(
  'policies',
  'policy',
  'failure-details',
  'summary',
  'report-id',
  '__proto__',
  'constructor',
  '',
)
const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

type Change = (text: string) => string

/** Another value, a member more, a member less, an element twice: somewhere in the tree. */
const treeChange: fc.Arbitrary<Change> = fc
  .tuple(where, fc.constantFrom('replace', 'add', 'remove', 'repeat'), strange, names)
  .map(([at, how, value, name]) => (text) => {
    const tree = JSON.parse(text) as Json
    const nodes = containers(tree)
    const node = nodes[Math.floor(at * nodes.length)]
    if (node !== undefined) changeNode(node, at * nodes.length * 7, how, value, name)
    return JSON.stringify(tree)
  })

function containers(tree: Json): Container[] {
  if (typeof tree !== 'object' || tree === null) return []
  return [tree, ...Object.values(tree).flatMap(containers)]
}

function changeNode(node: Container, at: number, how: string, value: Json, name: string): void {
  const keys = Object.keys(node)
  const key = keys[Math.floor(at) % Math.max(1, keys.length)] ?? name
  const members = node as Record<string, Json>
  if (how === 'replace') members[key] = value
  else if (how === 'add' && !Array.isArray(node)) Object.defineProperty(node, name, { value, enumerable: true })
  else if (how === 'add' || how === 'repeat') {
    if (Array.isArray(node)) node.push(...(how === 'repeat' ? node.slice(0, 20) : [value]))
  } else if (!Array.isArray(node)) Reflect.deleteProperty(node, key)
}

const pieces = fc.constantFrom(
  '',
  ',',
  ':',
  '[',
  ']',
  '{',
  '}',
  '"',
  '\\',
  '\\u0022',
  '\\ud83d',
  ' ',
  '\n',
  '\ufeff',
  '[]',
  '{},',
  '"policies":[',
  '"failure-details":[',
  '"report-id":"2",',
  '['.repeat(40),
  '-1',
  '1e999',
)

/** A piece put in, and some of what was there taken out: somewhere in the text. */
const textChange: fc.Arbitrary<Change> = fc.tuple(where, fc.nat(6), pieces).map(([at, remove, piece]) => (text) => {
  const index = Math.floor(at * (text.length + 1))
  return text.slice(0, index) + piece + text.slice(index + remove)
})

/** White space between all tokens, keys with escapes: the same value. */
const spellings: readonly Change[] = [
  (text) => text,
  (text) => JSON.stringify(JSON.parse(text), undefined, 2),
  (text) => JSON.stringify(JSON.parse(text), undefined, '\r\n\t'),
  (text) =>
    text.replaceAll('"policies"', '"\\u0070olicies"').replaceAll('"failure-details"', '"failure\\u002ddetails"'),
]

/** Reports that are still JSON. */
export const wellFormed: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...texts), fc.array(treeChange, { maxLength: 3 }), fc.constantFrom(...spellings))
  .map(([text, changes, spell]) => spell(changes.reduce((current, change) => change(current), text)))

/** Reports whose text has been changed. */
export const malformed: fc.Arbitrary<string> = fc
  .tuple(wellFormed, fc.array(textChange, { minLength: 1, maxLength: 3 }))
  .map(([text, changes]) => changes.reduce((current, change) => change(current), text))

/** Bytes with some of them exchanged, taken out or cut off. */
export function bent(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const change = fc.tuple(where, fc.constantFrom('flip', 'remove', 'insert', 'cut', 'repeat'), fc.nat(255))
  return fc
    .tuple(bytes, fc.array(change, { maxLength: 3 }))
    .map(([original, changes]) =>
      changes.reduce(
        (current, [at, how, value]) => bendAt(current, Math.floor(at * current.length), how, value),
        original,
      ),
    )
}

function bendAt(bytes: Buffer, at: number, how: string, value: number): Buffer {
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  if (how === 'flip') return Buffer.concat([before, Buffer.from([value]), after.subarray(1)])
  if (how === 'remove') return Buffer.concat([before, after.subarray(1 + (value % 8))])
  if (how === 'insert') return Buffer.concat([before, Buffer.alloc(1 + (value % 8), value), after])
  if (how === 'repeat') return Buffer.concat([bytes, after])
  return before
}

/** Sizes of chunks. */
export const chunkSize: fc.Arbitrary<number> = fc.oneof(
  { arbitrary: fc.constant(1_000_000), weight: 12 },
  { arbitrary: fc.integer({ min: 300, max: 900 }), weight: 10 },
  { arbitrary: fc.integer({ min: 7, max: 40 }), weight: 1 },
)
