import assert from 'node:assert/strict'
import constants from 'haraka-constants'
import { describe, test } from 'node:test'
import { requireTlsOfBounce } from '../../dist/enforce/bounce.js'
import type { Engine } from '../../dist/enforce/engine.js'
import { createEventLog } from '../../dist/enforce/event-log.js'
import { installGuard } from '../../dist/enforce/guard.js'
import type { HarakaMx, HMailItem, Plugin, Recipient } from '../../dist/runtime/haraka.js'
import { markRequireTls, newNotes, markedTlsRequest } from '../../dist/lib/requiretls/index.js'
import { createEmitter } from '../../dist/runtime/events.js'
import { settingsOf } from '../lib/settings/settings.ts'

/** As much of core's HMailItem as decides what becomes of a message: it reads the envelope where core does. */
class Mail {
  filename = '1700000000000_1700000000000_0_4711_Ab3xYz_17_mail1'
  num_failures = 0
  todo: unknown
  notes: unknown = {}
  mxlist: unknown = []
  cfg: unknown = { temp_fail_intervals: [60], local_mx_ok: true }
  readonly fates: string[] = []
  readonly log: string[] = []

  constructor(todo: unknown) {
    this.todo = todo
    for (const level of ['logcrit', 'logerror', 'logwarn', 'lognotice', 'loginfo', 'logdebug'])
      Object.assign(this, { [level]: (text: string) => void this.log.push(text) })
  }

  get_mx_respond(): void {
    this.fates.push('left to core')
  }
  try_deliver(): void {
    this.fates.push('tried')
  }
  try_deliver_host_on_socket(): void {
    this.fates.push('handed over')
  }
  temp_fail(): void {
    this.num_failures++
    if (this.num_failures <= 1) return void this.fates.push('deferred')
    for (const recipient of (this.todo as { rcpt_to: object[] }).rcpt_to) Object.assign(recipient, { failed: true })
    this.bounce()
  }
  bounce(): void {
    const { user } = (this.todo as { mail_from: { user: string } }).mail_from
    this.fates.push(`bounced to ${user}`)
  }
  bounce_respond(): void {
    this.fates.push('bounced by core')
  }
  discard(): void {
    this.fates.push('discarded')
  }
  delivered(): void {
    this.fates.push('delivered')
  }
  next_cb(): void {
    this.fates.push('left in the queue')
  }
  extend_rcpt_with_dsn(recipient: Recipient, dsn: object): void {
    Object.assign(recipient, dsn)
  }
}

const settings = settingsOf('[main]\nrequiretls = true\n')

/** An engine in whose world no name can be looked up. Counts how often its data are in use. */
function engineFor(uses: { count: number }): Engine {
  const snapshot = {
    settings,
    resolver: {
      lookup: (name: string) =>
        Promise.resolve({ status: 'failed', name, failure: { class: 'timeout', text: 'no answer' } }),
    },
    sts: {
      policyFor: () => Promise.resolve({ status: 'none', why: 'no-record', text: 'none' }),
      recheck: () => Promise.resolve('the-same'),
    },
    release: () => (uses.count -= 1),
  }
  const acquire = () => {
    uses.count += 1
    return snapshot
  }
  const HarakaMx = function (this: object, properties: object) {
    Object.assign(this, properties)
  }
  return {
    acquire,
    settings: () => settings,
    errors: [],
    emit: createEmitter([createEventLog()], () => assert.fail()),
    HarakaMx,
    outbound: { temp_fail_intervals: [60], local_mx_ok: true, connect_timeout: 30 },
    addresses: { isLocal: () => false, isOwn: () => Promise.resolve(false) },
  } as unknown as Engine
}

const whole = () => ({
  domain: 'example.test',
  mail_from: { user: 'sender', host: 'origin.test' },
  rcpt_to: [{ user: 'one', host: 'example.test' }],
  notes: {},
  queue_time: Date.now(),
  uuid: 'A',
})

const wrong: readonly unknown[] = [null, undefined, 42, '', 'text', true, [], {}, () => 'text', Symbol('x'), [null]]

/** Every way in which one property is not what it ought to be. */
function* brokenMails(): Generator<readonly [string, () => Mail]> {
  for (const value of wrong) {
    yield [`todo = ${describeValue(value)}`, () => new Mail(value)]
    for (const key of Object.keys(whole()))
      yield [`todo.${key} = ${describeValue(value)}`, () => new Mail({ ...whole(), [key]: value })]
    for (const key of ['user', 'host'])
      yield [
        `todo.mail_from.${key} = ${describeValue(value)}`,
        () => new Mail({ ...whole(), mail_from: { ...whole().mail_from, [key]: value } }),
      ]
    yield [
      `todo.notes.outbound_tls = ${describeValue(value)}`,
      () => new Mail({ ...whole(), notes: { outbound_tls: value } }),
    ]
    for (const key of ['filename', 'num_failures', 'notes', 'mxlist', 'cfg'])
      yield [`${key} = ${describeValue(value)}`, () => Object.assign(new Mail(whole()), { [key]: value })]
  }
}

function describeValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

const END = /^(deferred|bounced|left in the queue)/

describe('a message that is not what it ought to be', () => {
  for (const [what, make] of brokenMails())
    test(`${what}: its attempts end, each with one fate, and nothing is thrown`, async () => {
      const uses = { count: 0 }
      const mail = make()
      const hmail = mail as unknown as HMailItem
      installGuard(hmail, engineFor(uses))
      for (const answer of [
        [constants.cont, undefined],
        [constants.cont, undefined],
      ] as const) {
        mail.fates.length = 0
        await hmail.get_mx_respond(...answer)
        const ends = mail.fates.filter((fate) => END.test(fate))
        assert.equal(ends.length, 1, `${mail.fates.join()}\n${mail.log.join('\n')}`)
      }
      assert.equal(uses.count, 0)
    })

  test('one with a broken envelope that a plugin breaks behind the guard, too', async () => {
    for (const value of wrong) {
      const mail = new Mail(whole())
      installGuard(mail as unknown as HMailItem, engineFor({ count: 0 }))
      mail.todo = value
      await (mail as unknown as HMailItem).found_mx([{ exchange: 'relay.test' }])
      assert.equal(mail.fates.filter((fate) => END.test(fate)).length, 1, describeValue(value))
    }
  })

  test('without a recipient domain bounces, as in plain Haraka', async () => {
    for (const domain of [null, undefined, 42, '']) {
      const mail = new Mail({ ...whole(), domain })
      installGuard(mail as unknown as HMailItem, engineFor({ count: 0 }))
      await (mail as unknown as HMailItem).get_mx_respond(constants.cont, undefined)
      assert.deepEqual(mail.fates, ['bounced to sender'])
    }
  })
})

describe('the answer of another plugin to get_mx', () => {
  test('of which nothing can be used defers the message, and says why', async () => {
    for (const host of [{ exchange: ['a', 'b'] }, { exchange: 'a.test', port: 'smtp' }, {}, { path: {} }]) {
      const mail = new Mail(whole())
      installGuard(mail as unknown as HMailItem, engineFor({ count: 0 }))
      await (mail as unknown as HMailItem).found_mx([host as unknown as HarakaMx])
      assert.deepEqual(mail.fates, ['deferred'])
      assert.ok(mail.log.some((line) => line.includes('the answer to the hook get_mx cannot be used: it')))
    }
  })

  test('with one host that can be used goes there', async () => {
    const mail = new Mail(whole())
    installGuard(mail as unknown as HMailItem, engineFor({ count: 0 }))
    const hosts = [{ exchange: 'a.test', port: 'smtp' }, { path: '/run/lmtp' }]
    await (mail as unknown as HMailItem).found_mx(hosts as unknown as HarakaMx[])
    assert.deepEqual(mail.fates, ['tried'])
    assert.deepEqual({ ...(mail.mxlist as object[])[0] }, { path: '/run/lmtp', port: 25 })
  })
})

describe('REQUIRETLS', () => {
  const requiring = () => {
    const notes = newNotes()
    markRequireTls(notes)
    return new Mail({ ...whole(), notes })
  }

  for (const notes of [{}, null, undefined, { outbound_tls: { tlsRequired: 'no' } }, Object.freeze({})])
    test(`outlives notes that become ${describeValue(notes)}`, () => {
      const mail = requiring()
      const todo = mail.todo as { notes: unknown }
      installGuard(mail as unknown as HMailItem, engineFor({ count: 0 }))
      todo.notes = notes
      requireTlsOfBounce(mail as unknown as HMailItem, {} as Plugin)
      assert.ok(Object.hasOwn(mail, 'bounce_respond'), 'its bounce requires TLS, too')
      if (!Object.isFrozen(notes) || notes === null || notes === undefined)
        assert.equal(markedTlsRequest(todo.notes), 'requiretls', 'so do the messages that core splits off')
    })

  test('a bounce hook whose message has no envelope any more leaves it to core', () => {
    const mail = requiring()
    installGuard(mail as unknown as HMailItem, engineFor({ count: 0 }))
    requireTlsOfBounce(mail as unknown as HMailItem, {} as Plugin)
    for (const todo of [null, undefined, {}, { mail_from: null }, { mail_from: { user: 42 } }]) {
      mail.todo = todo
      ;(mail as unknown as HMailItem).bounce_respond(constants.cont)
    }
    assert.deepEqual(new Set(mail.fates), new Set(['bounced by core']))
  })
})
