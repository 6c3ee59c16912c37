import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { knownCertsSql } from '../../dist/lib/certificates/index.js'
import { createStore } from '../../dist/lib/store/index.js'
import { assertNothingInClear, privateInternet, sharedInternet, type PrivateInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { selfSigned as makeSelfSigned } from '../support/certificates.ts'
import { foretell } from './foretelling.ts'
import { assertDeferred, assertLogged, logged, loggedNow, sendTo, tryAgain } from './telling.ts'

const settings = {
  'rule:firm': { 'if-rcpt-domain': ['firm.test'], 'relax-after-tls-failure': false },
  'rule:audited': { 'if-rcpt-domain': ['audited.test'], audit: true },
  'rule:lenient': { 'if-rcpt-domain': ['lenient.test'], 'allow-invalid-certs': true },
  'rule:required': { 'if-rcpt-domain': ['required.test'], starttls: 'require' },
}
const selfSigned: ServerOptions = { certificate: 'self-signed' }

function host(net: PrivateInternet, domain: string, options: ServerOptions = selfSigned) {
  net.domain(domain)
  return net.server(`mx1.${domain}`, options)
}

/** Its first message waits for a retry, which the host gets. */
async function acquaint(net: PrivateInternet, domain: string): Promise<void> {
  const first = await sendTo(net, domain)
  assertDeferred(first, '4.7.5', /does not validate/)
  assert.equal((await tryAgain(net, first)).fate, 'delivered')
  await untilKnown(net, `mx1.${domain}`)
}

/** What is known of a host is written behind the delivery. */
async function untilKnown(net: PrivateInternet, name: string, count = 1): Promise<void> {
  const store = createStore({ engine: 'sqlite', path: join(net.haraka.folder, 'outbound-tls.db') }, () => undefined)
  const certs = store.module(knownCertsSql)
  try {
    for (let tries = 0; ; tries++) {
      const found = await certs.find(name, 86_400_000)
      if (found.ok && found.value.length === count) return
      assert.ok(tries < 100, JSON.stringify(found))
      await sleep(50)
    }
  } finally {
    store.end()
  }
}

describe('a host without a policy whose certificate is not valid', () => {
  const net = sharedInternet({ settings, haraka: { outbound: { main: { temp_fail_intervals: '64s,2m' } } } })

  test('is refused at the first attempt; log and bounce blame no policy, and say what comes next', async () => {
    const server = host(net, 'first.test')
    const first = await sendTo(net, 'first.test')
    const said = first.recipient.message ?? ''
    assertDeferred(first, '4.7.5', /^no host of first\.test has what is asked of it here: mx1\.first\.test\[/)
    assert.match(
      said,
      /DEPTH_ZERO_SELF_SIGNED_CERT; refused at a first attempt \(allow-invalid-certs = false\)\. RFC 9525 6\)/,
    )
    assert.match(said, /; the next attempt, in 64 s, accepts such a certificate \(relax-after-tls-failure\)$/)
    await assertLogged(net, '[WARN]', 'first.test deferred, 4.7.5: ', 'the next attempt, in 64 s, accepts such')
    assertNothingInClear(server)
  })

  test('is known from the first retry on: a hundred messages go at once, over TLS', async () => {
    const server = host(net, 'known.test')
    await acquaint(net, 'known.test')
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => net.haraka.send({ to: 'one@known.test' })))
    assert.equal(outcomes.filter(({ delivered }) => delivered.length === 1).length, 100)
    assertNothingInClear(server)
    const lines = await logged(
      net,
      '[NOTICE]',
      'Untrusted TLS connection to mx1.known.test',
      /accepted: known since 2\S+Z/,
    )
    assert.equal(lines.length, 100)
    const reported = await logged(
      net,
      'outcome for known.test at mx1.known.test: untrusted',
      'no-policy-found known.test success',
    )
    assert.equal(reported.length, 101)
  })

  test('is foretold by explain and probe: what is known, and what a retry would accept', async () => {
    host(net, 'foretold.test')
    const place = ['foretold.test', '-c', net.haraka.folder]
    const before = await foretell('probe', place)
    assert.equal(before.code, 1)
    assert.match(before.text.replace(/\s+/g, ' '), /refused at a first attempt \(allow-invalid-certs = false\)/)
    await acquaint(net, 'foretold.test')
    const explained = await foretell('explain', place)
    assert.match(
      explained.text.replace(/\s+/g, ' '),
      /known an invalid certificate \(self-signed\), accepted since 2\S+Z/,
    )
    const probed = await foretell('probe', place)
    assert.equal(probed.code, 0)
    assert.match(probed.text.replace(/\s+/g, ' '), /accepted: known since 2\S+Z/)
  })

  test('with another key waits again: a NOTICE where it is like the known one, a WARN where it is not', async () => {
    const domain = 'changing.test'
    const server = host(net, domain)
    await acquaint(net, domain)
    const { keyPem: key, pem: cert } = makeSelfSigned({ dnsNames: [server.name] })
    server.behave({ identity: { key, cert } })
    assertDeferred(await sendTo(net, domain), '4.7.5', /refused at a first attempt/)
    await assertLogged(
      net,
      '[NOTICE]',
      `mx1.${domain} presents a new key with the names and the flaw of the one known since 2`,
    )
    server.behave({ identity: net.certificates.identity(server.name, 'foreign') })
    const refused = await sendTo(net, domain)
    assertDeferred(refused, '4.7.5', /refused at a first attempt/)
    await assertLogged(net, '[WARN]', `mx1.${domain} presents another invalid certificate than the one known since 2`)
    assert.equal((await tryAgain(net, refused)).fate, 'delivered', 'detected, not prevented')
    await untilKnown(net, server.name, 2)
    assert.equal((await sendTo(net, domain)).fate, 'delivered')
  })

  test('is no longer known once it has a valid certificate, and that is said', async () => {
    const server = host(net, 'mended.test')
    await acquaint(net, 'mended.test')
    server.behave({ identity: net.certificates.identity(server.name, 'leaf') })
    assert.equal((await sendTo(net, 'mended.test')).fate, 'delivered')
    await assertLogged(net, '[NOTICE]', 'mx1.mended.test presents a valid certificate: the invalid one known since 2')
    await untilKnown(net, server.name, 0)
    server.behave({ identity: net.certificates.identity(server.name, 'self-signed') })
    assertDeferred(await sendTo(net, 'mended.test'), '4.7.5', /refused at a first attempt/)
  })

  test('is not known where a policy, a rule or an audit is concerned', async () => {
    for (const domain of ['firm.test', 'required.test']) {
      const server = host(net, domain)
      const first = await sendTo(net, domain)
      assertDeferred(first, '4.7.5', /does not validate/)
      assert.doesNotMatch(first.recipient.message ?? '', /first attempt|next attempt/)
      assert.equal((await tryAgain(net, first)).fate, 'deferred')
      assertNothingInClear(server)
    }
    for (const domain of ['audited.test', 'lenient.test']) {
      host(net, domain)
      assert.equal((await sendTo(net, domain)).fate, 'delivered')
    }
    host(net, 'waived.test')
    const waived = await net.haraka.send({ to: 'one@waived.test', headers: { 'TLS-Required': 'No' } })
    assert.equal(waived.delivered.length, 1)
    for (const domain of ['firm.test', 'required.test', 'audited.test', 'lenient.test', 'waived.test'])
      await untilKnown(net, `mx1.${domain}`, 0)
    assertDeferred(await sendTo(net, 'waived.test'), '4.7.5', /refused at a first attempt/)
  })

  test('with TLSA records that are all unusable must have TLS, and may have any certificate at a retry (D14)', async () => {
    net.domain('unusable.test', { signed: true })
    const server = net.server('mx1.unusable.test', { ...selfSigned, tlsa: '1 1 1' })
    await acquaint(net, 'unusable.test')
    assert.equal((await sendTo(net, 'unusable.test')).fate, 'delivered')
    server.behave({ offersTls: false })
    assertDeferred(await sendTo(net, 'unusable.test'), '4.7.4', /STARTTLS is not offered; DANE/)
    assertNothingInClear(server)
  })

  test('is not known where an enforced policy asks for a certificate: what was accepted before proves nothing', async () => {
    net.domain('later.test', { sts: { mode: 'testing' } })
    const server = net.server('mx1.later.test', selfSigned)
    await acquaint(net, 'later.test')
    net.sts('later.test', { mode: 'enforce' })
    const refused = await sendTo(net, 'later.test')
    assertDeferred(refused, '4.7.5', /MTA-STS: the certificate of mx1\.later\.test does not validate/)
    assert.equal((await tryAgain(net, refused)).fate, 'deferred')
    assertNothingInClear(server)
  })
})

describe('what is known', () => {
  test('survives a restart, and is shared by workers', async (t) => {
    const net = await privateInternet(t, { haraka: { nodes: 2 } })
    const server = host(net, 'kept.test')
    await acquaint(net, 'kept.test')
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      await net.haraka.restart(signal)
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => net.haraka.send({ to: 'one@kept.test' })))
      assert.equal(outcomes.filter(({ delivered }) => delivered.length === 1).length, 20)
    }
    assertNothingInClear(server)
  })

  test('is nothing with known-certs = 0: every message waits for its retry', async (t) => {
    const net = await privateInternet(t, { settings: { main: { 'known-certs': '0' } } })
    const server = host(net, 'never.test')
    for (let messages = 0; messages < 2; messages++) {
      const first = await sendTo(net, 'never.test')
      assertDeferred(first, '4.7.5', /refused at a first attempt/)
      assert.equal((await tryAgain(net, first)).fate, 'delivered')
    }
    assert.deepEqual(loggedNow(net, 'known since'), [])
    assertNothingInClear(server)
  })

  test('cannot be read while the store is away: mail waits for its retry, no more', async (t) => {
    const net = await privateInternet(t)
    const server = host(net, 'away.test')
    await acquaint(net, 'away.test')
    await net.haraka.reconfigure('outbound-tls.ini', net.settings({ store: { path: 'no/such/folder.db' } }))
    const first = await sendTo(net, 'away.test')
    assertDeferred(first, '4.7.5', /refused at a first attempt/)
    assert.equal((await tryAgain(net, first)).fate, 'delivered')
    assertNothingInClear(server)
  })
})
