import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, test } from 'node:test'
import { prepareForCore, tell, type Duties } from '../../dist/enforce/handover.js'
import type { PluggableSocket } from '../../dist/runtime/haraka.js'
import type { SmtpReply } from '../../dist/lib/delivery/index.js'

const reply = (...lines: string[]): SmtpReply => ({ code: Number(lines[0]?.slice(0, 3)), lines })
const hello = reply('250-mx1.example.test\r\n', '250-PIPELINING\r\n', '250-STARTTLS\r\n', '250 SIZE 1000\r\n')

const nothing: Duties = { requiresTls: false, saysRequireTls: false, isLmtp: false }
const requiringTls: Duties = { ...nothing, requiresTls: true }

interface Fake {
  readonly socket: PluggableSocket
  /** what really went to the server */
  readonly written: readonly string[]
  /** what core heard */
  readonly heard: readonly string[]
  /** what its idle timer was set to */
  readonly timeouts: readonly number[]
}

function fake(encrypted: boolean): Fake {
  const written: string[] = []
  const heard: string[] = []
  const timeouts: number[] = []
  const socket = Object.assign(new EventEmitter(), {
    ...{ targetsocket: {}, writable: true, end: () => undefined, destroy: () => undefined, upgrade: () => undefined },
    setTimeout: (milliseconds: number) => timeouts.push(milliseconds),
    isEncrypted: () => encrypted,
    write: (data: string | Uint8Array) => written.push(Buffer.from(data).toString()) > 0,
  }) as unknown as PluggableSocket
  socket.on('line', (line: string) => heard.push(line))
  return { socket, written, heard, timeouts }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a session that is handed over to core', () => {
  test('its first EHLO goes nowhere, and is answered by what the server said to ours', async () => {
    const { socket, written, heard } = fake(true)
    prepareForCore(socket, requiringTls, hello)
    assert.equal(socket.write('EHLO sender.test\r\n'), true)
    assert.deepEqual(heard, [], 'not from within the call: core is still sending')
    await turn()
    assert.deepEqual(heard, ['250-mx1.example.test\r\n', '250-PIPELINING\r\n', '250 SIZE 1000\r\n'])
    assert.deepEqual(written, [])
  })

  test('all that follows is between core and the server', async () => {
    const { socket, written, heard } = fake(true)
    prepareForCore(socket, requiringTls, hello)
    for (const line of ['EHLO a\r\n', 'EHLO b\r\n', 'MAIL FROM:<>\r\n']) socket.write(line)
    await turn()
    assert.deepEqual(written, ['EHLO b\r\n', 'MAIL FROM:<>\r\n'])
    assert.equal(heard.length, 3)
  })

  test('LHLO, too', async () => {
    const { socket, written } = fake(true)
    prepareForCore(socket, nothing, hello)
    socket.write('LHLO a\r\n')
    await turn()
    assert.deepEqual(written, [])
  })

  test('where the greeting was a refusal, there is no EHLO to expect', () => {
    const { socket, written } = fake(false)
    prepareForCore(socket, nothing, undefined)
    socket.write('QUIT\r\n')
    assert.deepEqual(written, ['QUIT\r\n'])
  })

  test('where TLS is required, nothing at all is written to an unencrypted socket: the connection fails', async () => {
    const { socket, written } = fake(false)
    const errors: Error[] = []
    socket.on('error', (error: Error) => errors.push(error))
    prepareForCore(socket, requiringTls, hello)
    for (const data of ['EHLO a\r\n', 'MAIL FROM:<a@b.test>\r\n', Buffer.from('Subject: x\r\n')])
      assert.equal(socket.write(data), false)
    assert.deepEqual(errors, [], 'not from within the call')
    await turn()
    assert.deepEqual(written, [])
    assert.match(errors.join(), /unencrypted/)
  })

  test('where it is not, clear text is', () => {
    const { socket, written } = fake(false)
    prepareForCore(socket, nothing, undefined)
    socket.write('MAIL FROM:<>\r\n')
    assert.equal(written.length, 1)
  })

  test('a server that goes on and on is left, and core hears no more of it', async () => {
    const { socket } = fake(true)
    const errors: Error[] = []
    const data: Uint8Array[] = []
    socket.on('error', (error: Error) => errors.push(error))
    socket.on('data', (some: Uint8Array) => data.push(some))
    prepareForCore(socket, nothing, undefined)
    for (let piece = 0; piece < 100; piece++) socket.emit('data', Buffer.alloc(10_000, '250-x\r\n'))
    await turn()
    assert.equal(data.length, 6)
    assert.match(errors.join('|'), /^Error: the server says more[^|]*$/)
    socket.write('NOOP\r\n')
    assert.equal(socket.emit('data', Buffer.from('250 ok')), false)
  })

  test('a server whose replies drip is left, however many commands they answer', async (t) => {
    const { socket } = fake(true)
    const errors: Error[] = []
    socket.on('error', (error: Error) => errors.push(error))
    let now = 0
    t.mock.method(performance, 'now', () => now)
    prepareForCore(socket, nothing, undefined)
    const drip = (): boolean[] =>
      Array.from('250 ok\r\n', (octet) => {
        now += 10_000
        return socket.emit('data', Buffer.from(octet))
      })
    socket.on('data', () => undefined)
    for (const command of ['MAIL FROM:<>\r\n', 'RCPT TO:<a@b.test>\r\n']) {
      socket.write(command)
      if (command.startsWith('MAIL')) assert.ok(drip().every(Boolean), '70 s')
      else assert.equal(drip().at(-1), false, 'another 70 s')
    }
    await turn()
    assert.match(errors.join('|'), /^Error: the server says more, or for longer[^|]*$/)
  })

  test('RFC 5321 4.5.3.2.6: behind the message the idle timer is set to ten minutes', () => {
    const { socket, timeouts } = fake(true)
    prepareForCore(socket, nothing, undefined)
    socket.emit('line', '220 ready\r\n')
    socket.write('DATA\r\n')
    socket.emit('line', '354 go\r\n')
    socket.write(Buffer.from('Subject: x\r\n'))
    assert.deepEqual(timeouts, [])
    socket.write('.\r\n')
    assert.deepEqual(timeouts, [600_000])
  })

  test('what core says behind a refusal in the middle of the message is not said', () => {
    const { socket, written, heard } = fake(true)
    prepareForCore(socket, nothing, undefined)
    socket.emit('line', '220 ready\r\n')
    socket.write('DATA\r\n')
    socket.emit('line', '354 go\r\n')
    socket.emit('line', '554 no\r\n')
    for (const data of [Buffer.from('more'), '.\r\n', 'QUIT\r\n']) assert.equal(socket.write(data), false)
    assert.deepEqual(written, ['DATA\r\n'])
    assert.equal(heard.at(-1), '554 no\r\n')
  })

  test('a refusal counts, also where the server has hung up behind it: core can still write its QUIT', () => {
    const { socket } = fake(false)
    socket.writable = false
    tell(socket, reply('250 ok\r\n'))
    assert.equal(socket.writable, false)
    tell(socket, reply('554 no\r\n'))
    assert.equal(socket.writable, true)
  })

  test('errors do not say that they come from TLS: core would note the host in Redis', () => {
    const { socket } = fake(true)
    const errors: Error[] = []
    socket.on('error', (error: Error) => errors.push(error))
    prepareForCore(socket, requiringTls, hello)
    socket.emit('error', Object.assign(new Error('reset'), { source: 'tls' }))
    assert.deepEqual(
      errors.map((error) => 'source' in error),
      [false],
    )
  })
})

describe('a session for a message that requires TLS (Q1)', () => {
  const handedOver = (): Fake & { readonly errors: readonly Error[] } => {
    const one = fake(true)
    const errors: Error[] = []
    one.socket.on('error', (error: Error) => errors.push(error))
    prepareForCore(one.socket, { ...requiringTls, saysRequireTls: true }, hello)
    one.socket.write('EHLO a\r\n')
    return { ...one, errors }
  }

  test('MAIL says so, once, and nothing else does', () => {
    const { socket, written } = handedOver()
    const lines = ['AUTH PLAIN AGE=\r\n', 'MAIL FROM:<a@b.test> SMTPUTF8\r\n', 'RCPT TO:<c@d.test>\r\n', 'DATA\r\n']
    for (const line of lines) socket.write(line)
    assert.deepEqual(written, [lines[0], 'MAIL FROM:<a@b.test> SMTPUTF8 REQUIRETLS\r\n', ...lines.slice(2)])
  })

  test('what looks like MAIL in the message is the message', () => {
    const { socket, written } = handedOver()
    const body = 'MAIL FROM:<a@b.test>\r\n'
    for (const data of [body, 'RCPT TO:<c@d.test>\r\n', 'DATA\r\n', body, Buffer.from(body), '.\r\n'])
      socket.write(data)
    assert.deepEqual(written.slice(3), [body, body, '.\r\n'])
  })

  for (const [what, data] of [
    ['RCPT', 'RCPT TO:<c@d.test>\r\n'],
    ['DATA', 'DATA\r\n'],
    ['a message', Buffer.from('Subject: x\r\n')],
    ['all at once,', 'MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n'],
    ['MAIL behind RSET, in one piece and', 'RSET\r\nMAIL FROM:<a@b.test>\r\n'],
    ['half of MAIL,', 'MAIL FROM:<a@b.test>'],
  ] as const)
    test(`${what} without a MAIL that says so is never written: the connection fails`, async () => {
      const { socket, written, errors } = handedOver()
      assert.equal(socket.write(data), false)
      await turn()
      assert.deepEqual(written, [])
      assert.match(errors.join(), /REQUIRETLS/)
    })

  test('QUIT may come at any time', () => {
    const { socket, written } = handedOver()
    socket.write('QUIT\r\n')
    assert.deepEqual(written, ['QUIT\r\n'])
  })
})

describe('what core is told', () => {
  const told = (...lines: string[]) => {
    const { socket, heard } = fake(true)
    tell(socket, reply(...lines))
    return heard.map((line) => line.trimEnd())
  }

  test('the last line is the last, also without STARTTLS behind it', () => {
    assert.deepEqual(told('250-mx1\r\n', '250-HELP\r\n', '250 STARTTLS\r\n'), ['250-mx1', '250 HELP'])
  })

  for (const line of ['250 STARTTLS', '250 starttls ', '250 #STARTTLS', '250 2.0.0 STARTTLS'])
    test(`${JSON.stringify(line)} is STARTTLS to core, and is not told`, () => {
      assert.deepEqual(told('250-mx1\r\n', `${line}\r\n`), ['250 mx1'])
    })

  test('lines without text', () => assert.deepEqual(told('250-\r\n', '250\r\n'), ['250-', '250']))
  test('a single line', () => assert.deepEqual(told('554 5.7.1 no\r\n'), ['554 5.7.1 no']))

  test('something, always: core would wait for ever', () => {
    assert.deepEqual(told('250 STARTTLS\r\n'), ['250'])
  })

  test('also through what filters replies', async () => {
    const { socket, heard } = fake(true)
    prepareForCore(socket, nothing, reply('250 STARTTLS\r\n'))
    socket.write('EHLO a\r\n')
    await turn()
    assert.deepEqual(heard, ['250 \r\n'])
  })

  test('nothing where there was no reply', () => {
    const { socket, heard } = fake(true)
    tell(socket, undefined)
    assert.deepEqual(heard, [])
  })
})
