import fc from 'fast-check'
import { runs } from '../../support/runs.ts'

/** Cases for each fuzz test. */
export const fuzzRuns = runs(3000, 100_000)

const piece = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\t',
    ';',
    ':',
    '=',
    '\n',
    '\r',
    '\r\n',
    '\0',
    '*',
    '.',
    '*.',
    'v=STSv1;',
    'id=',
    'mx: ',
    'é',
    '𝄞',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
)

/** Texts of `origin` with pieces put in, taken out, doubled and exchanged. */
export function mutated(origin: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), remove: fc.nat(5), insert: piece })
  return fc.tuple(origin, fc.array(change, { maxLength: 4 })).map(([text, changes]) =>
    changes.reduce((current, { at, remove, insert }) => {
      const index = Math.floor(at * current.length)
      return current.slice(0, index) + insert + current.slice(index + remove)
    }, text),
  )
}
