import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LONGEST_MAX_AGE, readStsPolicy, type StsPolicy } from '../../../dist/lib/mta-sts/index.js'
import { fuzzRuns, mutated } from './fuzz.ts'

const EXAMPLE = 'version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n'

function policy(body: string): StsPolicy {
  const result = readStsPolicy(body)
  assert.ok(result.ok, result.ok ? '' : result.error.text)
  return result.policy
}

function withLine(line: string): string {
  return EXAMPLE + line + '\n'
}

describe('a policy', () => {
  test('T8: is read as RFC 8461 shows it, and its text is kept', () => {
    assert.deepEqual(policy(EXAMPLE), {
      mode: 'enforce',
      mx: ['mail.example.com', '*.example.net'],
      maxAge: 604_800,
      text: EXAMPLE,
      notes: [],
    })
  })

  const same: [why: string, body: string][] = [
    ['CRLF at line ends (erratum 6253)', EXAMPLE.replaceAll('\n', '\r\n')],
    ['line ends of both kinds', EXAMPLE.replace('\n', '\r\n')],
    ['no end of the last line', EXAMPLE.trimEnd()],
    ['white space around values', EXAMPLE.replaceAll(': ', ': \t ').replaceAll('\n', ' \t\n')],
    ['no white space at all', EXAMPLE.replaceAll(': ', ':')],
    ['another order', `max_age: 604800\n${EXAMPLE.replace('max_age: 604800\n', '')}`],
    ['T10: an unknown key', withLine('x-future_1.a: anything goes: é ¿')],
  ]
  for (const [why, body] of same) {
    test(`T9: is the same with ${why}`, () => {
      assert.deepEqual({ ...policy(body), text: EXAMPLE }, policy(EXAMPLE))
    })
  }

  test('T9: may end in blank lines, which are noted', () => {
    const bent = policy(`${EXAMPLE}\r\n \t\n\n`)
    assert.deepEqual(bent.notes, ['blank lines at the end'])
    assert.equal(bent.text, `${EXAMPLE}\r\n \t\n\n`)
  })

  test('T10: the first of repeated keys counts, which is noted', () => {
    const bent = policy(withLine('mode: none\nmax_age: 1\nversion: STSv2'))
    assert.deepEqual([bent.mode, bent.maxAge], ['enforce', 604_800])
    assert.equal(bent.notes.length, 3)
  })

  test('T11: a max_age beyond a year is cut to it, never the policy refused', () => {
    const bent = policy(EXAMPLE.replace('604800', '9999999999'))
    assert.equal(bent.maxAge, LONGEST_MAX_AGE)
    assert.deepEqual(bent.notes, ['max_age cut to 31557600 seconds'])
  })
  test('T11: a max_age of a year is not cut', () => {
    assert.deepEqual(policy(EXAMPLE.replace('604800', '31557600')).notes, [])
  })
  test('T11: a max_age of 0 is legal', () => assert.equal(policy(EXAMPLE.replace('604800', '0')).maxAge, 0))

  test('T8: mode none needs no mx', () => {
    assert.deepEqual(policy('version: STSv1\nmode: none\nmax_age: 86400').mx, [])
  })
  test('T8: hosts are compared without regard to case', () => {
    assert.deepEqual(policy(withLine('mx: MAIL.Example.com')).mx, ['mail.example.com', '*.example.net'])
  })

  const bad: [why: string, body: string, detail: string, line?: number][] = [
    ['an empty file', '', 'version'],
    ['nothing but blank lines', '\n\n', 'version'],
    ['no version', EXAMPLE.replace('version: STSv1\n', ''), 'version'],
    ['another version', EXAMPLE.replace('STSv1', 'STSv2'), 'version', 1],
    ['a version in another case', EXAMPLE.replace('STSv1', 'stsv1'), 'version', 1],
    ['no mode', EXAMPLE.replace('mode: enforce\n', ''), 'mode'],
    ['an unknown mode', EXAMPLE.replace('enforce', 'strict'), 'mode', 2],
    ['a mode in capitals', EXAMPLE.replace('enforce', 'Enforce'), 'mode', 2],
    ['a key in capitals', EXAMPLE.replace('mode', 'Mode'), 'mode'],
    ['no max_age', EXAMPLE.replace('max_age: 604800\n', ''), 'max-age'],
    ['a negative max_age', EXAMPLE.replace('604800', '-1'), 'max-age', 5],
    ['a max_age with a unit', EXAMPLE.replace('604800', '7d'), 'max-age', 5],
    ['a max_age of 11 digits', EXAMPLE.replace('604800', '00000000001'), 'max-age', 5],
    ['a max_age in foreign digits', EXAMPLE.replace('604800', '٣٣'), 'max-age', 5],
    ['no mx', EXAMPLE.replace(/mx: .*\n/g, ''), 'mx'],
    ['a wildcard alone', withLine('mx: *'), 'mx', 6],
    ['a wildcard without name', withLine('mx: *.'), 'mx', 6],
    ['a wildcard within a label', withLine('mx: m*.example.com'), 'mx', 6],
    ['a wildcard further right', withLine('mx: a.*.example.com'), 'mx', 6],
    ['a leading dot', withLine('mx: .example.com'), 'mx', 6],
    ['a final dot', withLine('mx: mail.example.com.'), 'mx', 6],
    ['a U-label', withLine('mx: bücher.example'), 'mx', 6],
    ['an underscore', withLine('mx: _a.example.com'), 'mx', 6],
    ['two hosts in a line', withLine('mx: a.example.com b.example.com'), 'mx', 6],
    ['a label of 64 characters', withLine(`mx: ${'a'.repeat(64)}.example`), 'mx', 6],
    ['a name of 255 characters', withLine(`mx: ${'a.'.repeat(127)}a`), 'mx', 6],
    ['a blank line in between', EXAMPLE.replace('\n', '\n\n'), 'syntax', 2],
    ['a blank line at the beginning', `\n${EXAMPLE}`, 'syntax', 1],
    ['white space before a key', EXAMPLE.replace('mode', ' mode'), 'syntax', 2],
    ['white space before a colon', EXAMPLE.replace('mode:', 'mode :'), 'syntax', 2],
    ['a line without colon', withLine('hello'), 'syntax', 6],
    ['an empty value', withLine('x:'), 'syntax', 6],
    ['a key of 33 characters', withLine(`${'x'.repeat(33)}: a`), 'syntax', 6],
    ['a control character in a value', withLine('x: a\u0007b'), 'syntax', 6],
    ['a CR that ends no line', withLine('x: a\rb'), 'syntax', 6],
    ['a byte order mark', `\ufeff${EXAMPLE}`, 'syntax', 1],
    ['HTML', '<!DOCTYPE html>\n<html>', 'syntax', 1],
  ]
  for (const [why, body, detail, line] of bad) {
    test(`T8, T9: is refused for ${why}`, () => {
      const result = readStsPolicy(body)
      assert.ok(!result.ok)
      assert.equal(result.error.type, 'sts-policy-invalid')
      assert.deepEqual([result.error.detail, result.error.line], [detail, line])
    })
  }

  test('what an error quotes is short and printable', () => {
    const result = readStsPolicy(`<b>\u001b[31m\u202e"${'x'.repeat(500)}`)
    assert.ok(!result.ok)
    assert.match(result.error.text, /^[\x20-\x7e…]{1,150}$/)
  })

  test('T8: any text gives a policy within its bounds or a typed error', () => {
    const text = mutated(fc.constantFrom(EXAMPLE, ...same.map(([, body]) => body), ...bad.map(([, body]) => body)))
    fc.assert(
      fc.property(text, (body) => {
        const result = readStsPolicy(body)
        if (!result.ok) {
          assert.equal(result.error.type, 'sts-policy-invalid')
          return
        }
        assert.ok(['enforce', 'testing', 'none'].includes(result.policy.mode))
        assert.ok(result.policy.maxAge >= 0 && result.policy.maxAge <= LONGEST_MAX_AGE)
        for (const host of result.policy.mx) assert.match(host, /^(\*\.)?[a-z0-9][a-z0-9.-]*$/)
      }),
      { numRuns: fuzzRuns },
    )
  })

  test('64 KiB of anything are read in no time', () => {
    const started = performance.now()
    for (const unit of [
      ' ',
      '\n',
      '\r\n',
      ': ',
      'a',
      'a ',
      'x: y\n',
      'mx: a.a\n',
      'a  b\t',
      '\t',
      'mx: *.\n',
      'é ',
      '-',
    ])
      for (const front of ['', 'mx: ', EXAMPLE]) readStsPolicy(front + unit.repeat(65_536 / unit.length))
    assert.ok(performance.now() - started < 1000)
  })
})
