import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { value } from '../lib/tlsrpt/sending/ledger-ground.ts'
import { NOW } from './ground.ts'
import {
  createReporting,
  frozenText,
  kept,
  leaseOf,
  report,
  REPORT_INI,
  reportJson,
  sessions,
  TODAY,
  YESTERDAY,
} from './reports.ts'

const ACCEPTED = { rua: 'mailto:tls@a.test', state: 'accepted', attempts: 1, nextAt: Infinity, note: '250 ok' } as const

describe('report send', () => {
  test('a worker sends what waits: it is asked for, and what has become of it is shown', async (t) => {
    const reporting = createReporting(t)
    const { ledger } = reporting
    await kept(ledger, 'a.test')
    const lease = await leaseOf(ledger)
    const { code, out, err } = await report(reporting, ['send', 'a.test'], {
      meanwhile: async () => {
        if ((await value(ledger.followRequest(lease, NOW))) === undefined) return
        const entry = await value(ledger.read({ domain: 'a.test', start: YESTERDAY }))
        assert.equal(entry?.dueAt, NOW)
        await value(ledger.change(entry, { state: 'sent', dueAt: Infinity, destinations: [ACCEPTED] }, lease))
      },
    })
    assert.equal(code, 0)
    assert.match(
      out,
      /^A worker has taken the request\.[^]*\nsent {8}2026-05-31 .*a\.test\n *accepted: mailto:tls@a\.test/,
    )
    assert.match(err, /Waiting for a worker/)
  })

  test('no worker takes it: it is left in the store, and ends with 1', async (t) => {
    const reporting = createReporting(t)
    await kept(reporting.ledger, 'a.test', { state: 'given-up', dueAt: Infinity })
    const { code, out } = await report(reporting, ['send', 'a.test'])
    assert.equal(code, 1)
    assert.match(out, /^No worker has taken the request/)
    assert.equal(await value(reporting.ledger.isSendRequested('a.test')), true)
  })

  test('without waiting it leaves the request', async (t) => {
    const reporting = createReporting(t)
    await kept(reporting.ledger, 'a.test')
    const { code, err } = await report(reporting, ['send', 'a.test', '--no-wait'])
    assert.deepEqual([code, err], [0, ''])
    assert.equal(await value(reporting.ledger.isSendRequested('a.test')), true)
  })

  test('where nothing waits nothing is asked for', async (t) => {
    const reporting = createReporting(t)
    await kept(reporting.ledger, 'sent.test', { state: 'sent', dueAt: Infinity })
    const [none, sent] = [await report(reporting, ['send', 'a.test']), await report(reporting, ['send', 'sent.test'])]
    assert.deepEqual([none.code, sent.code], [1, 1])
    assert.match(none.out, /No report on a\.test is scheduled/)
    assert.match(sent.out, /All reports on sent\.test are sent/)
    for (const domain of ['a.test', 'sent.test'])
      assert.equal(await value(reporting.ledger.isSendRequested(domain)), false)
  })

  test('to a file, nothing is sent: the very bytes, as JSON or compressed, and never over another file', async (t) => {
    const reporting = createReporting(t)
    const { text, bytes } = frozenText('a.test')
    await kept(reporting.ledger, 'a.test', { state: 'sending', frozen: bytes })
    const path = (name: string): string => join(reporting.folder, name)
    assert.equal((await report(reporting, ['send', 'a.test', '--to', 'a.json'])).code, 0)
    assert.equal((await report(reporting, ['send', 'a.test', '--to', path('a.json.gz')])).code, 0)
    assert.equal(readFileSync(path('a.json'), 'utf8'), text)
    assert.deepEqual(readFileSync(path('a.json.gz')), bytes)

    await kept(reporting.ledger, 'a.test', { frozen: frozenText('a.test', 'Other').bytes })
    const { code, err } = await report(reporting, ['send', 'a.test', '--to', 'a.json'])
    assert.equal(code, 3)
    assert.match(err, /none is\s+overwritten/)
    assert.equal(readFileSync(path('a.json'), 'utf8'), text)
    assert.equal(await value(reporting.ledger.isSendRequested('a.test')), false)
  })

  test('to a file: what is counted by now, which is what would be sent', async (t) => {
    const reporting = createReporting(t)
    await sessions(reporting.outcomes, 'a.test', TODAY)
    const told = await reportJson(reporting, ['send', 'a.test', '--to', 'a.json.gz', '--period', '2026-06-01'])
    assert.deepEqual([told.result, told.frozen], ['written', false])
    const written = gunzipSync(readFileSync(join(reporting.folder, 'a.json.gz'))).toString()
    const { report: shown } = await reportJson(reporting, ['show', 'a.test', '--period', '2026-06-01'])
    assert.deepEqual(JSON.parse(written), shown)
  })

  for (const [why, args] of [
    ['a file of another kind', ['--to', 'report.txt']],
    ['a period without a file', ['--period', '2026-05-31']],
  ] as const)
    test(`${why} ends with 2`, async (t) => {
      assert.equal((await report(createReporting(t), ['send', 'a.test', ...args])).code, 2)
    })
})

describe('report suppress', () => {
  test('adds patterns as suppress[] takes them, and shows them with those of the file', async (t) => {
    const reporting = createReporting(t)
    await value(reporting.ledger.suppressions())
    for (const pattern of ['*.Bücher.test', 'TLS@A.test', 'b.test.'])
      assert.equal((await report(reporting, ['suppress', pattern])).code, 0, pattern)
    const { suppressions } = await reportJson(reporting, ['suppress'])
    const since = '2026-06-01T12:00:00Z'
    assert.deepEqual(suppressions, [
      { pattern: '*.xn--bcher-kva.test', from: 'store', since },
      { pattern: 'b.test', from: 'store', since },
      { pattern: 'tls@a.test', from: 'store', since },
      { pattern: 'file.test', from: 'file', since: null },
    ])
    const { code, out } = await report(reporting, ['suppress'])
    assert.equal(code, 0)
    assert.match(out, /^b\.test +since 2026-06-01T12:00:00Z$/m)
    assert.match(out, /^file\.test +suppress\[\] of outbound-tls\.report\.ini$/m)
  })

  test('takes one away; what the file has stays, and it says so', async (t) => {
    const reporting = createReporting(t)
    for (const pattern of ['b.test', 'file.test']) await value(reporting.ledger.suppress(pattern, NOW))
    assert.equal((await report(reporting, ['suppress', '--remove', 'B.test'])).code, 0)
    assert.equal((await report(reporting, ['suppress', '--remove', 'b.test'])).code, 1)
    const { code, out } = await report(reporting, ['suppress', '--remove', 'file.test'])
    assert.equal(code, 1)
    assert.match(out.replaceAll('\n', ' '), /file\.test is taken away\. .* has it in suppress\[\]/)
    assert.deepEqual(await value(reporting.ledger.suppressions()), [])
  })

  test('there is none: ends with 1', async (t) => {
    const reporting = createReporting(t, REPORT_INI.replace('suppress[] = file.test', ''))
    await value(reporting.ledger.suppressions())
    assert.equal((await report(reporting, ['suppress'])).code, 1)
  })

  for (const args of [['a b'], ['*'], ['--remove'], ['@a.test']])
    test(`${args.join(' ')} ends with 2, and changes nothing`, async (t) => {
      const reporting = createReporting(t)
      assert.equal((await report(reporting, ['suppress', ...args])).code, 2)
      assert.deepEqual(await value(reporting.ledger.suppressions()), [])
    })
})
