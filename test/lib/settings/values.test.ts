import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { filesNeeded, readSettings } from '../../../dist/lib/settings/index.js'
import { errorsOf, read, settingsOf } from './settings.ts'

const rule = (lines: string) => `[rule:a]\n${lines}\n`
const withCondition = (line: string) => rule(`if-route = mx\n${line}`)
const condition = (line: string) => rule(`${line}\naudit = true`)

/** Section by section: what a key accepts, and what not. */
const values: readonly [key: string, accepted: readonly string[], refused: readonly string[]][] = [
  ['main dane', ['optional', 'require', 'disable'], ['', 'Require', 'required', 'true', 'optional ; a comment']],
  ['main allow-invalid-certs', ['true', 'false', 'yes', 'off', '1', '0', 'TRUE'], ['', 'ture', '2', 'false # no']],
  ['main dane-and-mta-sts', ['dane', 'both'], ['mta-sts', 'either']],
  ['main insecure-mx', ['dane', 'encrypt', 'may'], ['none']],
  ['main min-tls-version', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'], ['1.2', 'TLSv1.4', 'tlsv1.2', 'SSLv3']],
  [
    'main ciphers',
    ['', 'AES256-SHA', 'DEFAULT:!kRSA', 'ECDHE+AESGCM:@SECLEVEL=2'],
    ['NONSENSE', 'AES256-WRONG:NONSENSE'],
  ],
  ['main known-certs', ['0', '1h', '400d'], ['', '0s', '30', '401d', 'never']],
  ['main ca-file', ['', 'ca.pem', '/etc/ssl/our ca.pem'], ['ca.pem ; ours', 'ca.pem #1']],
  ['main smtp-port', ['25', '2525', '65535'], ['', '0', '65536', '25.5', '-25', 'smtp']],
  ['main tls-timeout', ['1s', '1m', '10m'], ['', '60', '999ms', '11m', '1 m', 'never']],
  ['dns timeout', ['100ms', '5s', '1m'], ['5', '99ms', '2m']],
  ['dns attempts', ['1', '10'], ['0', '11']],
  ['dns trust-ad', ['auto', 'true', 'false'], ['', 'maybe', 'Auto']],
  [
    'dns resolver[]',
    ['127.0.0.1', '127.0.0.1:5353', '::1', '[::1]', '[2001:db8::1]:5353'],
    ['', 'localhost', '127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1 53', '[127.0.0.1]:53', '127.0.0.1, 127.0.0.2'],
  ],
  ['dns self-test[]', ['org', 'example.org.', 'bücher.example'], ['', '*.org', 'a b', 'a..b', `${'a'.repeat(64)}.org`]],
  ['mta-sts refresh', ['1s', '1d', '30d'], ['31d', 'daily']],
  ['mta-sts allow-private-addresses', ['true', 'false'], ['10.0.0.0/8']],
  ['store engine', ['sqlite', 'postgres'], ['redis', '']],
  ['store path', ['outbound-tls.db', '/var/lib/haraka/tls.db'], ['', 'a.db ; here']],
  ['store retention', ['8d', '30d', '3650d'], ['7d', 'never', '30']],
  ['store url', ['', 'postgresql://haraka:se%3Bcret@a,b:5433/tls?sslmode=verify-full'], []],
]

describe('values', () => {
  for (const [where, accepted, refused] of values) {
    const [section = '', key = ''] = where.split(' ')
    for (const value of accepted) {
      test(`[${section}] ${key} = ${value} is accepted`, () =>
        assert.deepEqual(errorsOf(`[${section}]\n${key} = ${value}\n`), []))
    }
    for (const value of refused) {
      test(`[${section}] ${key} = ${value} is refused, naming all there is to know`, () => {
        const [error = '', ...others] = errorsOf(`[${section}]\n${key} = ${value}\n`)
        assert.ok(error.startsWith(`outbound-tls.ini [${section}] ${key} = ${JSON.stringify(value)}: accepted`), error)
        assert.equal(error.endsWith('(a comment needs a line of its own)'), /\s[;#]/.test(value))
        assert.deepEqual(others, [])
      })
    }
  }

  test('an error can be read by a program too', () => {
    const result = read('[main]\ndane = maybe\n', { file: 'other.ini' })
    assert.ok(!result.ok)
    assert.deepEqual(result.errors, [
      {
        file: 'other.ini',
        section: '[main]',
        key: 'dane',
        value: 'maybe',
        accepted: 'accepted: optional, require, disable',
        text: 'other.ini [main] dane = "maybe": accepted: optional, require, disable',
      },
    ])
  })

  test('all errors are found at once', () => {
    assert.equal(errorsOf('[main]\ndane = a\nmta-sts = b\n[dns]\nattempts = 0\n[rule:a]\nstarttls = c\n').length, 5)
  })

  test('a value is escaped and cut before it goes to the log', () => {
    const result = readSettings({ main: { dane: `\n[crit] forged\u001b[2J${'x'.repeat(10_000)}` } })
    assert.ok(!result.ok)
    assert.ok(result.errors.every(({ text }) => text.length < 300 && !/[^ -~]/.test(text)))
  })

  test('single values take no [], lists need it', () => {
    assert.match(errorsOf('[main]\ndane[] = require\n')[0] ?? '', /dane = "require": write dane = VALUE, once/)
    assert.match(errorsOf('[dns]\nresolver = 127.0.0.1\n')[0] ?? '', /resolver\[\] = "127.0.0.1": write resolver\[\] =/)
  })

  test('resolvers come with their ports', () => {
    const { dns } = settingsOf('[dns]\nresolver[] = 192.0.2.1\nresolver[] = [2001:db8::1]:5353\n')
    assert.deepEqual(dns.resolvers, [
      { address: '192.0.2.1', port: 53 },
      { address: '2001:db8::1', port: 5353 },
    ])
  })

  test('ca-files are listed, so that somebody can look whether they are there', () => {
    const settings = settingsOf(`[main]\nca-file = ours.pem\n${withCondition('ca-file = theirs.pem')}`)
    assert.deepEqual(filesNeeded(settings), [
      { section: '[main]', key: 'ca-file', path: 'ours.pem' },
      { section: '[rule:a]', key: 'ca-file', path: 'theirs.pem' },
    ])
  })
})

describe('unknown names', () => {
  for (const text of [
    '[main]\nfoo = 1\n',
    '[main]\nStarttls = require\n',
    '[main]\nif-mx[] = mx.example\n',
    '[main]\nresolver[] = 127.0.0.1\n',
    '[dns]\ndane = require\n',
    '[store]\ndatabase = 3\n',
    withCondition('audit = true\nsmtp-port = 26'),
    withCondition('audit = true\nif-rcpt-domian[] = example.org'),
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => assert.match(errorsOf(text)[0] ?? '', /: unknown key, accepted: /))
  }
  for (const heading of ['rules:a', 'Rule:a', 'rule', 'DNS', 'redis', 'domain:example.net']) {
    test(`[${heading}] is refused`, () =>
      assert.match(errorsOf(`[${heading}]\n`)[0] ?? '', /: unknown section, accepted sections: \[main\], /))
  }
  test('a rule has a name', () => assert.match(errorsOf('[rule:]\nif-route = mx\naudit = true\n')[0] ?? '', /a name/))
})

describe('conditions', () => {
  for (const line of [
    'if-rcpt-domain[] = example.org',
    'if-rcpt-domain[] = *.Example.ORG.',
    'if-rcpt-domain[] = *.bücher.example',
    'if-mx[] = *.mail.protection.example',
    'if-mx[] = 192.0.2.7',
    'if-mx[] = 2001:db8::7',
    'if-sender-domain[] = <>',
    'if-sender[] = jane@example.org',
    'if-sender[] = <>',
    'if-retry-num = 0',
    'if-retry-num = >=1',
    'if-retry-num = < 3',
    'if-last-error[] = mta-sts',
    'if-route = static',
  ]) {
    test(`${line} is accepted`, () => assert.deepEqual(errorsOf(condition(line)), []))
  }
  for (const line of [
    'if-rcpt-domain[] = *',
    'if-rcpt-domain[] = *example.org',
    'if-rcpt-domain[] = mx.*.example.org',
    'if-rcpt-domain[] = *.*.example.org',
    'if-rcpt-domain[] = jane@example.org',
    'if-rcpt-domain[] = example.org, example.net',
    'if-rcpt-domain[] = example.org:25',
    'if-rcpt-domain[] = ex%61mple.org',
    'if-rcpt-domain[] = bücher.example:25',
    'if-rcpt-domain[] = .example.org',
    'if-rcpt-domain[] = 2001:db8::7',
    'if-rcpt-domain[] =',
    'if-mx[] = [192.0.2.7]',
    'if-mx[] = 192.0.2.0/24',
    'if-sender[] = example.org',
    'if-sender[] = *@example.org',
    'if-sender[] = <jane@example.org>',
    'if-sender[] =',
    'if-retry-num = many',
    'if-retry-num = <0',
    'if-retry-num = -1',
    'if-retry-num = 1-3',
    'if-last-error[] = timeout',
    'if-route = dynamic',
    'if-route =',
  ]) {
    test(`${line} is refused`, () =>
      assert.match(errorsOf(condition(line))[0] ?? '', /^outbound-tls.ini \[rule:a\] if-/))
  }
  for (const day of ['2027-02-30', '2027-1-31', '31.01.2027', 'tomorrow', '', '2027-01-31T00:00', '2027-13-01']) {
    test(`until = ${day} is refused`, () =>
      assert.match(errorsOf(withCondition(`audit = true\nuntil = ${day}`))[0] ?? '', /a day such as 2027-01-31$/))
  }
})

describe('contradictions', () => {
  const contradictions: readonly [why: string, text: string, key: string][] = [
    ['STARTTLS disabled, DANE required', '[main]\nstarttls = disable\ndane = require\n', 'dane'],
    ['STARTTLS disabled, MTA-STS required', '[main]\nstarttls = disable\nmta-sts = require\n', 'mta-sts'],
    ['STARTTLS disabled, REQUIRETLS offered', '[main]\nstarttls = disable\nrequiretls = true\n', 'requiretls'],
    ['the same in one rule', withCondition('starttls = disable\ndane = require'), 'dane'],
    ['the same in one rule, MTA-STS', withCondition('starttls = disable\nmta-sts = require'), 'mta-sts'],
    ['a rule with if-mx that sets mta-sts', condition('if-mx[] = mx.example\nmta-sts = disable'), 'mta-sts'],
    ['a rule without a condition', rule('audit = true'), 'a rule needs at least one condition'],
    ['until is no condition', rule('audit = true\nuntil = 2027-01-31'), 'a rule needs at least one condition'],
    ['a rule that sets nothing', rule('if-route = mx\nreason = none'), 'a rule needs at least one key to set'],
  ]
  for (const [why, text, names] of contradictions) {
    test(`${why} is refused`, () => {
      const [error = '', ...others] = errorsOf(text)
      assert.ok(error.includes(`] ${names}`) || error.includes(`]: ${names}`), error)
      assert.deepEqual(others, [])
    })
  }

  test('a rule with if-mx may set mta-sts for static routes: the host is their policy domain', () => {
    assert.deepEqual(errorsOf(condition('if-mx[] = mx.example\nif-route = static\nmta-sts = disable')), [])
  })

  test('what [main] requires, a rule may do without', () => {
    assert.deepEqual(errorsOf(`[main]\ndane = require\nrequiretls = true\n${withCondition('starttls = disable')}`), [])
  })
})

describe('warnings', () => {
  for (const line of ['dane = require', 'mta-sts = require', 'starttls = disable', 'allow-invalid-certs = true']) {
    test(`${line} in [main] is accepted with one warning, in a rule with none`, () => {
      const inMain = read(`[main]\n${line}\n`)
      assert.ok(inMain.ok)
      assert.equal(inMain.warnings.length, 1)
      assert.ok(inMain.warnings[0]?.startsWith(`outbound-tls.ini [main] ${line}: `))
      const inRule = read(withCondition(line))
      assert.deepEqual(inRule.ok && inRule.warnings, [])
    })
  }

  test('keys of the other engine have no effect, and that is said', () => {
    const url = read('[store]\nurl = postgresql://db.example.org/tls\n')
    assert.deepEqual(url.ok && url.warnings, ['outbound-tls.ini [store] url: no effect with engine = sqlite'])
    const path = read('[store]\nengine = postgres\npath = a.db\n')
    assert.deepEqual(path.ok && path.warnings, ['outbound-tls.ini [store] path: no effect with engine = postgres'])
  })

  test('a url that is none of PostgreSQL is refused, and not shown', () => {
    for (const url of ['http://user:secret@a/', 'db.example.org']) {
      const [error = ''] = errorsOf(`[store]\nurl = ${url}\n`)
      assert.equal(error, 'outbound-tls.ini [store] url: accepted: postgresql://user@host/database')
    }
  })

  test('Redis is refused, and why is said', () => {
    assert.match(
      errorsOf('[store]\nengine = redis\n').join(),
      /engine = "redis": accepted: sqlite, postgres \(not redis: a/,
    )
  })
})
