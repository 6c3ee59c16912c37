import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  missingForReports,
  readReportSettings,
  reportRulesFor,
  sendsReports,
} from '../../../dist/lib/settings/index.js'
import * as report from '../../../dist/lib/settings/report.js'
import { mailboxDomainOf, makeReportId, readAddress } from '../../../dist/lib/tlsrpt/format/index.js'
import { runs } from '../../support/runs.ts'
import { readReport, reportSettingsOf } from './settings.ts'

const FILE = 'outbound-tls.report.ini'
const shipped = readFileSync(join(import.meta.dirname, '../../../config', FILE), 'utf8')

function errorsOf(text: string): string[] {
  const result = readReport(text)
  return result.ok ? [] : result.errors.map((error) => error.text)
}

function warningsOf(text: string): readonly string[] {
  const result = readReport(text)
  assert.ok(result.ok)
  return result.warnings
}

const who = 'from-address = tls@example.org\norg-name = The Foobar Organization\ncontact-info = jane@example.org\n'
const rsa = '[signature:rsa]\ndomain = example.org\nselector = tlsrpt\nprivate-key = dkim/example.org/private\n'

describe('what is not accepted in outbound-tls.report.ini', () => {
  for (const [text, error] of [
    ['sent = daily', '[main] sent = "daily": unknown key'],
    ['send = monthly', '[main] send = "monthly": accepted: hourly, daily, weekly, never'],
    ['send = daily ; the default', 'a comment needs a line of its own'],
    ['from-address = tls@example', '[main] from-address = "tls@example": accepted: a mail address'],
    ['from-address = TLS <tls@example.org>', 'accepted: a mail address'],
    ['from-address = "tls"@example.org', 'accepted: a mail address'],
    ['contact-info = https://example.org', 'accepted: a mail address'],
    ['contact-info = jane@[192.0.2.1]', 'accepted: a mail address'],
    ['contact-info = jane@192.0.2.1', 'accepted: a mail address'],
    ['submitter = localhost', '[main] submitter = "localhost": accepted: a domain name'],
    ['max-size = 1kb', 'a size from 10kb to 1gb'],
    ['spread = 4', 'a duration from 0s to 7d'],
    ['retry-for = 1s', 'a duration from 1m to 7d'],
    ['when = never', 'accepted: always, failures'],
    ['suppress = broken.example', 'write suppress[] = VALUE, one line for each'],
    ['suppress[] = *', '[main] suppress[] = "*"'],
    ['suppress[] = jane@localhost', '[main] suppress[] = "jane@localhost"'],
    ['sign[] = rsa', '[main] sign[] = "rsa": there is no such section [signature:NAME]'],
    [
      '[domain:example.net]\nspread = 1h',
      '[domain:example.net] spread = "1h": unknown key, accepted: send, when, max-size',
    ],
    ['[domain:*.example.net]\nsend = never', '[domain:*.example.net]: accepted: [domain:DOMAIN] with one domain name'],
    [
      '[domain:bücher.example]\nsend = never\n[domain:xn--bcher-kva.example]\nsend = never',
      '[domain:xn--bcher-kva.example]: the domain has a section above',
    ],
    [
      '[signature:rsa]\ndomain = example.org\nselector = s',
      '[signature:rsa] private-key: is missing, accepted: the path',
    ],
    ['[signature:rsa]\nselector =\ndomain = example.org\nprivate-key = k', '[signature:rsa] selector: is missing'],
    [
      '[rule:x]\nsend = never',
      '[rule:x]: unknown section, accepted sections: [main], [domain:DOMAIN], [signature:NAME]',
    ],
    ['nonsense', 'line 1: neither [section] nor key = value'],
  ] as const) {
    test(text.replaceAll('\n', ', '), () => {
      const errors = errorsOf(`${text}\n`)
      assert.ok(
        errors.some((line) => line.startsWith(FILE) && line.includes(error)),
        errors.join('\n') || 'no error',
      )
    })
  }
})

describe('what outbound-tls.report.ini comes to', () => {
  test('without a file, reports would go out daily, but it is not known who sends them', () => {
    const settings = reportSettingsOf('')
    assert.deepEqual(settings.rules, { send: 'daily', when: 'always', maxSize: 26_214_400 })
    assert.deepEqual([settings.spread, settings.retryFor], [4 * 3_600_000, 24 * 3_600_000])
    assert.equal(settings.submitter, undefined)
    assert.equal(settings.signatures, undefined)
    assert.deepEqual(missingForReports(settings), ['from-address', 'org-name', 'contact-info'])
    assert.deepEqual(missingForReports(reportSettingsOf(who)), [])
  })

  test('R19: the submitter is the domain of contact-info, in A-labels', () => {
    assert.equal(reportSettingsOf('contact-info = jane@Bücher.example\n').submitter, 'xn--bcher-kva.example')
    assert.deepEqual(warningsOf(who), [])
  })

  test('R19: another submitter is accepted, with a warning', () => {
    const text = `${who}submitter = mail.example.org\n`
    assert.equal(reportSettingsOf(text).submitter, 'mail.example.org')
    assert.match(warningsOf(text).join(), /submitter = mail\.example\.org: RFC 8460 5\.3 demands .*\(example\.org\)/)
  })

  test('R21: signatures come in the order of sign[]', () => {
    const both = `${who}sign[] = ed\nsign[] = rsa\n${rsa}${rsa.replaceAll('rsa', 'ed').replace('tlsrpt', 'ed2026')}`
    const { signatures } = reportSettingsOf(both)
    assert.deepEqual(
      signatures?.map(({ name, selector }) => [name, selector]),
      [
        ['ed', 'ed2026'],
        ['rsa', 'tlsrpt'],
      ],
    )
    assert.equal(signatures[1]?.privateKey, 'dkim/example.org/private')
    assert.deepEqual(warningsOf(both), [])
  })

  test('R21: signatures of other domains than that which reports are worth a warning', () => {
    const text = `${who}sign[] = rsa\n${rsa.replace('example.org', 'example.com')}`
    assert.match(warningsOf(text).join(), /sign\[\]: none of the signatures is by example\.org/)
    for (const aligned of ['example.org', 'mail.example.org'])
      assert.deepEqual(warningsOf(`${who}sign[] = rsa\n${rsa.replace('example.org', aligned)}`), [])
  })

  test('a signature that nobody asks for is worth a warning', () => {
    assert.match(warningsOf(`${who}${rsa}`).join(), /\[signature:rsa\]: no effect, sign\[\] does not name it/)
  })

  test('a domain has its own send, when and max-size, and the rest of [main]', () => {
    const settings = reportSettingsOf('send = never\nmax-size = 10mb\n[domain:Example.NET]\nsend = hourly\n')
    assert.deepEqual(reportRulesFor(settings, 'example.net'), {
      send: 'hourly',
      when: 'always',
      maxSize: 10 * 1024 ** 2,
    })
    assert.equal(reportRulesFor(settings, 'sub.example.net').send, 'never')
    assert.equal(sendsReports(settings), true)
    assert.equal(sendsReports(reportSettingsOf('send = never\n[domain:example.net]\nwhen = failures\n')), false)
  })

  test('what is suppressed is compared without regard to case', () => {
    const { suppress } = reportSettingsOf('suppress[] = *.Broken.Example\nsuppress[] = Jane@Example.COM\n')
    assert.deepEqual(suppress, ['*.broken.example', 'jane@example.com'])
  })

  test('an address that is accepted is one that reports can be made with', () => {
    const local = fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.constantFrom('jane', 'a.b', "o'brien+tls"))
    const domain = fc.oneof(fc.domain(), fc.constantFrom('bücher.example', 'under_score.example', 'EXAMPLE.org.'))
    fc.assert(
      fc.property(local, domain, (before, behind) => {
        const result = readReportSettings({ main: { 'contact-info': `${before}@${behind}` } }, '')
        if (!result.ok) return
        assert.equal(mailboxDomainOf(readAddress(result.settings.contactInfo ?? '') ?? ''), result.settings.submitter)
        makeReportId(result.settings.submitter ?? '', { start: 0, end: 3_600_000 }, 'x')
      }),
      { numRuns: runs(500, 10_000) },
    )
  })

  test('whatever is passed in, an object gives settings or errors of one line', () => {
    const key = fc.oneof(fc.constantFrom('send', 'sign', 'suppress', 'from-address', 'max-size', 'domain'), fc.string())
    const name = fc.oneof(fc.constantFrom('main', 'domain:a.b', 'domain:', 'signature:', 'signature:x'), fc.string())
    const ini = fc.dictionary(name, fc.oneof(fc.dictionary(key, fc.anything()), fc.anything()))
    fc.assert(
      fc.property(fc.oneof(ini, fc.anything()), fc.string(), (object, text) => {
        const result = readReportSettings(object, text)
        if (result.ok) return
        assert.ok(result.errors.length > 0)
        for (const error of result.errors) assert.doesNotMatch(error.text, /[\r\n]|undefined|\[object/)
      }),
      { numRuns: runs(500, 10_000) },
    )
  })
})

describe('the shipped outbound-tls.report.ini', () => {
  const names = (keys: object): string[] => Object.values(keys).map(({ name }: { name: string }) => name)

  test('shows every key, and no other', () => {
    const shown = [...shipped.matchAll(/^;(\S+) =/gm)].map(([, name]) => name)
    assert.deepEqual(shown.toSorted(), names(report.REPORT_KEYS).toSorted())
  })

  test('sets nothing', () => {
    assert.deepEqual(readReport(''), readReportSettings({ main: {} }, ''))
    assert.deepEqual(readReport(shipped), readReport(''))
  })
})
