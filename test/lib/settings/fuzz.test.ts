import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  parseDuration,
  parseSize,
  readHarakaTls,
  readSettings,
  settingsFor,
  type DeliveryFacts,
  type HostSettings,
} from '../../../dist/lib/settings/index.js'
import { readIni } from './haraka-config.ts'
import { NOW, settingsOf } from './settings.ts'
import { runs } from '../../support/runs.ts'

const numRuns = runs(500, 10_000)

const name = fc.oneof(
  fc.constantFrom('main', 'dns', 'mta-sts', 'store', 'rule:a', 'rule:', 'rule:b', 'constructor', 'toString'),
  fc.string(),
)
const keyName = fc.oneof(
  fc.constantFrom('dane', 'mta-sts', 'starttls', 'ca-file', 'resolver', 'self-test', 'timeout', 'if-mx', 'if-sender'),
  fc.constantFrom('if-rcpt-domain', 'if-retry-num', 'if-last-error', 'until', 'reason', 'hasOwnProperty', 'password'),
  fc.string(),
)
const word = fc.oneof(
  fc.constantFrom('require', 'disable', 'true', '*.example.org', 'bücher.example', '5m', '>=1', '2027-01-31', '<>', ''),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
)
const ini = fc.dictionary(name, fc.dictionary(keyName, fc.oneof(word, fc.array(word), fc.integer(), fc.anything())))

const text = fc
  .array(fc.oneof(fc.tuple(keyName, word), fc.tuple(name), fc.string()))
  .map((lines) =>
    lines
      .map((line) => (typeof line === 'string' ? line : line.length === 1 ? `[${line[0]}]` : `${line[0]} = ${line[1]}`))
      .join('\n'),
  )

const facts: fc.Arbitrary<DeliveryFacts> = fc.record({
  recipientDomain: word,
  sender: word,
  senderDomain: word,
  retryNumber: fc.nat(),
  lastErrors: fc.constantFrom(new Set<never>(), new Set(['tls', 'dane'] as const)),
  route: fc.constantFrom('mx', 'static'),
})

describe('whatever is passed in', () => {
  test('an object gives settings or errors of one line', () => {
    fc.assert(
      fc.property(fc.oneof(ini, fc.anything()), text, (object, lines) => {
        const result = readSettings(object, { text: lines })
        if (result.ok) return
        assert.ok(result.errors.length > 0)
        for (const error of result.errors) assert.doesNotMatch(error.accepted, /undefined|\[object/)
      }),
      { numRuns },
    )
  })

  test('a file that the real haraka-config has read does too', () => {
    fc.assert(
      fc.property(text, (lines) => {
        readSettings(readIni(lines), { text: lines })
      }),
      { numRuns: Math.ceil(numRuns / 5) },
    )
  })

  test('amounts, host lists and facts break nothing', () => {
    const settings = settingsOf(
      '[rule:a]\nif-mx[] = *.example.org\nif-sender[] = <>\naudit = true\n' +
        '[rule:b]\nif-rcpt-domain[] = *.bücher.example\nif-sender-domain[] = example.org\naudit = true\n',
    )
    fc.assert(
      fc.property(facts, word, fc.array(fc.anything()), (delivery, mx, list) => {
        parseDuration(mx)
        parseSize(mx)
        readHarakaTls({ ...readHarakaInput, noTlsHosts: list as string[] })
        settingsFor(settings, delivery, mx, NOW, { mxIsSecure: false, addresses: [mx] })
      }),
      { numRuns },
    )
  })
})

const readHarakaInput = {
  enableTls: true,
  forceTlsHosts: [],
  noTlsHosts: [],
  disableForFailedHosts: false,
  inetPrefer: 'default',
  localMxOk: false,
  mutualTls: false,
} as const

/** One of the lines that a rule may set, at random. */
const setting = fc.constantFrom(
  ...['require', 'optional', 'disable'].flatMap((level) => [`dane = ${level}`, `starttls = ${level}`]),
  ...['true', 'false'].flatMap((flag) => [`audit = ${flag}`, `allow-invalid-certs = ${flag}`]),
  ...['TLSv1', 'TLSv1.2', 'TLSv1.3'].map((version) => `min-tls-version = ${version}`),
)

/** Whether `a` keeps to all that `b` requires. */
function keepsTo(a: HostSettings, b: HostSettings): boolean {
  const required = b.dane === 'require' || b.mtaSts === 'require' || b.starttls === 'require'
  if (b.dane === 'require' && a.dane !== 'require') return false
  if (b.starttls === 'require' && (a.starttls !== 'require' || (a.allowInvalidCerts && !b.allowInvalidCerts)))
    return false
  return !required || ((b.audit || !a.audit) && a.minTlsVersion >= b.minTlsVersion && a.ciphers === b.ciphers)
}

describe('a rule with if-mx behind an insecure MX record', () => {
  test('never lowers a require, whatever the rules are and in whichever order', () => {
    const rule = fc.record({ mx: fc.boolean(), line: setting })
    const main = fc.constantFrom('', 'dane = require', 'mta-sts = require', 'starttls = require')
    fc.assert(
      fc.property(main, fc.array(rule, { maxLength: 6 }), fc.boolean(), (inMain, rules, stsEnforced) => {
        const section = ({ mx, line }: { mx: boolean; line: string }, index: number) =>
          `[rule:${index}]\n${mx ? 'if-mx[] = mx.example.org' : 'if-rcpt-domain[] = example.org'}\n${line}\n`
        const of = (some: typeof rules) => {
          const lines = `[main]\n${inMain}\n${some.map(section).join('')}`
          const result = readSettings(parse(lines))
          assert.ok(result.ok)
          const delivery = { recipientDomain: 'example.org', sender: '', senderDomain: '', retryNumber: 0 }
          const rest = { lastErrors: new Set<never>(), route: 'mx' } as const
          const trust = { mxIsSecure: false, stsEnforced }
          return settingsFor(result.settings, { ...delivery, ...rest }, 'mx.example.org', NOW, trust)
        }
        assert.ok(keepsTo(of(rules), of(rules.filter(({ mx }) => !mx))))
      }),
      { numRuns },
    )
  })
})

/** A small reader for the files made above, as the real one takes a file each time. */
function parse(lines: string): Record<string, Record<string, string | string[]>> {
  const sections: Record<string, Record<string, string | string[]>> = {}
  let section: Record<string, string | string[]> = {}
  for (const line of lines.split('\n')) {
    const [, heading] = /^\[(.*)\]$/.exec(line) ?? []
    const [key = '', value = ''] = line.split(' = ')
    if (heading !== undefined) sections[heading] = section = {}
    else if (line !== '') section[key.replace('[]', '')] = key.endsWith('[]') ? [value] : value
  }
  return sections
}
