import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asciiJson, columns, fromNow, printable, span, wrap } from '../../dist/cli/text.js'

describe('text from outside', () => {
  test('cannot steer a terminal, write backwards or look like other text', () => {
    assert.equal(printable('a\x1b[2Jb\r\n\u009bc\u202ed\u0430'), 'a\\u{1b}[2Jb\\u{d}\\u{a}\\u{9b}c\\u{202e}d\\u{430}')
  })
  test('is US-ASCII in JSON too, and still the same text', () => {
    const value = { text: 'é\u009b\u202e\x7f𝄞\n' }
    assert.match(asciiJson(value), /^[\n -~]*$/)
    assert.deepEqual(JSON.parse(asciiJson(value)), value)
  })
})

describe('lines', () => {
  test('are filled up to the width, and go on below where the text began', () => {
    assert.deepEqual(wrap('aa bb cc', '> ', 7), ['> aa bb', '  cc'])
  })
  test('hold a word that is longer than they are, whole', () => {
    assert.deepEqual(wrap('a bbbbbbbbbb c', '', 5), ['a', 'bbbbbbbbbb', 'c'])
  })
  test('of no words are what they begin with', () => {
    assert.deepEqual(wrap('', 'mx'), ['mx'])
  })
  test('in two columns stand under each other', () => {
    assert.deepEqual(
      columns([
        ['a', 'x'],
        ['bbb', 'y'],
      ]),
      ['  a    x', '  bbb  y'],
    )
  })
})

describe('times', () => {
  for (const [milliseconds, words] of [
    [0, '0 seconds'],
    [-5, '0 seconds'],
    [1000, '1 second'],
    [119_000, '1 minute'],
    [7_200_000, '2 hours'],
    [86_400_000 * 365, '365 days'],
  ] as const) {
    test(`${milliseconds} ms are ${words}`, () => assert.equal(span(milliseconds), words))
  }
  test('are told from now', () => {
    assert.equal(fromNow(61_000, 0), 'in 1 minute')
    assert.equal(fromNow(0, 61_000), '1 minute ago')
  })
})
