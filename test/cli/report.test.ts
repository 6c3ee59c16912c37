import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { value } from '../lib/tlsrpt/sending/ledger-ground.ts'
import { createInstance, DAY, HOUR, NOW } from './ground.ts'
import { createReporting, frozenText, kept, report, reportJson, sessions, TODAY, YESTERDAY } from './reports.ts'

const DESTINATIONS = [
  { rua: 'mailto:tls@a.test', state: 'accepted', attempts: 1, nextAt: Infinity, note: '250 ok' },
  { rua: 'https://a.test/', state: 'waiting', attempts: 2, nextAt: NOW + HOUR, note: '503 \u001b[2J' },
] as const

describe('report list', () => {
  test('shows when reports are due, and what became of each destination; nothing from outside steers the terminal', async (t) => {
    const reporting = createReporting(t)
    await kept(reporting.ledger, 'b.test')
    await kept(reporting.ledger, 'a.test', {
      state: 'sent',
      dueAt: NOW + HOUR,
      destinations: DESTINATIONS,
      sessions: { successful: 7, failed: 1 },
      frozen: Buffer.from('12345'),
    })
    await kept(
      reporting.ledger,
      'a.test',
      { state: 'not-wanted', dueAt: Infinity, note: 'no TLSRPT record' },
      {
        start: YESTERDAY - 7 * DAY,
        end: YESTERDAY,
      },
    )
    const { code, out } = await report(reporting, ['list'])
    assert.equal(code, 0)
    assert.equal(
      out,
      [
        'STATE       PERIOD                    DOMAIN',
        'sent        2026-05-31                a.test',
        '            sessions: 7 successful, 1 failed; 5 bytes',
        '            accepted: mailto:tls@a.test, 1 attempt: 250 ok',
        '            waiting: https://a.test/, 2 attempts, next 2026-06-01T13:00:00Z, in',
        '            1 hour: 503 \\u{1b}[2J',
        'scheduled   2026-05-31                b.test',
        '            due 2026-06-01T13:00:00Z, in 1 hour',
        'not-wanted  2026-05-24 to 2026-05-30  a.test',
        '            no TLSRPT record',
      ].join('\n'),
    )
  })

  test('shows those of a domain, of some states, and up to a limit', async (t) => {
    const reporting = createReporting(t)
    for (const domain of ['a.test', 'b.test', 'xn--bcher-kva.test'])
      await kept(reporting.ledger, domain, domain === 'a.test' ? { state: 'given-up', dueAt: Infinity } : {})
    const domains = async (...args: string[]): Promise<readonly [unknown, readonly string[]]> => {
      const { reports, all } = (await reportJson(reporting, ['list', ...args])) as {
        reports: { domain: string }[]
        all: boolean
      }
      return [all, reports.map(({ domain }) => domain)]
    }
    assert.deepEqual(await domains('--domain', 'Bücher.test'), [true, ['xn--bcher-kva.test']])
    assert.deepEqual(await domains('--state', 'given-up', '--state', 'sent'), [true, ['a.test']])
    assert.deepEqual(await domains('--limit', '2'), [false, ['a.test', 'b.test']])
    assert.match((await report(reporting, ['list', '--limit', '2'])).out, /There are more/)
    assert.equal((await report(reporting, ['list', '--state', 'sent'])).code, 1)
  })

  test('as JSON: the documented fields', async (t) => {
    const reporting = createReporting(t)
    const sessionsOf = { successful: 7, failed: 1 }
    const change = {
      state: 'sent',
      dueAt: NOW,
      firstTriedAt: NOW,
      destinations: DESTINATIONS,
      sessions: sessionsOf,
    } as const
    await kept(reporting.ledger, 'a.test', { ...change, note: 'jé' })
    assert.deepEqual(await reportJson(reporting, ['list']), {
      schema: 1,
      reports: [
        {
          domain: 'a.test',
          period: { text: '2026-05-31', start: '2026-05-31T00:00:00Z', end: '2026-06-01T00:00:00Z' },
          reportId: '20260531T00Z.atest@example.com',
          state: 'sent',
          dueAt: '2026-06-01T12:00:00Z',
          firstTriedAt: '2026-06-01T12:00:00Z',
          sessions: sessionsOf,
          size: 0,
          destinations: [
            { rua: 'mailto:tls@a.test', state: 'accepted', attempts: 1, nextAt: null, note: '250 ok' },
            { ...DESTINATIONS[1], nextAt: '2026-06-01T13:00:00Z' },
          ],
          note: 'jé',
        },
      ],
      all: true,
    })
  })

  for (const [why, args] of [
    ['an unknown state', ['--state', 'lost']],
    ['no domain', ['--domain', 'a..b']],
    ['no number', ['--limit', 'all']],
  ] as const)
    test(`${why} ends with 2`, async (t) => {
      assert.equal((await report(createReporting(t), ['list', ...args])).code, 2)
    })

  test('without a store it says so, ends with 3, and makes none', async (t) => {
    const { folder } = createInstance(t)
    const { code, out, err } = await report({ folder }, ['list'])
    assert.deepEqual([code, out], [3, ''])
    assert.match(err.replaceAll('\n', ' '), /outbound-tls\.db: no such file \(Haraka makes it/)
    assert.equal(existsSync(join(folder, 'outbound-tls.db')), false)
  })
})

describe('report show', () => {
  test('shows the latest report as it is sent, while that is kept', async (t) => {
    const reporting = createReporting(t)
    await sessions(reporting.outcomes, 'a.test')
    const { text, bytes } = frozenText('a.test')
    await kept(reporting.ledger, 'a.test', { state: 'sending', frozen: bytes })
    const { code, out } = await report(reporting, ['show', 'A.test.'])
    assert.equal(code, 0)
    assert.match(out, /^TLS report on a\.test for 2026-05-31\n {2}reported by {2}Example, tls@example\.com\n/)
    assert.match(out, /composed {5}as it is sent, byte for byte\n {2}sessions {5}7 successful, 1 failed/)
    assert.match(out, /1 failed: starttls-not-supported \(x\\u\{1b\}\[31m\)/)
    assert.match(out, /\nsending {5}2026-05-31/)
    const told = await reportJson(reporting, ['show', 'a.test'])
    assert.equal(told.frozen, true)
    assert.equal(JSON.stringify(told.report), text)
  })

  test('a report that is damaged in the store ends with 3', async (t) => {
    const reporting = createReporting(t)
    await kept(reporting.ledger, 'a.test', { state: 'sending', frozen: Buffer.from('no gzip') })
    const { code, err } = await report(reporting, ['show', 'a.test'])
    assert.equal(code, 3)
    assert.match(err, /^the report: it is damaged in the store: /)
  })

  test('shows what is counted where a report waits for its time, with its id and its details', async (t) => {
    const reporting = createReporting(t)
    await sessions(reporting.outcomes, 'a.test')
    await kept(reporting.ledger, 'a.test')
    const { code, out } = await report(reporting, ['show', 'a.test'])
    assert.equal(code, 0)
    assert.match(out, /report id {4}20260531T00Z\.atest@example\.com/)
    assert.match(out, /just now, from what is counted\n {2}sessions {5}40 successful, 2 failed/)
    assert.match(
      out,
      /sts a\.test\n {2}sessions: 40 successful, 2 failed\n {2}policy {2}version: STSv1\n {10}mode: enforce/,
    )
    assert.match(out, /2 failed: certificate-expired at mx1\.mail\.test\n? *\[192\.0\.2\.7\] from 192\.0\.2\.1/)
    const {
      report: shown,
      frozen,
      remarks,
    } = (await reportJson(reporting, ['show', 'a.test'])) as {
      report: { policies: { summary: object }[] }
      frozen: boolean
      remarks: string[]
    }
    assert.deepEqual([frozen, remarks], [false, []])
    assert.deepEqual(shown.policies[0]?.summary, {
      'total-successful-session-count': 40,
      'total-failure-session-count': 2,
    })
  })

  test('shows what the next one would say by now, where none is scheduled, also without a ledger', async (t) => {
    const reporting = createReporting(t)
    await sessions(reporting.outcomes, 'a.test', TODAY + HOUR)
    const { code, out } = await report(reporting, ['show', 'a.test'])
    assert.equal(code, 0)
    assert.match(out, /^TLS report on a\.test for 2026-06-01\n/)
    assert.match(out, /The period is not over: more sessions may come\./)
    await sessions(reporting.outcomes, 'a.test', YESTERDAY)
    assert.match((await report(reporting, ['show', 'a.test'])).out, /for 2026-05-31\n/) // it is over, and not reported yet
  })

  test('shows the report on a period: a day, an hour, a week, or what begins then', async (t) => {
    const reporting = createReporting(t)
    for (const hour of [TODAY - 7 * DAY, YESTERDAY + 10 * HOUR]) await sessions(reporting.outcomes, 'a.test', hour)
    await kept(reporting.ledger, 'a.test', {}, { start: TODAY - 7 * DAY, end: TODAY })
    for (const [given, shown] of [
      ['2026-05-31', '2026-05-31'],
      ['2026-05-31T10Z', '2026-05-31T10Z'],
      ['2026-05-31T09Z to 2026-05-31T10Z', '2026-05-31T09Z to 2026-05-31T10Z'],
      ['2026-05-25', '2026-05-25 to 2026-05-31'],
      ['2026-05-25T00Z', '2026-05-25T00Z'],
    ] as const) {
      const { code, out } = await report(reporting, ['show', 'a.test', '--period', given])
      assert.deepEqual([code, out.split('\n')[0]], [0, `TLS report on a.test for ${shown}`])
    }
    assert.equal((await report(reporting, ['show', 'a.test', '--period', '2026-05-31T11Z'])).code, 1)
    for (const given of [
      '2026-02-30',
      '2026-05-31T24Z',
      'today',
      '2026-05-31 to 2026-05-30',
      '2026-05-31 to 2026-05-31',
    ])
      assert.equal((await report(reporting, ['show', 'a.test', '--period', given])).code, 2, given)
  })

  test('of what was sent the bytes are not kept: it is composed anew, and says so', async (t) => {
    const reporting = createReporting(t)
    await sessions(reporting.outcomes, 'a.test')
    await kept(reporting.ledger, 'a.test', { state: 'sent', dueAt: Infinity })
    assert.match((await report(reporting, ['show', 'a.test'])).out, /The bytes that were sent are not kept/)
    await value(reporting.outcomes.removeOld(0, TODAY + DAY))
    const { code, out } = await report(reporting, ['show', 'a.test'])
    assert.equal(code, 1)
    assert.match(out.replaceAll('\n', ' '), /is counted any more: the report was sent/)
  })

  for (const [domain, failed, remark] of [
    ['file.test', 2, /^file\.test is suppressed/],
    ['store.test', 2, /^\*\.test is suppressed/],
    ['never.test', 2, /^send = never/],
    ['failures.test', 0, /^when = failures, and there are none/],
  ] as const)
    test(`says what would keep the one on ${domain} from being sent`, async (t) => {
      const reporting = createReporting(t)
      await sessions(reporting.outcomes, domain, YESTERDAY, failed)
      if (domain === 'store.test') await value(reporting.ledger.suppress('*.test', NOW))
      const { remarks } = (await reportJson(reporting, ['show', domain])) as { remarks: string[] }
      assert.equal(remarks.length, 1)
      assert.match(remarks[0] ?? '', remark)
    })

  test('without a report.ini it shows what is counted, and says what is missing', async (t) => {
    const reporting = createReporting(t, '')
    rmSync(join(reporting.folder, 'config', 'outbound-tls.report.ini'))
    await sessions(reporting.outcomes, 'a.test')
    const { code, out } = await report(reporting, ['show', 'a.test'])
    assert.equal(code, 0)
    assert.match(out.replaceAll('\n', ' '), /report\.ini lacks from-address, org-name, contact-info: nothing is sent/)
  })

  test('a report.ini that cannot be accepted is said in the words of the log, and ends with 3', async (t) => {
    const { code, out, err } = await report(createReporting(t, 'send = often'), ['show', 'a.test'])
    assert.deepEqual([code, out], [3, ''])
    assert.match(err, /outbound-tls\.report\.ini \[main\] send = "often"/)
  })

  test('a domain that nothing is counted of ends with 1, what is no domain with 2', async (t) => {
    const reporting = createReporting(t)
    await sessions(reporting.outcomes, 'a.test')
    const { code, out } = await report(reporting, ['show', 'nobody.test'])
    assert.equal(code, 1)
    assert.match(out, /^No session of 2026-06-01 with nobody\.test is counted\.$/)
    assert.equal((await report(reporting, ['show', 'a..b'])).code, 2)
  })
})
