import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, reset, sharedInternet } from '../internet/index.ts'
import type { MailServer } from '../internet/mail-server.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { assertNotConnected, domainNames } from './far-end.ts'
import { assertDeferred, assertLogged, sendTo, type Fate } from './telling.ts'

/** What a front end of a host may have that its other ones do not. */
const broken: Readonly<Record<string, ServerOptions>> = {
  'offers no STARTTLS': { offersTls: false },
  'refuses STARTTLS': { starttls: '454 4.7.0 not now' },
  'fails the handshake': { handshake: 'alert' },
  'has another certificate': { certificate: 'other-name' },
  'greets with 554': { greeting: '554 5.7.1 go away' },
  'greets with 421': { greeting: '421 4.3.2 not now' },
  'refuses EHLO': { ehlo: '550 5.5.1 no' },
  'says 4xx over TLS': { ehloOnTls: '451 4.3.0 not now' },
}

/** Who asks for what it lacks. */
const demands = {
  DANE: { domain: { signed: true }, tlsa: true },
  'an enforced MTA-STS policy': { domain: { sts: {} }, tlsa: false },
} as const

describe('each address of a host is tried (RFC 5321 5.1)', () => {
  const net = sharedInternet({ settings: { main: { requiretls: true } }, haraka: { tls: true } })
  const newDomain = domainNames('pool')

  /** A host with one address for each behaviour, in this order. */
  const pool = (domain: string, behaviours: readonly ServerOptions[], options: ServerOptions = {}) => {
    const name = `mx1.${domain}`
    const servers = behaviours.map((behaviour, index) => {
      const { certificate = 'leaf', ...rest } = behaviour
      const server = net.server(`at${index}.${name}`, rest)
      server.behave({ identity: net.certificates.identity(name, certificate) })
      return server
    })
    net.server(name, { ...options, dns: { A: servers.map(({ address }) => address) } })
    return servers
  }

  for (const [who, { domain: declared, tlsa }] of Object.entries(demands))
    for (const [what, behaviour] of Object.entries(broken))
      test(`under ${who}, where one address ${what}`, async () => {
        const domain = newDomain()
        net.domain(domain, { mx: ['mx1', 'mx2'], ...declared })
        const record = net.certificates.tlsa(`mx1.${domain}`, '3 1 1', 'leaf')
        const [bad, good] = pool(domain, [behaviour, {}], tlsa ? { tlsa: [record] } : {}) as [MailServer, MailServer]
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.equal((await good.nextMessage()).tls, true)
        assert.deepEqual([bad.messages, bad.connections.length], [[], 1])
        assertNothingInClear(bad)
        assertNotConnected(net, `mx2.${domain}`)
        await assertLogged(net, `refused mx1.${domain}[${bad.address}]`, '. Next address.')
      })

  test('in clear text at the same one, where its handshake fails and the verdict allows it, and then at the others', async () => {
    const domain = newDomain()
    net.domain(domain, { mx: ['mx1', 'mx2'] })
    const [bad, good] = pool(domain, [{ handshake: 'alert', mail: reset }, {}]) as [MailServer, MailServer]
    assert.equal((await sendTo(net, domain)).fate, 'delivered')
    assert.equal((await good.nextMessage()).tls, true)
    assert.deepEqual(
      bad.connections.map(({ commands }) => commands),
      [
        ['EHLO', 'STARTTLS'],
        ['EHLO', 'MAIL'],
      ],
    )
    assertNotConnected(net, `mx2.${domain}`)
  })

  test('and the last refusal says that nothing is left', async () => {
    const domain = newDomain()
    net.domain(domain, { sts: {} })
    const [first, second] = pool(domain, [{ offersTls: false }, { certificate: 'expired' }]) as [MailServer, MailServer]
    assertDeferred(
      await sendTo(net, domain),
      '4.7.5',
      /STARTTLS is not offered/,
      /certificate of mx1\S+ does not validate/,
    )
    await assertLogged(net, `refused mx1.${domain}[${first.address}]`, '. Next address.')
    await assertLogged(net, `refused mx1.${domain}[${second.address}]`, '. No host is left.')
  })

  test('five of them in one attempt', async () => {
    const domain = newDomain()
    net.domain(domain, { mx: ['mx1', 'mx2'], sts: {} })
    const servers = pool(
      domain,
      Array.from({ length: 7 }, () => ({ offersTls: false })),
    )
    assert.equal((await sendTo(net, domain)).fate, 'delivered')
    assert.equal(servers.filter(({ connections }) => connections.length > 0).length, 5)
    await assertLogged(
      net,
      `refused mx1.${domain} for`,
      'not tried at 2 more addresses',
      'RFC 5321 4.5.4.1. Next host.',
    )
    assert.equal(net.server(`mx2.${domain}`).messages.length, 1)
  })

  test('thirty connections in one attempt', async () => {
    const domain = newDomain()
    const hosts = Array.from({ length: 8 }, (_, index) => `mx${index + 1}`)
    net.domain(domain, { mx: hosts, sts: {} })
    const servers = hosts.flatMap((host) =>
      Array.from({ length: 4 }, (_, index) => net.server(`at${index}.${host}.${domain}`, { offersTls: false })),
    )
    hosts.forEach((host, index) => {
      const A = servers.slice(4 * index, 4 * index + 4).map(({ address }) => address)
      net.server(`${host}.${domain}`, { dns: { A } })
    })
    assertDeferred(await sendTo(net, domain), '4.7.4', /and 23 more/)
    assert.equal(servers.filter(({ connections }) => connections.length === 1).length, 30)
  })

  describe('for a message with REQUIRETLS', () => {
    const fit: ServerOptions = { capabilitiesOnTls: ['REQUIRETLS'] }
    const sendRequiring = (domain: string): Promise<Fate> =>
      sendTo(net, domain, { tls: true, parameters: ['REQUIRETLS'] })

    test('it goes to the one that promises it', async () => {
      const domain = newDomain()
      net.domain(domain, { signed: true })
      const [bad, good] = pool(domain, [{ offersTls: false }, fit]) as [MailServer, MailServer]
      assert.equal((await sendRequiring(domain)).fate, 'delivered')
      assert.deepEqual((await good.nextMessage()).parameters, ['REQUIRETLS'])
      assertNothingInClear(bad)
    })

    test('it bounces when none of them does', async () => {
      const domain = newDomain()
      net.domain(domain, { signed: true })
      const servers = pool(domain, [{ offersTls: false }, {}])
      const { fate, recipient } = await sendRequiring(domain)
      assert.deepEqual([fate, recipient.status], ['bounced', '5.7.30'])
      for (const server of servers) assert.equal(server.connections.length, 1)
    })

    test('it waits where a limit ended the attempt', async () => {
      const domain = newDomain()
      net.domain(domain, { signed: true })
      pool(
        domain,
        Array.from({ length: 6 }, () => ({ offersTls: false })),
      )
      assertDeferred(await sendRequiring(domain), '4.7.5', /mx1\S+ \(not-tried\)/)
    })
  })
})
