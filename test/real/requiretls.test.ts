/**
 * Mail for hosts of Debian's Postfix, which knows nothing of REQUIRETLS.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertDeferred, assertLogged, sendTo } from '../e2e/telling.ts'
import { sharedInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { startPostfix, type PostfixServer } from './postfix-server.ts'
import { skipPostfixServer } from './tools.ts'

/** Author of the messages: a host of its own takes the bounces. */
const AUTHOR = 'author.test'
const requiring = { tls: true, parameters: ['REQUIRETLS'], from: `me@${AUTHOR}` } as const
const freed = { headers: { 'TLS-Required': 'No' }, from: `me@${AUTHOR}` } as const

interface Destination extends ServerOptions {
  /** of Postfix */
  readonly settings?: Readonly<Record<string, string>>
}

/** Domains, each with a host of Postfix's. All MX records are signed. */
const destinations: Readonly<Record<string, Destination>> = {
  'fine.test': { tlsa: '3 1 1' },
  'without-tls.test': { settings: { smtpd_tls_security_level: 'none' } },
  'expired.test': { certificate: 'expired' },
  'mismatch.test': { tlsa: '3 1 1 of other' },
  // it insists on TLS, of a version that nobody should speak any more
  'insisting.test': { settings: { smtpd_tls_security_level: 'encrypt', smtpd_tls_mandatory_protocols: 'TLSv1' } },
}

describe('REQUIRETLS and a real Postfix', { skip: skipPostfixServer() }, () => {
  const net = sharedInternet({ settings: { main: { requiretls: true } }, haraka: { tls: true } })
  let postfix: PostfixServer

  before(async () => {
    net.domain(AUTHOR, { signed: true })
    const places = Object.entries(destinations).map(([domain, { settings, ...options }]) => {
      net.domain(domain, { signed: true })
      const { address } = net.server(`mx1.${domain}`, options)
      const identity = net.certificates.identity(`mx1.${domain}`, options.certificate ?? 'leaf')
      return { address, port: net.smtpPort, identity, ...(settings && { settings }) }
    })
    await net.ready()
    // the places of our own servers are Postfix's
    await Promise.all(Object.keys(destinations).map((domain) => net.server(`mx1.${domain}`).stop()))
    postfix = await startPostfix(places)
  })
  after(() => postfix.stop())

  /** The author hears at once, and Postfix nothing of the message. */
  const assertRefused = async (domain: string, status: string): Promise<string> => {
    net.server(`mx1.${AUTHOR}`, { capabilitiesOnTls: ['REQUIRETLS'] })
    const { fate, recipient } = await sendTo(net, domain, requiring)
    assert.deepEqual([fate, recipient.status, recipient.action], ['bounced', status, 'failed'], recipient.message)
    const { data, parameters } = await net.server(`mx1.${AUTHOR}`).nextMessage()
    assert.deepEqual(parameters, ['REQUIRETLS'])
    assert.match(
      data,
      new RegExp(`^Final-Recipient: rfc822;<?one@${domain}>?\\r\\nAction: failed\\r\\nStatus: ${status}`, 'm'),
    )
    assert.deepEqual(postfix.logged(new RegExp(`(from|to)=<[^>]*@${domain}>|from=<me@${AUTHOR}>`)), [])
    return data
  }

  test('Q4: a host that is proved but does not offer it gets no message; 5.7.30, at once, to the author', async () => {
    assert.match(await assertRefused('fine.test', '5.7.30'), /REQUIRETLS is not offered over TLS/)
    await assertLogged(net, 'refused mx1.fine.test', 'REQUIRETLS is not offered over TLS', 'RFC 8689')
  })

  for (const domain of ['without-tls.test', 'expired.test', 'mismatch.test', 'insisting.test'])
    test(`Q4: 5.7.10 where no TLS to a proved host comes up: ${domain}`, async () => {
      await assertRefused(domain, '5.7.10')
    })

  test('a message that does not ask for it is delivered there, over TLS', async () => {
    assert.equal((await sendTo(net, 'fine.test')).fate, 'delivered')
    assert.match(await postfix.mailFor('one@fine.test'), /^Subject: Hello$/m)
    await assertLogged(net, 'Verified TLS connection to mx1.fine.test')
  })

  test('Q7: TLS-Required: No is delivered past DANE, over the TLS that there is', async () => {
    assertDeferred(await sendTo(net, 'mismatch.test'), '4.7.5', /DANE/)
    assert.equal((await sendTo(net, 'mismatch.test', freed)).fate, 'delivered')
    assert.match(await postfix.mailFor('one@mismatch.test'), /^TLS-Required: No$/m)
    await assertLogged(
      net,
      'Trusted TLS connection to mx1.mismatch.test',
      'TLS-Required: No: would have been refused: DANE',
    )
  })

  test('Q7: TLS-Required: No is delivered where there is no TLS', async () => {
    assert.equal((await sendTo(net, 'without-tls.test', freed)).fate, 'delivered')
    assert.match(await postfix.mailFor('one@without-tls.test'), /^TLS-Required: No$/m)
  })

  test('Q8: TLS-Required: No to a host that insists on a TLS that does not come up: its own words, to the author', async () => {
    net.server(`mx1.${AUTHOR}`, {})
    const { fate, recipient } = await sendTo(net, 'insisting.test', freed)
    assert.equal(fate, 'bounced', recipient.message)
    const { data } = await net.server(`mx1.${AUTHOR}`).nextMessage()
    assert.match(data, /530 5\.7\.0 Must issue a STARTTLS command first/)
  })
})
