import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readRequireTls, type RequireTlsParameter } from '../../../dist/lib/requiretls/index.js'
import { runs } from '../../support/runs.ts'

const lines: readonly (readonly [RequireTlsParameter, string])[] = [
  ['absent', 'MAIL FROM:<a@b.test>'],
  ['absent', 'MAIL FROM:<>'],
  ['absent', 'MAIL FROM:<a@b.test> SIZE=100 BODY=8BITMIME'],
  ['absent', 'MAIL FROM:<requiretls@b.test>'],
  ['absent', 'MAIL FROM:<"a REQUIRETLS"@b.test>'],
  ['absent', 'MAIL FROM:<"a> REQUIRETLS"@b.test> SIZE=1'],
  ['absent', 'MAIL FROM:<a@b.test> X-REQUIRETLS'],
  ['absent', 'MAIL FROM:<a@b.test> REQUIRETLS-NO'],
  ['absent', 'MAIL FROM:<a@b.test> ENVID=REQUIRETLS'],
  ['absent', 'MAIL FROM:REQUIRETLS'],
  ['present', 'MAIL FROM:<a@b.test> REQUIRETLS'],
  ['present', 'MAIL FROM:<> REQUIRETLS'],
  ['present', 'mail from:<a@b.test> requireTls'],
  ['present', 'MAIL FROM:<a@b.test> SIZE=100 REQUIRETLS AUTH=<>'],
  ['present', 'MAIL FROM:<a@b.test>  REQUIRETLS  '],
  ['present', 'MAIL FROM: a@b.test REQUIRETLS'],
  ['present', 'MAIL FROM:<"a REQUIRETLS"@b.test> REQUIRETLS'],
  ['repeated', 'MAIL FROM:<a@b.test> REQUIRETLS REQUIRETLS'],
  ['repeated', 'MAIL FROM:<a@b.test> REQUIRETLS AUTH=<> requiretls'],
  ['with-value', 'MAIL FROM:<a@b.test> REQUIRETLS=YES'],
  ['with-value', 'MAIL FROM:<a@b.test> REQUIRETLS='],
  ['with-value', 'MAIL FROM:<a@b.test> requiretls=no SIZE=1'],
  ['with-value', 'MAIL FROM:<a@b.test> REQUIRETLS REQUIRETLS=NO'],
  ['present', 'RCPT TO:<a@b.test> NOTIFY=NEVER REQUIRETLS'],
]

describe('REQUIRETLS in a command (Q2)', () => {
  for (const [expected, line] of lines)
    test(`${JSON.stringify(line)}: ${expected}`, () => assert.equal(readRequireTls(line), expected))

  test('any line is read, in no time', () => {
    const parts = fc.constantFrom(
      ' ',
      '\t',
      'REQUIRETLS',
      '=',
      '<',
      '>',
      '"',
      '@',
      'MAIL FROM:',
      'a',
      '\0',
      '-',
      ' SIZE=1',
    )
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 200 }), (list) => {
        const began = performance.now()
        readRequireTls(list.join(''))
        assert.ok(performance.now() - began < 500)
      }),
      { numRuns: runs(500, 5000) },
    )
  })

  test('white space by the megabyte, and parameters by the thousand, take no time', () => {
    for (const line of [
      `MAIL FROM:<a@b.test>${' '.repeat(1e5)}x.`,
      `MAIL FROM:<a@b.test>${' REQUIRETLS'.repeat(1e4)}`,
    ]) {
      const began = performance.now()
      readRequireTls(line)
      assert.ok(performance.now() - began < 2000, `${performance.now() - began} ms`)
    }
  })
})
