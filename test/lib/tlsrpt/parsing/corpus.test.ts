import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readReport } from '../../../../dist/lib/tlsrpt/parsing/index.js'
import {
  appendixBReports,
  bentReports,
  googleReports,
  microsoftReports,
  moxReports,
  otherReports,
  postfixReports,
  refusedReports,
  smallReports,
  stalwartReports,
} from './corpus/index.ts'
import { now, type Specimen } from './corpus/specimen.ts'
import { chunked } from './source.ts'

const limits = { maxSize: 1_000_000, now }

function testAll(specimens: readonly Specimen[]): void {
  for (const { name, content, expected } of specimens)
    for (const [how, size] of [
      ['at once', content.length + 1],
      ['byte by byte', 1],
    ] as const)
      test(`${name}, ${how}`, async () => {
        const reading = await readReport(chunked(content, size), limits)
        if ('refusal' in expected) {
          assert.equal(reading.ok ? reading.report : reading.refusal.code, expected.refusal)
          return
        }
        assert.ok(reading.ok, reading.ok ? '' : reading.refusal.text)
        assert.deepEqual(reading.report, expected.report)
        assert.deepEqual(
          reading.notes.map(({ code }) => code),
          expected.notes,
        )
      })
}

describe('V7: reports as Google sends them', () => testAll(googleReports))
describe('V7: reports as Microsoft sends them', () => testAll(microsoftReports))
describe('V7: reports as Yahoo, Comcast and Mail.ru send them', () => testAll(otherReports))
describe('V7: reports as mox sends them', () => testAll(moxReports))
describe('V7: reports as Stalwart sends them', () => testAll(stalwartReports))
describe("V7: reports as Postfix' tlsrpt sends them", () => testAll(postfixReports))
describe('V7: reports as smaller programs send them', () => testAll(smallReports))
describe('R25: the report of RFC 8460 Appendix B', () => testAll(appendixBReports))
describe('V7, V8: bent reports are read, and what was bent is noted', () => testAll(bentReports))
describe('V6: what is no report, and what nobody can have seen, is refused', () => testAll(refusedReports))
