import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import type { Haraka } from './haraka.ts'
import { createTime, HOUR, inLedger, ledgerOf, recorded, reporting } from './reporting.ts'

/** A Haraka that is the mail host of a domain, reports in its name, and hands on what comes to a mailbox. */
interface Party {
  readonly domain: string
  readonly haraka: Haraka
  readonly time: ReturnType<typeof createTime>
}

describe('two Harakas that report to each other', () => {
  const net = sharedInternet({ haraka: false })
  let parties: readonly Party[] = []
  let first: Party
  let second: Party

  const start = async (domain: string): Promise<Party> => {
    const host = `mx1.${domain}`
    net.domain(domain, { signed: true, tlsrpt: `mailto:tls@${domain}` })
    const { address } = net.server(host, { tlsa: '3 1 1' })
    await net.ready()
    await net.server(host).stop() // its place is Haraka's
    const { plugins, config, ...more } = reporting({
      main: { 'from-address': `noreply@${domain}`, 'contact-info': `postmaster@${domain}` },
    })
    const identity = net.certificates.identity(host, 'leaf')
    const haraka = await net.anotherHaraka({
      ...more,
      tls: true,
      plugins: ['static-routes', ...plugins],
      smtp: { main: { listen: `127.0.0.1:0,${address}:${net.smtpPort}` } },
      config: { ...config, me: `${host}\n`, 'tls_key.pem': identity.key, 'tls_cert.pem': identity.cert },
    })
    haraka.setRoutes({ [domain]: [{ exchange: mailboxOf(domain), port: net.smtpPort }] })
    const time = createTime(() => haraka)
    return { domain, haraka, time }
  }
  const mailboxOf = (domain: string): string => `mailbox.${domain}`

  const bothWays = () =>
    [
      [first, second],
      [second, first],
    ] as const

  /** Ends the hour for one of them, and waits until it has scheduled what there was in it. */
  const endHour = async ({ time, haraka }: Party): Promise<void> => {
    const end = time.hour + HOUR
    await time.endPeriod(end)
    await inLedger(
      haraka,
      (ledger) => ledger.timetables(),
      ([all]) => all !== undefined && all.through >= end,
    )
  }

  before(async () => {
    first = await start('first.test')
    second = await start('second.test')
    parties = [first, second]
    for (const { domain } of parties) net.server(mailboxOf(domain))
    for (const { time } of parties) await time.moveTo(time.hour)
  })
  after(() => Promise.all(parties.map(({ haraka }) => haraka.stop())))

  test('R22: each tells the other of the mail of people, and then there is nothing more to tell', async () => {
    for (const [from, to] of bothWays()) {
      const { hour } = from.time
      await from.haraka.send({ from: `me@${from.domain}`, to: `you@${to.domain}` })
      await recorded(from.haraka, to.domain, 1, { start: hour, end: hour + HOUR })
    }
    for (const [from, to] of bothWays()) {
      const mailbox = net.server(mailboxOf(to.domain))
      assert.match((await mailbox.nextMessage()).data, /^Subject: Hello/m)
      await endHour(from)
      assert.match((await mailbox.nextMessage(10_000)).data, /^TLS-Report-Submitter: /m)
      await ledgerOf(from.haraka, to.domain, ([entry]) => entry?.state === 'sent')
      await mailbox.quiet() // before anybody's clock is moved on
    }

    for (let hours = 0; hours < 3; hours++) for (const party of parties) await endHour(party)
    for (const [from, to] of bothWays()) {
      const all = await inLedger(
        from.haraka,
        (ledger) => ledger.list({ limit: 100 }),
        (entries) => entries.every(({ dueAt }) => dueAt === Infinity),
      )
      const wanted = all.filter(({ state }) => state !== 'not-wanted')
      assert.deepEqual(
        wanted.map(({ domain, sessions }) => [domain, sessions]),
        [[to.domain, { successful: 1, failed: 0 }]],
      )
      assert.equal(from.haraka.log.find(new RegExp(`outcome for ${to.domain}`)).length, 1)
      assert.equal(net.server(mailboxOf(to.domain)).messages.length, 2)
    }
  })
})
