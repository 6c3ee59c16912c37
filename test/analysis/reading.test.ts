import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { read, type Reader } from '../../dist/analysis/reading.js'
import { createTurns } from '../../dist/analysis/turns.js'
import type { Lookup } from '../../dist/lib/dns/index.js'
import { compileAddresses } from '../../dist/lib/settings/addresses.js'
import { reportJson, reportMail } from '../e2e/received-reports.ts'
import { message, multipart, reportPart, textPart } from '../lib/tlsrpt/parsing/mail.ts'
import { ed25519Key, keyServer, signed } from '../lib/tlsrpt/parsing/signing.ts'

const key = ed25519Key()
const { lookup } = keyServer({ 'tlsrpt._domainkey.sender.test': [`v=DKIM1; ${key.record}`] })

interface World extends Reader {
  readonly logged: string[]
  readonly counted: string[]
}

function world(changes: Partial<Reader> = {}): World {
  const logged: string[] = []
  const counted: string[] = []
  const settings = {
    ...{ addresses: compileAddresses([]), forward: true, store: 86_400_000, maxSize: 100_000 },
    ...{ domains: undefined, https: false, requireDkim: true },
  }
  const done = { ok: true, value: undefined } as const
  const store: Reader['store'] = {
    add: () => Promise.resolve({ ok: true, value: 'new' }),
    entries: () => Promise.resolve({ ok: true, value: [] }),
    read: () => Promise.resolve(done),
    removeOld: () => Promise.resolve(done),
  }
  const note = { log: (level: string, text: string) => void logged.push(`${level} ${text}`) }
  const count = (result: string): void => void counted.push(result)
  return {
    settings,
    store,
    isOurs: () => true,
    lookup,
    turns: createTurns(1),
    ...note,
    count,
    countFailures: () => undefined,
    logged,
    counted,
    ...changes,
  }
}

const mail = (more: { readonly failures?: number } = {}): Promise<Buffer> =>
  signed(
    message(multipart([textPart, reportPart(gzipSync(reportJson({ id: 'one', ...more })))]), {
      From: 'TLS <a@sender.test>',
    }),
    key,
    { domain: 'sender.test' },
  )
const whole = (...blocks: Buffer[]) => ({ state: 'whole', blocks }) as const

describe('reading a message', () => {
  test('is done when all its reports are kept, and counts them', async () => {
    const reader = world()
    assert.deepEqual(await read(reader, whole(await mail()), 'm', true), { problem: undefined, isDone: true })
    assert.deepEqual(reader.counted, ['accepted'])
  })

  test('is not done where a report is about others, who may be those that it is for', async () => {
    const reader = world({ isOurs: () => false })
    assert.deepEqual(await read(reader, whole(await mail()), 'm', true), { problem: undefined, isDone: false })
    assert.deepEqual(reader.counted, ['foreign'])
  })

  test('counts the failures of reports that count by result type, and whose domain they are about', async () => {
    const counted: unknown[] = []
    const countFailures = (...failures: readonly unknown[]): void => void counted.push(failures)
    await read(world({ countFailures }), whole(await mail({ failures: 7 })), 'x', true)
    assert.deepEqual(counted, [['certificate-expired', true, 7]])
    const unsigned = world({ countFailures })
    await read(unsigned, whole(reportMail({ id: 'one', failures: 7 })), 'x', true)
    assert.equal(counted.length, 1)
  })

  test('lets the client go before keys are looked up, and lets go of the message', async () => {
    let answer: (() => void) | undefined
    const slow: Lookup = async (name, type) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return lookup(name, type)
    }
    const kept = Promise.withResolvers<undefined>()
    const store: Reader['store'] = {
      ...world().store,
      add: () => {
        kept.resolve(undefined)
        return Promise.resolve({ ok: true, value: 'new' })
      },
    }
    const captured = whole(await mail())
    const reader = world({ lookup: slow, store })
    assert.deepEqual(await read(reader, captured, 'm', false), { problem: undefined, isDone: false })
    assert.deepEqual([captured.blocks, reader.counted], [[], []])
    while (answer === undefined) await new Promise((resolve) => setImmediate(resolve))
    answer()
    await kept.promise
  })

  for (const state of ['too-large', 'no-room'] as const)
    test(`is not begun where the message is ${state}, which is said`, async () => {
      const reader = world()
      const { problem, isDone } = await read(reader, { state, blocks: [] }, 'm', true)
      assert.match(problem ?? '', /^not-read: too (?:large a message|many messages at once)$/)
      assert.equal(isDone, false)
      assert.match(reader.logged.join(), /^warn m: not looked into for TLS reports: too /)
    })

  test('gives up, in its time, what waits for its turn, and what nobody answers for', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const never = (() => new Promise(() => undefined)) as Lookup
    const reader = world({ lookup: never })
    const answers = [
      read(reader, whole(await mail()), 'first', true),
      read(reader, whole(await mail()), 'second', true),
    ]
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    t.mock.timers.tick(20_001)
    await answers[0]
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    t.mock.timers.tick(20_001) // whoever has got his turn in the last moment; the clock of this test stands still
    const given = { problem: 'not-read: no time left', isDone: false }
    assert.deepEqual(await Promise.all(answers), [given, given])
  })

  test('that fails by a mistake of ours loses nothing', async () => {
    const broken = { ...world().store, add: () => Promise.reject(new Error('a mistake')) }
    const { problem, isDone } = await read(world({ store: broken }), whole(await mail()), 'm', true)
    assert.deepEqual([problem, isDone], ['not-read: a mistake', false])
  })
})
