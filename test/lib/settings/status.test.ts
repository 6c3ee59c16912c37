import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readStatusSettings } from '../../../dist/lib/settings/index.js'
import { STATUS_KEYS } from '../../../dist/lib/settings/status.js'
import { runs } from '../../support/runs.ts'
import { readIni } from './haraka-config.ts'

const FILE = 'outbound-tls.status.ini'
const shipped = readFileSync(join(import.meta.dirname, '../../../config', FILE), 'utf8')
const read = (text: string) => readStatusSettings(readIni(text, FILE), text)
const TOKEN = 'a3f0c1d2e4b5968778695a4b'

function errorOf(text: string): string {
  const result = read(text)
  assert.ok(!result.ok, text)
  assert.equal(result.errors.length, 1)
  return result.errors[0]?.text ?? ''
}

describe('outbound-tls.status.ini', () => {
  for (const path of [
    'tls',
    '/',
    '/tls/',
    '/a//b',
    '/../x',
    '/./x',
    '/.well-known',
    '/metrics',
    '/METRICS/x',
    '/a b',
    '/a?b',
  ])
    test(`does not accept ${path} as the path of the page`, () => {
      assert.match(errorOf(`path = ${path}`), /^outbound-tls\.status\.ini \[main\] path = .*accepted: a path such as/)
    })

  for (const [why, token] of [
    ['short', 'secret'],
    ['a number, of which haraka-config may lose digits', '12345678901234567890'],
    ['a number with a fraction', '1234567890.1234567890'],
    ['one with a comment behind it', `${TOKEN} ; the token`],
    ['one that no header could carry', 'correct horse battery staple'],
  ] as const)
    test(`does not accept a token that is ${why}, and does not repeat it`, () => {
      const text = errorOf(`token = ${token}`)
      assert.match(text, /\[main\] token: accepted: at least 16/)
      assert.ok(!text.includes(token.slice(0, 6)))
    })

  test('does not accept unknown keys and sections, and says so of all of them at once', () => {
    const result = read('port = 80\n[page]\npath = /tls\n')
    assert.ok(!result.ok)
    assert.deepEqual(
      result.errors.map(({ section, key }) => [section, key]),
      [
        ['[page]', undefined],
        ['[main]', 'port'],
      ],
    )
  })

  test('takes whatever haraka-config may make of it without an exception', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (ini, text) => {
        const result = readStatusSettings(ini, text)
        assert.equal(typeof result.ok, 'boolean')
      }),
      { numRuns: runs(300, 5000) },
    )
  })

  test('is all defaults where there is nothing in it, as in the shipped file', () => {
    const defaults = { path: '/tls', metrics: true, token: undefined }
    for (const text of ['', 'token =\n', shipped]) assert.deepEqual(read(text), { ok: true, settings: defaults })
  })

  test('is read as it is written', () => {
    const text = `path = /mail/tls.status\nmetrics = no\ntoken = ${TOKEN}\n`
    assert.deepEqual(read(text), { ok: true, settings: { path: '/mail/tls.status', metrics: false, token: TOKEN } })
  })

  test('is shipped with every key at its default', () => {
    const shown = [...shipped.matchAll(/^;(\S+) =(.*)$/gm)].map(([, name, value = '']) => [name, value.trim()])
    assert.deepEqual(
      shown,
      Object.values(STATUS_KEYS).map(({ name, default: value }) => [name, value === undefined ? '' : String(value)]),
    )
  })
})
