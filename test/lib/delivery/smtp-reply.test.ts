import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  offers,
  readReplies,
  ReplyError,
  replyText,
  type SmtpReply,
  type ReplyReader,
} from '../../../dist/lib/delivery/smtp-reply.js'
import { runs } from '../../support/runs.ts'

const RUNS = runs(1000, 20_000)
const SOON = 20

interface Wire {
  readonly socket: EventEmitter
  readonly reader: ReplyReader
  readonly send: (data: string | Uint8Array) => void
}

function wire(): Wire {
  const socket = new EventEmitter()
  return { socket, reader: readReplies(socket), send: (data) => void socket.emit('data', Buffer.from(data)) }
}

/** The reply's lines, or why there is none. */
async function next(reader: ReplyReader, milliseconds = SOON): Promise<readonly string[] | string> {
  try {
    return (await reader.next(milliseconds)).lines
  } catch (error) {
    assert.ok(error instanceof ReplyError)
    return error.problem
  }
}

async function only(data: string | Uint8Array): Promise<readonly string[] | string> {
  const { reader, send } = wire()
  const answer = next(reader)
  send(data)
  return answer
}

describe('an SMTP reply', () => {
  test('of one line', async () => assert.deepEqual(await only('220 mx ESMTP\r\n'), ['220 mx ESMTP\r\n']))

  test('of several lines', async () => {
    assert.deepEqual(await only('250-mx\r\n250-SIZE 1\r\n250 HELP\r\n'), [
      '250-mx\r\n',
      '250-SIZE 1\r\n',
      '250 HELP\r\n',
    ])
  })

  test('without text', async () => {
    assert.deepEqual(await only('250\r\n'), ['250\r\n'])
    assert.deepEqual(await only('250 \r\n'), ['250 \r\n'])
    assert.deepEqual(await only('250-\r\n250\r\n'), ['250-\r\n', '250\r\n'])
  })

  test('with bare LF, as some servers of the wild have it', async () => {
    assert.deepEqual(await only('250-mx\n250 HELP\n'), ['250-mx\n', '250 HELP\n'])
  })

  test('with octets beyond ASCII', async () => {
    assert.deepEqual(await only(Buffer.from([...Buffer.from('220 '), 0xe9, 0x0d, 0x0a])), ['220 \xe9\r\n'])
  })

  for (const [what, data] of [
    ['an HTTP answer', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an empty line', '\r\n'],
    ['a code of two digits', '25 ok\r\n'],
    ['a code of four digits', '2500 ok\r\n'],
    ['a code that begins with 1', '150 wait\r\n'],
    ['a code that begins with 6', '650 what\r\n'],
    ['a separator that is none', '250_ok\r\n'],
    ['white space before the code', ' 250 ok\r\n'],
    ['a code that changes', '250-mx\r\n550 no\r\n'],
    ['garbage within', '250-mx\r\ngarbage\r\n'],
    ['an empty line within', '250-mx\r\n\r\n250 ok\r\n'],
    ['a NUL first', '\x00250 ok\r\n'],
    ['a TLS record', '\x15\x03\x01\x00\x02\x02\x28\n'],
  ] as const)
    test(`${what} is malformed`, async () => assert.equal(await only(data), 'malformed'))

  test('a line of 4096 octets is taken, a longer one is malformed before it ends', async () => {
    assert.equal((await only(`220 ${'x'.repeat(4090)}\r\n`)).length, 1)
    assert.equal(await only('2'.repeat(4097)), 'malformed')
    assert.equal(await only(`220 ${'x'.repeat(5000)}\r\n`), 'malformed')
  })

  test('128 lines are taken, more are malformed before they end', async () => {
    const most = `${'250-x\r\n'.repeat(127)}250 x\r\n`
    assert.equal((await only(most)).length, 128)
    assert.equal(await only('250-x\r\n'.repeat(129)), 'malformed')
  })

  test('what does not come in time is a timeout, however busily the peer drips', async () => {
    const { reader, send } = wire()
    const dripping = setInterval(() => send('2'), 2)
    assert.equal(await next(reader, 50), 'timeout')
    clearInterval(dripping)
  })

  test('what is no reply is told in printable US-ASCII: no control reaches a terminal, none of C1 either', async () => {
    for (const line of ['\x9b2J\x1b]0;root\x07 hello\r\n', '250-a\r\n550 \x9d\x85\r\n']) {
      const { reader, send } = wire()
      send(Buffer.from(line, 'latin1'))
      await assert.rejects(reader.next(SOON), { problem: 'malformed', message: /^[ -~]*$/ })
    }
  })

  test('silence is a timeout', async () => assert.equal(await next(wire().reader), 'timeout'))

  test('the end, the close and an error of the connection end the wait at once', async () => {
    for (const [event, problem] of [
      ['end', 'closed'],
      ['close', 'closed'],
      ['error', 'failed'],
    ] as const) {
      const { socket, reader } = wire()
      const answer = next(reader, 60_000)
      socket.emit(event, new Error('reset'))
      assert.equal(await answer, problem)
      assert.ok(reader.isBroken())
    }
  })

  test('a reply that came before the end counts', async () => {
    const { socket, reader, send } = wire()
    send('421 going away\r\n')
    socket.emit('end')
    assert.deepEqual(await next(reader), ['421 going away\r\n'])
    assert.equal(await next(reader), 'closed')
  })

  test('nothing is lost between two calls', async () => {
    const { reader, send } = wire()
    send('220 a\r\n250 b')
    assert.deepEqual(await next(reader), ['220 a\r\n'])
    assert.ok(reader.hasMore())
    send('\r\n')
    assert.deepEqual(await next(reader), ['250 b\r\n'])
    assert.ok(!reader.hasMore())
  })

  test('a late reply after a timeout is not taken for the answer to nothing', async () => {
    const { reader, send } = wire()
    assert.equal(await next(reader, 1), 'timeout')
    send('220 late\r\n')
    assert.ok(reader.hasMore())
  })

  test('RFC 3207 6: a single octet behind the reply is noticed', async () => {
    const { reader, send } = wire()
    const answer = next(reader)
    send('220 go ahead\r\nE')
    assert.deepEqual(await answer, ['220 go ahead\r\n'])
    assert.ok(reader.hasMore())
  })

  test('who floods while nobody asks is cut off', async () => {
    const { reader, send } = wire()
    const chunk = '250-x\r\n'.repeat(10_000)
    for (let sent = 0; sent < 20 && !reader.isBroken(); sent++) send(chunk)
    assert.ok(reader.isBroken())
    assert.equal(await next(reader), 'malformed')
  })

  test('who drips reply after reply is cut off', async (t) => {
    let now = 0
    t.mock.method(performance, 'now', () => now)
    const { reader, send } = wire()
    const answers: unknown[] = []
    for (let reply = 0; reply < 3; reply++) {
      const answer = next(reader, 60_000)
      for (const octet of '250 ok\r\n') {
        send(octet)
        now += 8000
      }
      answers.push(await answer)
    }
    assert.deepEqual(answers, [['250 ok\r\n'], ['250 ok\r\n'], 'malformed'])
  })

  test('closing takes every listener away and ends the wait', async () => {
    const { socket, reader } = wire()
    const answer = next(reader, 60_000)
    reader.close()
    assert.equal(await answer, 'closed')
    assert.deepEqual(socket.eventNames(), [])
  })

  test('octet by octet, the largest reply costs little', async () => {
    const { reader, send } = wire()
    const answer = next(reader, 60_000)
    const line = `250-${'x'.repeat(1000)}\r\n`
    const data = Buffer.from(line.repeat(127))
    const before = process.cpuUsage()
    for (const octet of data) send(Uint8Array.of(octet))
    const { user } = process.cpuUsage(before)
    send('250 x\r\n')
    assert.equal((await answer).length, 128)
    assert.ok(user < 1_000_000, `${user / 1000} ms`)
  })
})

const line = fc
  .tuple(fc.constantFrom('220', '250', '454', '554'), fc.string({ unit: 'grapheme-ascii', maxLength: 30 }))
  .map(([code, text]) => ({ code, text: text.replace(/[\r\n]/g, '') }))
const reply = fc
  .tuple(line, fc.array(line, { maxLength: 5 }), fc.constantFrom('\r\n', '\n'))
  .map(([last, lines, end]) => [
    ...lines.map(({ text }) => `${last.code}-${text}${end}`),
    `${last.code} ${last.text}${end}`,
  ])

/** Cut at these places, as TCP does as it likes. */
function cut(data: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (data.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => data.subarray(from, at[index] ?? data.length))
}

async function readAll(chunks: readonly Uint8Array[], count: number): Promise<(readonly string[] | string)[]> {
  const { socket, reader, send } = wire()
  for (const chunk of chunks) send(chunk)
  socket.emit('close')
  const answers = []
  for (let index = 0; index < count; index++) answers.push(await next(reader))
  reader.close()
  return answers
}

describe('replies from anyone', () => {
  test('are the same, wherever TCP cuts them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 4 }), fc.array(fc.nat()), async (replies, places) => {
        const data = Buffer.from(replies.flat().join(''), 'latin1')
        assert.deepEqual(await readAll(cut(data, places), replies.length), replies)
      }),
      { numRuns: RUNS },
    )
  })

  test('of any octets are a reply or a problem, the same wherever TCP cuts them, and the reader never hangs', async () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.constantFrom('2', '5', '0', '-', ' ', '\r', '\n', 'x', '250-', '250 ', '\r\n'), { maxLength: 60 })
        .map((parts) => Buffer.from(parts.join(''))),
    )
    await fc.assert(
      fc.asyncProperty(octets, fc.array(fc.nat()), async (data, places) => {
        const whole = await readAll([data], 3)
        assert.deepEqual(await readAll(cut(Buffer.from(data), places), 3), whole)
      }),
      { numRuns: RUNS },
    )
  })
})

const replyOf = (...lines: string[]): SmtpReply => ({ code: Number(lines[0]?.slice(0, 3)), lines })

describe('an EHLO reply', () => {
  test('offers what it has as a keyword, in any case', () => {
    assert.ok(offers(replyOf('250-mx\r\n', '250-starttls\r\n', '250 HELP\r\n'), 'STARTTLS'))
    assert.ok(offers(replyOf('250-mx\r\n', '250 STARTTLS\n'), 'STARTTLS'))
    assert.ok(offers(replyOf('250-mx\r\n', '250 SIZE 100\r\n'), 'SIZE'))
  })

  test('does not offer what only looks like it', () => {
    assert.ok(!offers(replyOf('250-mx\r\n', '250-XSTARTTLS\r\n', '250 STARTTLSX\r\n'), 'STARTTLS'))
    assert.ok(!offers(replyOf('250-mx says STARTTLS\r\n', '250 SIZE STARTTLS\r\n'), 'STARTTLS'))
  })
})

describe('a reply for people', () => {
  test('is one line', () => {
    assert.equal(replyText(replyOf('454-4.7.0 TLS not\r\n', '454 available\r\n')), '454 4.7.0 TLS not available')
  })

  test('has nothing in it that a terminal or a log would take for an order, and is short', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = replyText(replyOf(`250 ${Buffer.from(text).toString('latin1')}\r\n`))
        assert.match(shown, /^[ -~]*$/)
        assert.ok(shown.length <= 200)
      }),
    )
  })
})
