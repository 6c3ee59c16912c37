import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import { harakaVersions } from './haraka.ts'
import { submit, type Refusal, type Submission } from './submission.ts'

const requiring = { tls: true, parameters: ['REQUIRETLS'] } as const
const relayed = {}
const fromAStranger = { 'X-Relaying': 'no' }

for (const version of harakaVersions)
  describe(`a message with REQUIRETLS that another plugin would queue, Haraka ${version}`, () => {
    const net = sharedInternet({
      settings: { main: { requiretls: true } },
      haraka: {
        version,
        tls: true,
        plugins: ['marking', 'queue/discard', 'queue/smtp_forward', 'outbound-tls'],
        config: { 'smtp_forward.ini': 'host=127.0.0.1\nport=1\nenable_outbound=true\n' },
      },
    })

    /** What Haraka says to the message. */
    const answer = async (
      headers: Readonly<Record<string, string>>,
      submission: Partial<Submission>,
    ): Promise<string> => {
      try {
        const { reply } = await submit(net.haraka.port, { to: 'one@forward.test', headers, ...submission })
        return reply
      } catch (error) {
        return (error as Refusal).reply
      }
    }
    const forwardTo = (port: number): void => {
      const { address } = net.server('forward.test')
      net.haraka.writeConfig('smtp_forward.ini', `host=${address}\nport=${port}\nenable_outbound=true\n`)
    }

    for (const [whose, headers] of [
      ['of our own', relayed],
      ['of a stranger', fromAStranger],
    ] as const)
      test(`${whose}, is refused with 5.7.30, and names the plugin`, async () => {
        assert.match(
          await answer(headers, requiring),
          /^550 5\.7\.30 REQUIRETLS cannot be promised beyond queue\/smtp_forward/,
        )
      })

    test('and one without it is not', async () => {
      const server = net.server('forward.test', {})
      await net.ready()
      forwardTo(net.smtpPort)
      await net.haraka.restart()
      await answer(relayed, { tls: true })
      await answer(fromAStranger, { tls: true })
      assert.equal(server.messages.length, 2)
    })

    test('and one with it is not, where the route is declared final delivery', async () => {
      const server = net.server('forward.test', {})
      const declared = net.settings({ main: { 'final-delivery': ['smtp_forward'] } })
      assert.ok(await net.haraka.reconfigure('outbound-tls.ini', declared))
      for (const headers of [relayed, fromAStranger]) assert.doesNotMatch(await answer(headers, requiring), /5\.7\.30/)
      assert.equal(server.messages.length, 2)
    })
  })
