import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createReplyFilter, type Heard, type ReplyFilter } from '../../dist/enforce/reply-filter.js'

/** Behind these commands, each of which but the last had a reply that lets core go on. */
function behind(commands: readonly string[], isLmtp = false): ReplyFilter {
  const filter = createReplyFilter(isLmtp)
  filter.hear('220 ready\r\n')
  commands.forEach((command, index) => {
    filter.wrote(`${command}\r\n`)
    if (index < commands.length - 1) filter.hear(command === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
  })
  return filter
}

const MAIL = 'MAIL FROM:<a@b.test>'
const RCPT = 'RCPT TO:<c@d.test>'

function told(heard: Heard): string | undefined {
  return 'broken' in heard ? `broken: ${heard.broken}` : heard.line
}

describe('what core hears of a reply', () => {
  for (const [commands, line, expected] of [
    [[MAIL, RCPT], '250 2.1.5 ok\r\n', '250 2.1.5 ok\r\n'],
    [[MAIL, RCPT], '251 2.1.5 forwarded\r\n', '250 251 2.1.5 forwarded\r\n'],
    [[MAIL, RCPT], '251-2.1.5 forwarded\r\n', '250-251-2.1.5 forwarded\r\n'],
    [[MAIL, RCPT], '252\r\n', '250 252\r\n'],
    [[MAIL, RCPT], '252\n', '250 252\n'],
    [[MAIL, RCPT], '550 5.1.1 no\r\n', '550 5.1.1 no\r\n'],
    [[MAIL, RCPT], '354 go\r\n', '354 go\r\n'],
    [[MAIL], '251 as it is\r\n', '251 as it is\r\n'],
    [[MAIL], '250\r\n', '250 \r\n'],
    [[MAIL], '550 cut off', undefined],
    [['QUIT'], '221 bye\r\n', undefined],
    [['QUIT'], 'garbage\r\n', undefined],
    [[MAIL, RCPT, 'DATA'], '354 go\r\n', '354 go\r\n'],
    [[MAIL, RCPT, 'DATA'], '554 no\r\n', '554 no\r\n'],
    [[MAIL, RCPT, 'DATA', '.'], '250 ok\r\n', '250 ok\r\n'],
    [[MAIL, RCPT, 'DATA', '.'], '451 later\r\n', '451 later\r\n'],
  ] as const)
    test(`${JSON.stringify(line)} to ${commands.at(-1)}: ${JSON.stringify(expected)}`, () => {
      assert.equal(told(behind(commands).hear(line)), expected)
    })

  for (const [commands, line, why] of [
    [[MAIL], '150 wait\r\n', 'not an SMTP reply'],
    [[MAIL], 'garbage\r\n', 'not an SMTP reply'],
    [[MAIL], '\r\n', 'not an SMTP reply'],
    [[MAIL], '2500 ok\r\n', 'not an SMTP reply'],
    [[MAIL, RCPT, 'DATA'], '250 ok\r\n', 'no reply to DATA'],
    [[MAIL, RCPT, 'DATA'], '334 ok\r\n', 'no reply to DATA'],
  ] as const)
    test(`${JSON.stringify(line)} to ${commands.at(-1)} breaks the connection`, () => {
      assert.match(told(behind(commands).hear(line)) ?? '', new RegExp(`^broken: ${why}`))
    })

  test('a reply to no command breaks the connection', () => {
    const filter = behind([MAIL])
    filter.hear('250 ok\r\n')
    assert.match(told(filter.hear('250 ok\r\n')) ?? '', /^broken: a reply to nothing/)
  })

  test('a reply that came with the reply before does not answer the command that was sent between them', () => {
    const filter = behind([MAIL])
    const second = filter.during(() => {
      filter.hear('250 ok\r\n')
      filter.wrote(`${RCPT}\r\n`)
      return 'broken' in filter.hear('250 ok\r\n')
    })
    assert.equal(second, true)
  })

  test('in the middle of the message, a refusal ends it and anything else breaks the connection', () => {
    const sending = (): ReplyFilter => {
      const filter = behind([MAIL, RCPT, 'DATA'])
      filter.hear('354 go\r\n')
      filter.wrote(Buffer.from('.\r\n'))
      return filter
    }
    assert.deepEqual(sending().hear('552 5.3.4 too big\r\n'), { line: '552 5.3.4 too big\r\n', closes: true })
    assert.deepEqual(sending().hear('452-4.3.1 full\r\n'), { line: '452-4.3.1 full\r\n' })
    for (const line of ['250 ok\r\n', '354 go\r\n'])
      assert.match(told(sending().hear(line)) ?? '', /^broken: a reply in the middle of the message/)
  })

  test('only the dot that core writes behind the message ends it', () => {
    const filter = behind([MAIL, RCPT, 'DATA'])
    assert.equal(filter.wrote('.\r\n'), false, 'the message has not begun')
    const other = behind([MAIL, RCPT, 'DATA'])
    other.hear('354 go\r\n')
    assert.equal(other.wrote(Buffer.from('.\r\n')), false, 'a piece of the message')
    assert.equal(other.wrote('.\r\n'), true)
  })

  test('RFC 2033 4.2: by LMTP, a message has as many replies as recipients that were accepted', () => {
    const filter = behind([MAIL, RCPT, RCPT], true)
    filter.hear('550 no\r\n')
    filter.wrote(`${RCPT}\r\n`)
    filter.hear('251 ok\r\n')
    filter.wrote('DATA\r\n')
    filter.hear('354 go\r\n')
    filter.wrote('.\r\n')
    for (const line of ['250 ok\r\n', '450 later\r\n']) assert.equal(told(filter.hear(line)), line)
    assert.match(told(filter.hear('250 ok\r\n')) ?? '', /^broken/)
  })
})
