import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { receivedSql, type KeptReport } from '../../dist/lib/tlsrpt/received/index.js'
import { createStore } from '../../dist/lib/store/index.js'
import { kept, unsigned, value, type KeptOptions } from '../lib/tlsrpt/received/ground.ts'
import { expiredRead, policy, stsRead } from '../lib/tlsrpt/parsing/corpus/specimen.ts'
import { command, createInstance, DAY, HOUR, NOW } from './ground.ts'

/** An instance with these reports, as workers have kept them. */
async function instanceWith(t: TestContext, ...reports: readonly KeptReport[]): Promise<string> {
  const { folder } = createInstance(t)
  const store = createStore({ engine: 'sqlite', path: join(folder, 'outbound-tls.db') }, () => undefined)
  for (const report of reports) await value(store.module(receivedSql).add(report))
  store.end()
  return folder
}

const received = (id: string, options: KeptOptions = {}): KeptReport => kept(id, { receivedAt: NOW - HOUR, ...options })
const failing = policy('sts', { ...stsRead, successes: 90, failures: 7, details: [expiredRead] })
const dane = policy('tlsa', { domain: 'mx1.example.org', successes: 90, failures: 7, details: [expiredRead] })

/** What no terminal, log or page may be given. */
const evil = 'A\r\nB \u001b[31m\u202e"\u0000'
const evilReport = (): KeptReport =>
  received(evil, {
    ...unsigned,
    report: { organization: evil, contact: evil },
    notes: [{ code: 'text-cut', text: 'printable' }],
    policies: [
      policy('sts', { strings: [evil], mx: [evil], failures: 1, details: [{ type: evil, reason: evil, count: 1 }] }),
    ],
  })

describe('analysis list', () => {
  test('lists what counts, the latest first, of the last 7 days', async (t) => {
    const folder = await instanceWith(
      t,
      received('one'),
      received('two', { receivedAt: NOW - 2 * HOUR, policies: [failing], signedBy: 'other.example' }),
      received('old', { receivedAt: NOW - 8 * DAY }),
      received('apart', unsigned),
    )
    const { code, out } = await command(['analysis', 'list', '-c', folder])
    assert.equal(code, 0)
    assert.equal(
      out.replace(/^[0-9a-f]{16}/gm, '0123456789abcdef'),
      [
        'ID                RECEIVED              SUCCEEDED     FAILED    FETCHES  FROM',
        '0123456789abcdef  2026-06-01T11:00:00Z          9          1          0  sender.example for example.org',
        '0123456789abcdef  2026-06-01T10:00:00Z         90          7          0  other.example for example.org',
      ].join('\n'),
    )
    const longer = await command(['analysis', 'list', '--days', '9', '--json', '-c', folder])
    const { reports } = JSON.parse(longer.out) as { reports: { reportId: string }[] }
    assert.deepEqual(
      reports.map(({ reportId }) => reportId),
      ['one', 'two', 'old'],
    )
  })

  test('lists what does not count apart, under the name that it gives itself', async (t) => {
    const folder = await instanceWith(t, received('one'), received('apart', unsigned))
    const { out } = await command(['analysis', 'list', '--unverified', '-c', folder])
    assert.match(out, /^[0-9a-f]{16} {2}2026-06-01T11:00:00Z {10}9 {10}1 {10}0 {2}"Sender" for example\.org$/m)
    assert.equal(out.split('\n').length, 2)
  })

  test('lists more than fit into a page of the store', async (t) => {
    const folder = await instanceWith(t, ...Array.from({ length: 501 }, (_, at) => received(`report-${at}`)))
    const { out } = await command(['analysis', 'list', '-c', folder])
    assert.equal(new Set(out.split('\n')).size, 502)
  })

  test('writes nothing, not even into a file that is no store', async (t) => {
    const { folder } = createInstance(t)
    const file = join(folder, 'outbound-tls.db')
    writeFileSync(file, '')
    const { code, err } = await command(['analysis', 'list', '-c', folder])
    assert.equal(code, 3)
    assert.match(err, /no tables\s+for received yet\s+\(outbound-tls/)
    assert.deepEqual([statSync(file).size, readdirSync(folder).includes('outbound-tls.db-wal')], [0, false])
  })

  test('says so where there is none, or no store yet', async (t) => {
    const folder = await instanceWith(t, received('apart', unsigned))
    assert.deepEqual(await command(['analysis', 'list', '-c', folder]), {
      ...{ code: 1, out: 'No report that counts was received in the last 7 days.', err: '' },
    })
    const { folder: empty } = createInstance(t)
    const { code, err } = await command(['analysis', 'list', '-c', empty])
    assert.equal(code, 3)
    assert.match(err, /no such\s+file\s+\(outbound-tls\/plugins\/analysis makes it/)
  })

  test('takes no other days than whole ones', async () => {
    for (const days of ['0', '-1', '1.5', 'week', '99999'])
      assert.equal((await command(['analysis', 'list', `--days=${days}`, '-c', '/'])).code, 2, days)
  })
})

describe('analysis show', () => {
  test('shows all that a report says', async (t) => {
    const report = received('one', { policies: [failing, policy('no-policy-found', { domain: 'else.example' })] })
    const folder = await instanceWith(t, report)
    const { code, out } = await command(['analysis', 'show', report.entry.id, '-c', folder])
    assert.equal(code, 0)
    assert.equal(
      out,
      [
        `TLS report ${report.entry.id}`,
        '  from          sender.example',
        '  organization  Sender',
        '  contact       tls@sender.example',
        '  report-id     one',
        '  about         2026-09-30T00:00:00Z to 2026-09-30T23:59:59Z',
        '  received      2026-06-01T11:00:00Z, by mail',
        '  signed by     sender.example',
        '  counted       yes',
        '',
        'example.org, sts',
        '  succeeded  90 sessions',
        '  failed     7',
        '  policy     version: STSv1',
        '  policy     mode: enforce',
        '  policy     mx: mx1.example.org',
        '  policy     max_age: 604800',
        '  7 x        certificate-expired at mx1.example.org[192.0.2.25] from',
        '             209.85.160.200',
        '',
        'else.example, no-policy-found (no domain of ours)',
        '  succeeded  0 sessions',
        '  failed     0',
      ].join('\n'),
    )
  })

  test('says so where there is no such report, and where it cannot be one', async (t) => {
    const folder = await instanceWith(t, received('one'))
    const { code, out } = await command(['analysis', 'show', '0123456789abcdef', '-c', folder])
    assert.deepEqual([code, out], [1, 'There is no report 0123456789abcdef.'])
    for (const id of ['../../etc/passwd', '0123456789ABCDEF', '1'])
      assert.equal((await command(['analysis', 'show', id, '-c', folder])).code, 2)
  })
})

describe('analysis summary', () => {
  test('V8: tells which host fails, how, since when and who says so, and adds up no session twice', async (t) => {
    const folder = await instanceWith(
      t,
      received('one', { policies: [failing, dane] }),
      received('two', { policies: [failing], signedBy: 'other.example' }),
      received('apart', { ...unsigned, policies: [failing] }),
    )
    const { code, out } = await command(['analysis', 'summary', '-c', folder])
    assert.equal(code, 1)
    assert.equal(
      out,
      [
        '2 reports received in the last 7 days',
        '',
        'example.org',
        '  sts  180 sessions succeeded, 14 failed',
        '',
        'mx1.example.org',
        '  tlsa  90 sessions succeeded, 7 failed',
        '',
        'Failures, the most frequent first',
        '  certificate-expired at mx1.example.org: 14',
        '    for example.org, sts, from 2026-09-30 to 2026-09-30, says sender.example,',
        '    other.example',
        '  certificate-expired at mx1.example.org: 7',
        '    for mx1.example.org, tlsa, from 2026-09-30 to 2026-09-30, says',
        '    sender.example',
      ].join('\n'),
    )
    const { out: json } = await command(['analysis', 'summary', '--json', '-c', folder])
    const { domains, failures } = JSON.parse(json) as { domains: { atLeast: object }[]; failures: object[] }
    assert.deepEqual(domains[0]?.atLeast, { successes: 180, failures: 14, fetchFailures: 0 })
    assert.deepEqual(failures[0], {
      ...{ domain: 'example.org', policyType: 'sts', result: 'certificate-expired', count: 14 },
      ...{ host: 'mx1.example.org', reason: null, reporters: ['sender.example', 'other.example'] },
      ...{ since: '2026-09-30T00:00:00Z', until: '2026-09-30T23:59:59Z' },
    })
  })

  test('exits with 0 where all went well, and with 1 where nobody has said anything', async (t) => {
    const well = await instanceWith(t, received('one', { policies: [policy('sts', { successes: 3 })] }))
    assert.equal((await command(['analysis', 'summary', '-c', well])).code, 0)
    const { code, out } = await command([
      'analysis',
      'summary',
      '--days',
      '1',
      '-c',
      await instanceWith(t, evilReport()),
    ])
    assert.deepEqual([code, out], [1, 'No report that counts was received in the last day.'])
  })
})

test('V6: what a report says appears escaped, as text and as JSON, and names no file', async (t) => {
  const counted = received('counted', { report: { organization: evil }, policies: evilReport().report.policies })
  const folder = await instanceWith(t, evilReport(), counted)
  for (const args of [
    ['list'],
    ['list', '--unverified'],
    ['show', evilReport().entry.id],
    ['show', counted.entry.id],
    ['summary'],
  ])
    for (const more of [[], ['--json']]) {
      const { code, out } = await command(['analysis', ...args, ...more, '-c', folder])
      if (args[0] === 'show') assert.equal(code, 0)
      assert.match(out, /^[\x20-\x7e\n]*$/, args.join(' '))
    }
  const asKept = evil.replace('\0', '\ufffd') // no engine of the store holds a NUL in a text
  const { out } = await command(['analysis', 'show', evilReport().entry.id, '--json', '-c', folder])
  const { report } = JSON.parse(out) as { report: { organization: string; reportId: string } }
  assert.deepEqual([report.organization, report.reportId], [asKept, asKept])
})
