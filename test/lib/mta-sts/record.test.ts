import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readStsRecord, stsRecordName } from '../../../dist/lib/mta-sts/index.js'
import { fuzzRuns, mutated } from './fuzz.ts'

describe('the STS record', () => {
  test('T1, T22: is looked up at the policy domain itself', () => {
    assert.equal(stsRecordName('mail.example.com'), '_mta-sts.mail.example.com')
  })

  const valid: [why: string, record: string, id: string][] = [
    ['the example of RFC 8461', 'v=STSv1; id=20160831085700Z;', '20160831085700Z'],
    ['no final delimiter', 'v=STSv1;id=a', 'a'],
    ['an id of 32 characters', `v=STSv1; id=${'a1'.repeat(16)}`, 'a1'.repeat(16)],
    ['tabs around delimiters', 'v=STSv1;\tid=a\t;\t', 'a'],
    ['T3: an extension before the id', 'v=STSv1; a.b-c_1=x:y!~; id=a', 'a'],
    ['T5: unknown fields', 'v=STSv1; id=a; future=1; v=STSv2', 'a'],
    ['T5: a second id', 'v=STSv1; id=first; id=second', 'first'],
    ['T5: an extension whose value looks like an id', 'v=STSv1; a=id; id=b', 'b'],
  ]
  for (const [why, record, id] of valid) {
    test(`T2: is read with ${why}`, () => assert.deepEqual(readStsRecord([record]), { id, notes: [] }))
  }

  test('T4, erratum 6285: is read with white space before the first semicolon, and a note', () => {
    assert.deepEqual(readStsRecord(['v=STSv1 \t;id=1']), { id: '1', notes: ['white space before the first ";"'] })
  })

  const malformed: [why: string, record: string][] = [
    ['without id', 'v=STSv1; foo=bar'],
    ['without any field', 'v=STSv1;'],
    ['with an empty id', 'v=STSv1; id='],
    ['with an id that has a hyphen', 'v=STSv1; id=2020-01-01'],
    ['T5: whose first id is bad, whatever the second', 'v=STSv1; id=a-b; id=good'],
    ['with an id of 33 characters', `v=STSv1; id=${'a'.repeat(33)}`],
    ['with ID in capitals', 'v=STSv1; ID=a'],
    ['with white space before =', 'v=STSv1; id =a'],
    ['with white space behind =', 'v=STSv1; id= a'],
    ['with white space at the end', 'v=STSv1; id=a '],
    ['with an empty field', 'v=STSv1;; id=a'],
    ['with two delimiters at the end', 'v=STSv1; id=a;;'],
    ['with a field without value', 'v=STSv1; id=a; b'],
    ['with = in a value', 'v=STSv1; id=a; b=c=d'],
    ['with a field name of 33 characters', `v=STSv1; id=a; ${'b'.repeat(33)}=c`],
    ['with a field name that begins with a hyphen', 'v=STSv1; id=a; -b=c'],
    ['T1: that is not US-ASCII', 'v=STSv1; id=a; b=é'],
    ['with a line end', 'v=STSv1; id=a\n'],
    ['with a NUL', 'v=STSv1; id=a;\0'],
    ['with a second field in front of the delimiter', 'v=STSv1; id=a b=c'],
  ]
  for (const [why, record] of malformed) {
    test(`T2: is malformed ${why}`, () => assert.equal(readStsRecord([record]), 'malformed'))
  }

  const foreign = ['', 'v=spf1 -all', 'v=STSv1', 'v=stsv1; id=a', 'V=STSv1; id=a', 'v=STSv10; id=a', ' v=STSv1; id=a']
  for (const record of foreign) {
    test(`T4: ${JSON.stringify(record)} is no STS record`, () => assert.equal(readStsRecord([record]), 'none'))
  }

  test('T4: no records are none', () => assert.equal(readStsRecord([]), 'none'))
  test('T4: records of others beside it do not matter', () => {
    assert.deepEqual(readStsRecord(['v=spf1', 'v=STSv1; id=a', 'x']), { id: 'a', notes: [] })
  })
  test('T4: two are as good as none, even if equal', () => {
    assert.equal(readStsRecord(['v=STSv1; id=a', 'v=STSv1; id=b']), 'several')
    assert.equal(readStsRecord(['v=STSv1; id=a', 'v=STSv1; id=a']), 'several')
  })
  test('T4: a malformed one beside a good one makes several', () => {
    assert.equal(readStsRecord(['v=STSv1; id=a', 'v=STSv1; bad']), 'several')
  })

  test('T2: any text gives a record or a typed problem, and an id is always one', () => {
    const record = mutated(fc.constantFrom(...valid.map(([, text]) => text), ...malformed.map(([, text]) => text)))
    fc.assert(
      fc.property(fc.array(record, { maxLength: 3 }), (records) => {
        const result = readStsRecord(records)
        if (typeof result === 'string') assert.ok(['none', 'several', 'malformed'].includes(result))
        else assert.match(result.id, /^[A-Za-z0-9]{1,32}$/)
      }),
      { numRuns: fuzzRuns },
    )
  })

  test('T2: 64 KiB of anything are read in no time', () => {
    const started = performance.now()
    for (const unit of [' ', ';', '; ', ' ;', '\t;a=b', 'id=a;', '=', 'a', ';id=', ' ; a=b '])
      readStsRecord([`v=STSv1;${unit.repeat(65_536 / unit.length)}`, 'v=spf1'])
    assert.ok(performance.now() - started < 500)
  })
})
