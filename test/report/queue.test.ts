import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HMailItem } from '../../dist/runtime/haraka.js'
import { markTlsReport, newNotes } from '../../dist/lib/requiretls/index.js'
import type { QueueEvents } from '../../dist/lib/tlsrpt/sending/index.js'
import { noteBounced, noteDeferred, noteDelivered } from '../../dist/report/queue.js'

const MINUTE = 60_000
const retryFor = 24 * 60 * MINUTE

/** What the ledger is told. */
function ledger(): QueueEvents & { readonly told: string[] } {
  const told: string[] = []
  const note = (what: string) => (_key: unknown, rua: string) => {
    told.push(`${what} ${rua}`)
    return Promise.resolve()
  }
  return { told, delivered: note('delivered'), deferred: note('deferred'), bounced: note('bounced') }
}

function report(changes: object = {}): HMailItem {
  const notes = newNotes()
  markTlsReport(notes, { domain: 'example.org', start: 0, rua: 'mailto:tls@example.org' })
  return { todo: { notes, rcpt_to: [{}], queue_time: 0, ...changes } } as unknown as HMailItem
}

describe('news of a report from the queue', () => {
  const later = { delay: 60, err: new Error('not now') }

  for (const todo of [null, undefined, {}, { notes: null }, { notes: 'text' }, { notes: { outbound_tls: null } }])
    test(`of a message with todo = ${JSON.stringify(todo)}: it is none, and nothing is thrown`, () => {
      const news = ledger()
      const hmail = { todo } as unknown as HMailItem
      noteDelivered(news, hmail, ['mx', '192.0.2.1', '250 ok'])
      assert.equal(noteDeferred(news, hmail, later, { now: 0, retryFor }), false)
      noteBounced(news, hmail, new Error('no'))
      assert.deepEqual(news.told, [])
    })

  for (const changes of [
    { rcpt_to: null },
    { rcpt_to: [] },
    { rcpt_to: [null] },
    { rcpt_to: [{ dsn_smtp_response: 4 }] },
  ])
    test(`with ${JSON.stringify(changes)} reaches the ledger all the same`, () => {
      const news = ledger()
      noteDelivered(news, report(changes), ['mx', '192.0.2.1', '250 ok'])
      assert.equal(noteDeferred(news, report(changes), later, { now: 0, retryFor }), false)
      noteBounced(news, report(changes), new Error('no'))
      const rua = 'mailto:tls@example.org'
      assert.deepEqual(news.told, [`delivered ${rua}`, `deferred ${rua}`, `bounced ${rua}`])
    })

  test('tell what the receiver said and which host it is, not that recipients failed', () => {
    const said: string[] = []
    const refusals: boolean[] = []
    const note = (_key: unknown, _rua: string, text: string) => Promise.resolve(void said.push(text))
    const bounced: QueueEvents['bounced'] = (key, rua, text, isRefused) => {
      refusals.push(isRefused)
      return note(key, rua, text)
    }
    const news: QueueEvents = { delivered: note, deferred: note, bounced }
    const rcpt_to = [
      {
        ...{ dsn_smtp_code: '550', dsn_smtp_extc: '5.1.1', dsn_smtp_response: 'no such user' },
        dsn_remote_mta: 'mx.example.org',
      },
    ]
    noteBounced(news, report({ rcpt_to }), 'Some recipients failed: <tls@example.org>')
    noteBounced(news, report({ rcpt_to }), 'Too many failures')
    noteBounced(news, report(), 'No such domain')
    noteBounced(news, report({ rcpt_to: [{ dsn_smtp_code: '450', dsn_smtp_response: 'later' }] }), 'Too many failures')
    assert.deepEqual(refusals, [true, true, false, false])
    assert.deepEqual(said.slice(0, 3), [
      'mx.example.org: 550 5.1.1 no such user',
      'Too many failures: mx.example.org: 550 5.1.1 no such user',
      'No such domain',
    ])
  })

  test('is over when retry-for is, and is not for want of a time', () => {
    const at = { now: retryFor, retryFor }
    assert.equal(noteDeferred(ledger(), report(), later, at), true)
    for (const queue_time of [null, undefined, 'text', {}])
      assert.equal(noteDeferred(ledger(), report({ queue_time }), later, at), false)
  })
})
