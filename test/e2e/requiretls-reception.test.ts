import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet, type PrivateInternet } from '../internet/index.ts'
import { dialogue } from './dialogue.ts'
import { harakaVersions } from './haraka.ts'
import { submit, type Refusal, type Submission } from './submission.ts'

const to = 'someone@qualified.test'

/** What Haraka answers to the command that it refuses. */
async function refusalOf(net: PrivateInternet, submission: Partial<Submission>): Promise<string> {
  try {
    await submit(net.haraka.port, { to, tls: true, ...submission })
  } catch (error) {
    const { command, reply } = error as Refusal
    return `${command.split(' ')[0]}: ${reply}`
  }
  return 'accepted'
}

const capabilitiesOf = async (net: PrivateInternet, tls: boolean): Promise<readonly string[]> =>
  (await net.haraka.submit({ to, tls })).capabilities

describe('REQUIRETLS at reception', () => {
  for (const version of harakaVersions)
    describe(`of Haraka ${version}`, () => {
      const net = sharedInternet({ settings: { main: { requiretls: true } }, haraka: { version, tls: true } })

      test('Q1: is offered over TLS, and there only', async () => {
        net.domain('qualified.test', { signed: true })
        assert.ok((await capabilitiesOf(net, true)).includes('REQUIRETLS'))
        assert.ok(!(await capabilitiesOf(net, false)).some((keyword) => /REQUIRETLS/i.test(keyword)))
      })

      test('Q2: is accepted over TLS, in any case and among others', async () => {
        for (const parameters of [['REQUIRETLS'], ['requiretls'], ['SIZE=100', 'RequireTLS', 'BODY=8BITMIME']])
          await net.haraka.submit({ to, tls: true, parameters })
      })

      test('is refused in clear text', async () => {
        const refusal = await refusalOf(net, { tls: false, parameters: ['REQUIRETLS'] })
        assert.match(refusal, /^MAIL: 530 5\.7\.10 REQUIRETLS needs TLS/)
      })

      test('is refused twice', async () => {
        const twice = /^MAIL: 501 5\.5\.4 REQUIRETLS is there more than once/
        assert.match(await refusalOf(net, { parameters: ['REQUIRETLS', 'REQUIRETLS'] }), twice)
        assert.match(await refusalOf(net, { parameters: ['REQUIRETLS', 'SIZE=1', 'requiretls'] }), twice)
      })

      test('is refused with a value', async () => {
        assert.match(await refusalOf(net, { parameters: ['REQUIRETLS=YES'] }), /^MAIL: 501 5\.5\.4 .*no value/)
        assert.match(await refusalOf(net, { parameters: ['REQUIRETLS=YES', 'SIZE=1'] }), /^MAIL: 501 5\.5\.4/)
        assert.match(await refusalOf(net, { parameters: ['REQUIRETLS='] }), /^MAIL: 501/)
      })

      test('is refused after MAIL, as a parameter of RCPT', async () => {
        const begin = ['EHLO client.test', 'STARTTLS', 'EHLO client.test', 'MAIL FROM:<a@origin.test>']
        const replies = await dialogue(net.haraka.port, [...begin, `RCPT TO:<${to}> REQUIRETLS`, `RCPT TO:<${to}>`])
        assert.match(replies.at(-2) ?? '', /^555 5\.5\.4 REQUIRETLS is a parameter of MAIL/)
        assert.match(replies.at(-1) ?? '', /^250 /)
      })

      test('Q2: is read of each command, when a client says many at once, and ends with its message', async () => {
        const server = net.server('mx1.qualified.test', { capabilitiesOnTls: ['REQUIRETLS'] })
        const begin = ['EHLO client.test', 'STARTTLS', 'EHLO client.test']
        const envelope = (parameters: string): string[] => [
          ...[`MAIL FROM:<a@origin.test>${parameters}`, `RCPT TO:<${to}>`, 'DATA'],
        ]
        const content = (subject: string): string => `Subject: ${subject}\r\n\r\nHello.\r\n.`
        const [required, free] = [envelope(' REQUIRETLS'), envelope('')]
        const replies = await dialogue(net.haraka.port, [
          ...[...begin, required, content('first'), free, content('second')],
          ...[[...required.slice(0, 2), 'RSET', ...free], content('third')],
        ])
        assert.match(replies.at(-1) ?? '', /^250 /)
        const taken = [await server.nextMessage(), await server.nextMessage(), await server.nextMessage()]
        const parametersOf = (subject: string): readonly string[] | undefined =>
          taken.find(({ data }) => data.includes(`Subject: ${subject}\r\n`))?.parameters
        assert.deepEqual(parametersOf('first'), ['REQUIRETLS'])
        assert.deepEqual([parametersOf('second'), parametersOf('third')], [[], []])
      })

      for (const other of ['FOO=a=b', '=x', 'FOO_X', 'X!', ';', '<x@y.test>', 'a@b.test'])
        test(`is never lost beside what nobody understands: ${other}`, async () => {
          assert.match(await refusalOf(net, { parameters: ['REQUIRETLS', other] }), /^MAIL: 501/)
        })

      test('is not there for a client that says HELO', async () => {
        const mail = 'MAIL FROM:<a@origin.test> REQUIRETLS'
        const inClear = await dialogue(net.haraka.port, ['HELO client.test', mail])
        assert.match(inClear.at(-1) ?? '', /^5/)
      })
    })
})

describe('without `requiretls`', () => {
  const net = sharedInternet({ haraka: { tls: true } })

  test('REQUIRETLS is neither offered nor accepted: nobody would keep the promise', async () => {
    net.domain('qualified.test', { signed: true })
    assert.ok(!(await capabilitiesOf(net, true)).includes('REQUIRETLS'))
    assert.match(await refusalOf(net, { parameters: ['REQUIRETLS'] }), /^MAIL: 555 5\.5\.4 REQUIRETLS is not supported/)
    assert.match(await refusalOf(net, { tls: false, parameters: ['REQUIRETLS'] }), /^MAIL: 555 5\.5\.4/)
  })

  test('it is, once it is switched on', async () => {
    assert.ok(await net.haraka.reconfigure('outbound-tls.ini', net.settings({ main: { requiretls: true } })))
    assert.ok((await capabilitiesOf(net, true)).includes('REQUIRETLS'))
    await net.haraka.submit({ to, tls: true, parameters: ['REQUIRETLS'] })
  })
})
