import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changesIn } from '../../dist/runtime/config-changes.js'

describe('what has changed in an ini file', () => {
  const before = { main: { audit: 'false', dane: 'optional' }, 'rule:banks': { 'if-mx': ['a', 'b'] } }
  const cases: Readonly<Record<string, readonly [after: unknown, changes: readonly string[]]>> = {
    'nothing is nothing to tell': [structuredClone(before), []],
    'another value': [{ ...before, main: { ...before.main, audit: true } }, ['[main] audit = true']],
    'a key that is left out': [{ ...before, main: { audit: 'false' } }, ['[main] dane left out']],
    'a list': [{ ...before, 'rule:banks': { 'if-mx': ['a', 'c'] } }, ['[rule:banks] if-mx = a, c']],
    'a section that is left out': [{ main: before.main }, ['[rule:banks] left out']],
    'a new section': [{ ...before, store: { retention: '7d' } }, ['[store] retention = 7d']],
    'where a password may be': [{ ...before, store: { url: 'postgresql://u:secret@h/d' } }, ['[store] url changed']],
  }
  for (const [what, [after, changes]] of Object.entries(cases))
    test(what, () => assert.deepEqual(changesIn(before, after), changes))

  test('of many changes ten are told', () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`rule:${index}`, { audit: true }]))
    const changes = changesIn({}, many)
    assert.deepEqual([changes.length, changes.at(-1)], [11, 'and 20 more'])
  })

  test('whatever is read, nothing is thrown', () => {
    for (const odd of [undefined, null, 'x', [], { main: null }, { main: [1] }]) assert.ok(changesIn(odd, odd))
  })
})
