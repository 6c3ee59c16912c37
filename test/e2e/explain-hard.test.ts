/** Where explain and probe could easily say something else than a delivery does, and what they must not do. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { readOnlyCache } from '../../dist/lib/mta-sts/index.js'
import { openCache } from '../lib/mta-sts/world.ts'
import { createInstance, realCommand } from '../cli/ground.ts'
import { hangUp, sharedInternet, silence, type PrivateInternet } from '../internet/index.ts'
import { chainPem, selfSigned } from '../support/certificates.ts'
import { foretell, unwrapped, type Foretold, type Told } from './foretelling.ts'
import { iniText } from './instance.ts'
import { sendTo } from './telling.ts'

const iniOf = (net: PrivateInternet): string =>
  iniText(net.settings()).replaceAll('{config}', join(net.haraka.folder, 'config'))

describe('what is foretold is what happens', () => {
  const net = sharedInternet({
    settings: {
      'rule:strict': { 'if-rcpt-domain': ['*.strict.test'], 'mta-sts': 'require', reason: 'the auditors' },
      'rule:jane': { 'if-sender': ['jane@sender.test'], starttls: 'require' },
      'rule:host': { 'if-mx': ['mx2.by-host.test'], starttls: 'require', 'min-tls-version': 'TLSv1.3' },
    },
  })
  const probe = (domain: string, ...args: string[]): Promise<Foretold> =>
    foretell('probe', [domain, '-c', net.haraka.folder, ...args])

  /** What is foretold, and what becomes of a message: "delivered", "deferred 4.7.5", "bounced". */
  const both = async (domain: string): Promise<[Foretold, string]> => {
    await net.ready()
    const foretold = await probe(domain)
    const { fate, recipient } = await sendTo(net, domain)
    return [foretold, fate === 'deferred' ? `deferred ${recipient.status}` : fate]
  }

  test('the first of several addresses is dead: the next one is used', async () => {
    net.domain('two-addresses.test')
    const { address } = net.server('mx1.two-addresses.test')
    net.dns.declare('mx1.two-addresses.test', { A: ['127.0.0.99', address] })
    const [{ told, code }, fate] = await both('two-addresses.test')
    assert.deepEqual([code, told.result.action, told.result.address, fate], [0, 'deliver', address, 'delivered'])
    assert.deepEqual(
      told.hosts[0]?.sessions?.map(({ address, status }) => [address, status]),
      [
        ['127.0.0.99', 'unreachable'],
        [address, 'open'],
      ],
    )
  })

  test('both families are tried: a dead IPv6 address is no harm', async () => {
    net.domain('both-families.test')
    net.dns.declare('mx1.both-families.test', { AAAA: ['::ffff:127.0.0.98'] })
    const [{ told }, fate] = await both('both-families.test')
    assert.deepEqual([told.result.action, fate], ['deliver', 'delivered'])
    assert.deepEqual(
      told.hosts[0]?.sessions?.map(({ status }) => status),
      ['unreachable', 'open'],
    )
  })

  test('a 554 greeting of the only host: the message bounces', async () => {
    net.domain('unfriendly.test')
    net.server('mx1.unfriendly.test', { greeting: '554 go away' })
    const [{ told, code }, fate] = await both('unfriendly.test')
    assert.deepEqual([code, told.result.action, fate], [1, 'bounce', 'bounced'])
    assert.match(told.result.text ?? '', /554 go away/)
  })

  test('a 421 greeting of the only host: the message is deferred', async () => {
    net.domain('busy.test')
    net.server('mx1.busy.test', { greeting: '421 later' })
    const [{ told }, fate] = await both('busy.test')
    assert.equal(told.result.action, 'defer')
    assert.match(fate, /^deferred/)
  })

  test('a 554 greeting of the first host: the second gets the message', async () => {
    net.domain('half-friendly.test', { mx: ['mx1', 'mx2'] })
    net.server('mx1.half-friendly.test', { greeting: '554 go away' })
    const [{ told }, fate] = await both('half-friendly.test')
    assert.deepEqual([told.result.host, fate], ['mx2.half-friendly.test', 'delivered'])
  })

  test('a server that hangs up behind EHLO over TLS', async () => {
    net.domain('moody.test', { sts: {} })
    net.server('mx1.moody.test', { ehloOnTls: hangUp })
    const [{ told }, fate] = await both('moody.test')
    assert.equal(`deferred ${told.result.status}`, fate)
  })

  test('a null MX: the message bounces, 5.1.10', async () => {
    net.domain('null.test', { mx: ['0 .'] })
    const [{ told }, fate] = await both('null.test')
    assert.deepEqual([told.result.action, told.result.status, fate], ['bounce', '5.1.10', 'bounced'])
  })

  test('no MX record: the domain is its own host', async () => {
    net.domain('implicit.test', { mx: [] })
    net.server('implicit.test')
    const [{ told, text }, fate] = await both('implicit.test')
    assert.deepEqual([told.result.host, fate], ['implicit.test', 'delivered'])
    assert.match(text, /none, so the domain itself is the host/)
  })

  test('a domain that does not exist', async () => {
    const [{ told, code }, fate] = await both('nowhere.test')
    assert.deepEqual([code, told.result.action, fate], [1, 'bounce', 'bounced'])
  })

  test('a policy is required and there is none: no host is even looked up, and the rule is named', async () => {
    net.domain('a.strict.test')
    const [{ told, text }, fate] = await both('a.strict.test')
    assert.deepEqual([told.result.action, `deferred ${told.result.status}`], ['defer', fate])
    assert.deepEqual(told.hosts, [])
    assert.equal(told.settings['mta-sts']?.setBy, '[rule:strict]')
    assert.match(unwrapped(text), /mta-sts require \(\[rule:strict\]: the auditors\)/)
  })

  test('a rule asks for the sender', async () => {
    net.domain('plain.test')
    net.server('mx1.plain.test', { offersTls: false })
    await net.ready()
    const ofAnybody = await probe('plain.test')
    const ofJane = await probe('plain.test', '--sender', 'Jane@sender.test')
    assert.deepEqual([ofAnybody.told.result.action, ofJane.told.result.action], ['deliver', 'defer'])
    assert.equal((await sendTo(net, 'plain.test', { from: 'joe@sender.test' })).fate, 'delivered')
    const { recipient } = await sendTo(net, 'plain.test', { from: 'jane@sender.test' })
    assert.equal(recipient.status, ofJane.told.result.status)
  })

  test('a rule names one of the hosts: what it sets there is shown there', async () => {
    net.domain('by-host.test', { mx: ['mx1', 'mx2'], signed: true })
    await net.ready()
    const { told, text } = await probe('by-host.test')
    const [first, second] = told.hosts
    assert.deepEqual(first?.settings, {})
    assert.deepEqual(Object.keys(second?.settings ?? {}), ['starttls', 'min-tls-version'])
    assert.match(
      unwrapped(text),
      /mx2\.by-host\.test, port \d+, preference 20 .*min-tls-version TLSv1\.3 \(\[rule:host\]\)/,
    )
  })

  test('a host with a verdict against it is talked to, and marked', async () => {
    net.domain('forged.test', { sts: { mx: ['mail.forged.test'] } })
    const [{ told, text }, fate] = await both('forged.test')
    assert.equal(`deferred ${told.result.status}`, fate)
    assert.deepEqual(
      told.hosts[0]?.sessions?.map(({ curiosity, status }) => [curiosity, status]),
      [[true, 'open']],
    )
    assert.match(text, /where no delivery would come to/)
  })

  test('Q1: REQUIRETLS asks for a host that proves who it is', async () => {
    net.domain('no-proof.test')
    await net.ready()
    const { told, code } = await probe('no-proof.test', '--requiretls')
    assert.deepEqual([code, told.hosts[0]?.verdict.because.code], [1, 'requiretls-mx-not-validated'])
  })

  test('Q7: TLS-Required: No lets a message go where a policy fails', async () => {
    net.domain('freed.test', { sts: {} })
    net.server('mx1.freed.test', { certificate: 'expired' })
    await net.ready()
    assert.equal((await probe('freed.test')).told.result.action, 'defer')
    const { told, text } = await probe('freed.test', '--tls-required-no')
    assert.deepEqual([told.result.action, told.result.level], ['deliver', 'untrusted'])
    assert.match(unwrapped(text), /TLS-Required: No: would have been refused/)
  })
})

describe('explain and probe', () => {
  const net = sharedInternet({ settings: { dns: { timeout: '1s', attempts: 1 } } })
  const cachePath = () => join(net.haraka.folder, 'outbound-tls.db')
  const ask = (name: 'explain' | 'probe', domain: string, ...args: string[]): Promise<Foretold> =>
    foretell(name, [domain, '-c', net.haraka.folder, ...args])
  before(() => net.ready())

  test('fetch a policy that is not cached, and leave the cache as it is', async () => {
    net.domain('fresh.test', { sts: {} })
    net.domain('other.test', { sts: {} })
    await sendTo(net, 'other.test') // so that there is a cache
    const { told } = await ask('explain', 'fresh.test')
    assert.deepEqual([told.mtaSts.status, told.mtaSts.source], ['policy', 'fetched'])
    const cache = readOnlyCache(openCache(cachePath(), undefined, { create: false, readOnly: true }))
    const listed = await cache.listPolicies()
    cache.close()
    assert.ok(listed.ok)
    assert.deepEqual(
      listed.value.map(({ domain }) => domain),
      ['other.test'],
    )
  })

  test('say what the cache has, and how old it is', async () => {
    net.domain('known.test', { sts: {} })
    await sendTo(net, 'known.test')
    const { told, text } = await ask('explain', 'known.test')
    assert.equal(told.mtaSts.source, 'cached')
    assert.match(text, /fetched {2}\S+Z, (\d+ seconds?|1 minute) ago/)
  })

  test('go on where the cache cannot be read, as a delivery does, and say so', async (t) => {
    net.domain('uncached.test', { sts: {} })
    await net.ready()
    const { folder } = createInstance(t, { 'outbound-tls.ini': iniOf(net) })
    writeFileSync(join(folder, 'outbound-tls.db'), 'garbage'.repeat(1000))
    const { told, text } = await foretell('explain', ['uncached.test', '-c', folder])
    assert.match(told.mtaSts.cacheProblem ?? '', /not a database/)
    assert.equal(told.mtaSts.source, 'fetched')
    assert.match(text, /cache +cannot be read/)
  })

  test('do not keep the next delivery from fetching what they could not fetch', async () => {
    net.domain('late.test', { sts: { address: '127.0.0.97' } })
    const { told } = await ask('explain', 'late.test')
    assert.equal(told.mtaSts.why, 'fetch-failed')
    net.sts('late.test')
    net.server('mx1.late.test', { certificate: 'expired' })
    const { recipient } = await sendTo(net, 'late.test')
    assert.match(recipient.message ?? '', /MTA-STS/)
  })

  test('neither make nor change the file of the cache', async () => {
    net.domain('nothing.test', { sts: {} })
    const written = existsSync(cachePath()) ? statSync(cachePath()).mtimeMs : undefined
    await ask('probe', 'nothing.test')
    const after = existsSync(cachePath()) ? statSync(cachePath()).mtimeMs : undefined
    assert.equal(after, written)
  })

  test('end with 3 where nothing but lookups that failed stands in the way', async () => {
    net.domain('silent.test', { dns: { trouble: 'servfail' } })
    const { code, told } = await ask('explain', 'silent.test')
    assert.deepEqual([code, told.result.status], [3, '4.4.3'])
  })

  test('print what strangers say as text: banner, EHLO, certificate', async () => {
    net.domain('hostile.test')
    const hostile = '\x1b[2J\x07\x9b31m\u202e<script>'
    net.server('mx1.hostile.test', {
      greeting: { send: `220-${'x'.repeat(3000)}\r\n220 ${hostile}\r\n` },
      capabilities: [hostile, 'STARTTLS'],
    })
    const leaf = selfSigned({ subject: `CN=${hostile}`, dnsNames: [`${hostile}.test`] })
    net.server('mx1.hostile.test').behave({ identity: { key: leaf.keyPem, cert: chainPem(leaf) } })
    await net.ready()
    const { text } = await ask('probe', 'hostile.test')
    assert.match(text, /\\u\{1b\}\[2J/)
  })

  test('print what strangers publish as text: TXT records and policies', async () => {
    net.domain('hostile-sts.test', {
      sts: { records: ['v=STSv1; id=\x1b[2J;'], text: 'version: STSv1\r\nmode: \x1b[2J\r\n' },
    })
    const { text, told } = await ask('explain', 'hostile-sts.test')
    assert.equal(told.mtaSts.why, 'malformed-record')
    assert.match(text, /malformed: v=STSv1; id=\\u\{1b\}\[2J/)
  })

  test('a server that never answers QUIT is left', async () => {
    net.domain('clinging.test')
    net.server('mx1.clinging.test', { quit: silence })
    const { told } = await ask('probe', 'clinging.test')
    assert.equal(told.result.action, 'deliver')
    assert.equal(await net.server('mx1.clinging.test').quiet(3000), true)
  })

  test('this very machine gets no mail unless local_mx_ok says so', async () => {
    net.domain('myself.test')
    const before = readFileSync(join(net.haraka.folder, 'config', 'outbound.ini'), 'utf8')
    net.haraka.writeConfig('outbound.ini', { main: { local_mx_ok: false } })
    await net.ready()
    for (const name of ['explain', 'probe']) {
      // in a process of its own: haraka-config reads a file once
      const { code, out } = await realCommand([name, 'myself.test', '--json', '-c', net.haraka.folder])
      const { result } = JSON.parse(out) as Told
      assert.deepEqual([code, result.action, result.status], [1, 'defer', '4.4.6'])
    }
    net.haraka.writeConfig('outbound.ini', before)
    assert.deepEqual(net.server('mx1.myself.test').connections, [])
  })

  test('say what would make it better', async () => {
    net.domain('improvable.test', {
      signed: true,
      mx: ['mx1', 'mx2', 'mx3', 'mx4'],
      sts: { mx: ['mx1.improvable.test'], mode: 'testing' },
    })
    net.server('mx1.improvable.test', { certificate: 'expired' })
    net.server('mx2.improvable.test', { offersTls: false, signed: false })
    net.server('mx3.improvable.test', { certificate: 'other', tlsa: '3 1 1 of leaf' })
    net.server('mx4.improvable.test', { tlsa: ['0 0 1'] })
    await net.ready()
    const { told } = await ask('probe', 'improvable.test')
    const record = net.certificates.tlsa('mx3.improvable.test', '3 1 1', 'other').toUpperCase()
    assert.ok(
      told.advice.some(({ text }) => text.includes(`publish _${net.smtpPort}._tcp.mx3.improvable.test TLSA ${record}`)),
    )
    assert.deepEqual(
      told.advice.map(({ code, about }) => `${code} ${about.replace('.improvable.test', '')}`),
      [
        'list-in-sts improvable.test',
        'list-in-sts improvable.test',
        'list-in-sts improvable.test',
        'enforce-sts improvable.test',
        'lengthen-sts improvable.test',
        'publish-tlsa mx1',
        'sign-host mx2',
        'publish-tlsa mx4',
        'mend-certificate mx1',
        'offer-starttls mx2',
        'publish-tlsa mx3',
      ],
    )
  })

  test('digest agility: the advice is to remove the stale record, not to publish what is published', async () => {
    net.domain('agility.test', { signed: true })
    net.server('mx1.agility.test', { tlsa: ['3 1 1', '3 1 2 of other'] })
    await net.ready()
    const { told } = await ask('probe', 'agility.test')
    const [advice, ...others] = told.advice.filter(({ code }) => code.endsWith('tlsa'))
    assert.deepEqual([advice?.code, others], ['mend-tlsa', []])
    assert.match(
      advice?.text ?? '',
      /^remove the stale TLSA record 3 1 2 \w+.* at _\d+\._tcp\.mx1\.agility\.test, or publish one/,
    )
    assert.match(advice?.text ?? '', /3 1 1 \w+.* matches, but does not count beside 3 1 2 /)
  })

  test('the end of the story: whether a message that is deferred would ever arrive', async () => {
    net.domain('waits.test')
    net.server('mx1.waits.test', { certificate: 'expired' })
    net.domain('never.test', { sts: {} })
    net.server('mx1.never.test', { certificate: 'expired' })
    net.domain('unknown.test')
    net.server('mx1.unknown.test', { dns: { trouble: 'servfail' } })
    await net.ready()
    for (const [domain, later] of [
      ['waits.test', /^The next attempt accepts such a certificate and delivers the message/],
      ['never.test', /^While this is so, no later attempt ends otherwise/],
      ['unknown.test', /^It goes at the first attempt at which the lookups succeed/],
    ] as const) {
      const { told, text } = await ask('probe', domain)
      assert.match(told.result.later ?? '', later)
      assert.ok(unwrapped(text).includes(told.result.later ?? 'nothing'), text)
    }
  })
})
