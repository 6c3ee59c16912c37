import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { hangUp, sharedInternet, type Reply } from '../internet/index.ts'
import type { Behaviour } from '../internet/behaviour.ts'
import { logged } from './telling.ts'

const net = sharedInternet({
  haraka: {
    plugins: ['static-routes', 'outbound-tls'],
    logLevel: 'PROTOCOL',
    outbound: { main: { connect_timeout: 2 } },
  },
})

let domains = 0

/** Sends a message to recipients of a domain whose only server does this, and waits until nothing more becomes of it. */
async function fatesAt(
  behaviour: Partial<Behaviour>,
  users: readonly string[] = ['one'],
  data?: string,
): Promise<{ readonly fates: readonly string[]; readonly host: string }> {
  const domain = `replies${++domains}.test`
  net.domain(domain)
  net.server(`mx1.${domain}`, behaviour)
  const to = users.map((user) => `${user}@${domain}`)
  await net.haraka.send({ to, ...(data === undefined ? {} : { data }) })
  await sleep(100) // for a second fate
  return { fates: fatesOf(to), host: `mx1.${domain}` }
}

function fatesOf(to: readonly string[]): string[] {
  return to.map((wanted) => {
    const told = net.haraka.events.filter(({ recipients }) => recipients.some(({ address }) => address === wanted))
    return told.map(({ event }) => event).join()
  })
}

describe('a recipient that is accepted', () => {
  for (const code of ['250', '251', '252', '259'])
    for (const [form, reply] of [
      ['on one line', `${code} 2.1.5 will forward`],
      ['on several lines', `${code}-2.1.5 not local\n${code}-here\n${code} 2.1.5 will forward`],
      ['without a text', code],
    ] as const)
      for (const offersTls of [true, false])
        test(`with ${code}, ${form}, ${offersTls ? 'over TLS' : 'in clear text'}, is delivered to (A3)`, async () => {
          const { fates, host } = await fatesAt({ rcpt: reply, offersTls })
          assert.deepEqual(fates, ['delivered'])
          assert.equal(net.server(host).messages.length, 1)
        })

  test('is told from one that is not, and the log has what the server said', async () => {
    const rcpt = (domain: string): Record<string, Reply> => ({
      [`forwarded@${domain}`]: '251 User not local; will forward',
      [`unknown@${domain}`]: '550 5.1.1 no such user',
      [`unsure@${domain}`]: '252 cannot verify',
      [`later@${domain}`]: '450 4.2.0 later',
    })
    const users = ['unknown', 'forwarded', 'later', 'unsure']
    const { fates, host } = await fatesAt({ rcpt: rcpt(`replies${domains + 1}.test`) }, users)
    assert.deepEqual(fates, ['bounced', 'delivered', 'deferred', 'delivered'])
    assert.equal(net.server(host).messages[0]?.to.length, 2)
    assert.equal((await logged(net, 'S: 250 251 User not local; will forward')).length, 1)
  })

  test('by LMTP, too', async () => {
    const domain = 'lmtp.test'
    net.domain(domain)
    const server = net.server(`mx1.${domain}`, { lmtp: true, rcpt: '251 forwarded' })
    net.haraka.setRoutes({ [domain]: { exchange: server.name, port: server.port, using_lmtp: true } })
    const to = [`one@${domain}`, `two@${domain}`]
    await net.haraka.send({ to })
    assert.deepEqual(fatesOf(to), ['delivered', 'delivered'])
    assert.equal(server.messages.length, 1)
  })
})

describe('each recipient has one fate', () => {
  const cases: readonly (readonly [string, Partial<Behaviour>, 'delivered' | 'deferred' | 'bounced'])[] = [
    ['a message is accepted with 250 and no text', { message: '250' }, 'delivered'],
    ['DATA is answered with 250', { data: '250 ok' }, 'deferred'],
    ['DATA is answered with 334', { data: '334 ok' }, 'deferred'],
    ['DATA is answered twice', { data: '354 go ahead\n354 go ahead' }, 'deferred'],
    ['the message is accepted before it is sent', { data: '354 go ahead\n250 accepted' }, 'deferred'],
    ['the message is refused while it is sent', { data: '354 go ahead\n554 5.6.0 no' }, 'bounced'],
    ['the message waits while it is sent', { data: '354 go ahead\n452 4.3.1 full' }, 'deferred'],
    ['MAIL is answered twice', { mail: '250 ok\n250 ok' }, 'deferred'],
    ['RCPT is answered twice', { rcpt: '250 ok\n550 no' }, 'deferred'],
    ['MAIL is answered with 150', { mail: '150 wait' }, 'deferred'],
    ['MAIL is answered with garbage', { mail: 'hello' }, 'deferred'],
    ['RCPT is answered with 354', { rcpt: '354 go ahead' }, 'deferred'],
    ['the message is answered with 354', { message: '354 go ahead' }, 'deferred'],
    ['MAIL is refused on half a line', { mail: { send: '550 no', then: 'close' } }, 'deferred'],
    ['RCPT is refused for now on half a line', { rcpt: { send: '450 later', then: 'close' } }, 'deferred'],
    ['the message is refused on half a line', { message: { send: '550 no', then: 'close' } }, 'deferred'],
    ['the message is accepted on half a line', { message: { send: '250 o', then: 'close' } }, 'deferred'],
    ['the message is not answered', { message: hangUp }, 'deferred'],
    ['the server leaves behind a refused greeting', { greeting: { send: '554 no\r\n', then: 'close' } }, 'bounced'],
    ['the server leaves behind EHLO', { ehlo: { send: '421 no\r\n', then: 'close' } }, 'deferred'],
    ['the server leaves behind RCPT', { rcpt: { send: '421 no\r\n', then: 'close' } }, 'deferred'],
    ['the server leaves behind the message', { message: { send: '421 no\r\n', then: 'close' } }, 'deferred'],
  ]
  for (const [what, behaviour, fate] of cases)
    for (const offersTls of [true, false])
      test(`${offersTls ? 'over TLS' : 'in clear text'}: ${what}`, async () => {
        const { fates } = await fatesAt({ offersTls, ...behaviour }, ['one', 'two'])
        assert.deepEqual(fates, [fate, fate])
      })
})

describe('a message', () => {
  const large = `Subject: large\n\n${`${'x'.repeat(75)}\n`.repeat(100_000)}` // more than sockets hold

  test('that is refused while it is sent is not sent to its end', async () => {
    const { fates, host } = await fatesAt({ data: { send: '354 go ahead\r\n554 5.6.0 no\r\n' } }, ['one'], large)
    assert.deepEqual(fates, ['bounced'])
    assert.deepEqual(net.server(host).messages, [])
  })

  test('of which a connection breaks leaves no file open', async () => {
    const queueFilesOpen = (): number => {
      const folder = `/proc/${net.haraka.pid}/fd`
      return readdirSync(folder).filter((fd) => linkOf(`${folder}/${fd}`).includes('/queue/')).length
    }
    for (let message = 0; message < 5; message++)
      await fatesAt({ data: { send: '354 go ahead\r\n', then: 'reset' } }, ['one'], large)
    for (let patience = 50; queueFilesOpen() > 0 && patience > 0; patience--) await sleep(100)
    assert.equal(queueFilesOpen(), 0)
  })

  for (const offersTls of [true, false])
    test(`RFC 5321 4.5.3.2.6: has more time than other commands, ${offersTls ? 'over TLS' : 'in clear text'}`, async () => {
      const message: Reply = { send: '250 accepted\r\n', after: 4500 }
      const { fates, host } = await fatesAt({ offersTls, message })
      assert.deepEqual(fates, ['delivered'])
      assert.equal(net.server(host).connections.length, 1)
    })

  test('has no more time than others for a command', async () => {
    assert.deepEqual((await fatesAt({ mail: { send: '250 ok\r\n', after: 4500 } })).fates, ['deferred'])
  })
})

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed by now
  }
}
