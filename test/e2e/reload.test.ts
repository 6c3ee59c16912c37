import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { assertNothingInClear, privateInternet, sharedInternet } from '../internet/index.ts'
import type { Ini } from './instance.ts'
import { assertDeferred, assertLogged, fateIn, sendTo } from './telling.ts'

const file = 'outbound-tls.ini'
const required = { main: { starttls: 'require' } }

/** What is wrong, how it is written, and what the log says about it. */
const broken: readonly (readonly [string, Ini, RegExp])[] = [
  ['an unknown key', { main: { danne: 'optional' } }, /\[main\] danne = "optional"/],
  ['an unknown section', { mian: { dane: 'optional' } }, /\[mian\]: .*\[main\], \[dns\]/],
  ['a value that is not accepted', { main: { dane: 'maybe' } }, /\[main\] dane = "maybe": accepted: optional, require/],
  ['a contradiction', { main: { starttls: 'disable', dane: 'require' } }, /\[main\] dane = "require": contradicts/],
  ['a rule without a condition', { 'rule:x': { dane: 'disable' } }, /\[rule:x\]: .*at least one condition/],
  ['a ca-file that is not there', { main: { 'ca-file': 'none.pem' } }, /\[main\] ca-file = "none.pem".*PEM/],
  ['a comment behind a value', { main: { starttls: 'require ; always' } }, /a comment needs a line of its own/],
]

describe('a reload', () => {
  const net = sharedInternet()
  const plain = (domain: string): void => {
    net.domain(domain)
    net.server(`mx1.${domain}`, { offersTls: false })
  }

  for (const [index, [what, changes, text]] of broken.entries()) {
    test(`of ${what} says so at CRIT, and the last good settings stay in force`, async () => {
      await net.haraka.reconfigure(file, net.settings(required))
      const since = net.haraka.log.lines.length
      await net.haraka.reconfigure(file, net.settings(changes))
      await net.haraka.log.waitFor(/\[CRIT\].* the last good settings stay in force/, { since })
      const lines = net.haraka.log.lines.slice(since).filter((line) => line.includes('[CRIT]'))
      assert.equal(lines.filter((line) => line.includes(file) && text.test(line)).length, 1, lines.join('\n'))
      plain(`broken${index}.test`)
      assertDeferred(await sendTo(net, `broken${index}.test`), '4.7.4', /STARTTLS is required/)
    })
  }

  test('of a good file holds from the next message on', async () => {
    await net.haraka.reconfigure(file, net.settings(required))
    plain('good.test')
    assertDeferred(await sendTo(net, 'good.test'), '4.7.4', /STARTTLS is required for mx1\.good\.test \(\[main\]\)/)
    await net.haraka.reconfigure(file, net.settings())
    assert.equal((await sendTo(net, 'good.test')).fate, 'delivered')
  })

  test('that mends a broken file holds', async () => {
    await net.haraka.reconfigure(file, net.settings({ main: { dane: 'maybe' } }))
    await net.haraka.reconfigure(file, net.settings(required))
    plain('mended.test')
    assertDeferred(await sendTo(net, 'mended.test'), '4.7.4')
  })

  for (const [what, before, after, fate] of [
    ['laxer', required, {}, 'deferred'],
    ['stricter', {}, required, 'delivered'],
  ] as const) {
    test(`during a delivery leaves its settings alone: ${what} ones hold for the next message`, async () => {
      await net.haraka.reconfigure(file, net.settings(before))
      net.domain(`${what}.test`, { mx: ['mx1', 'mx2'] })
      net.server(`mx1.${what}.test`, { greeting: { send: '220-mx1 waits', after: 300, then: 'reset' } })
      const second = net.server(`mx2.${what}.test`, { offersTls: false })
      const submitted = await net.haraka.submit({ to: `one@${what}.test` })
      while (net.server(`mx1.${what}.test`).connections.length === 0) await sleep(5)
      await net.haraka.reconfigure(file, net.settings(after))
      assert.equal(fateIn(await net.haraka.settled(submitted)).fate, fate)
      if (fate === 'deferred') assertNothingInClear(second)

      net.server(`mx1.${what}.test`, { offersTls: false })
      assert.notEqual((await sendTo(net, `${what}.test`)).fate, fate)
    })
  }

  test('of other certificate authorities holds for the next handshake', async () => {
    await net.haraka.reconfigure(file, net.settings({ main: { 'ca-file': '' } }))
    net.domain('anchors.test')
    assertDeferred(await sendTo(net, 'anchors.test'), '4.7.5', /does not validate/)
    await net.haraka.reconfigure(file, net.settings())
    assert.equal((await sendTo(net, 'anchors.test')).fate, 'delivered')
  })
})

describe('a start with a broken configuration', () => {
  for (const [what, changes, text] of broken.slice(0, 3)) {
    test(`does not happen, and a clear line says why: ${what}`, async () => {
      await assert.rejects(privateInternet(undefined, { settings: changes }), (error: Error) => {
        assert.match(error.message, /Haraka ended with/)
        const lines = error.message.split('\n').filter((line) => line.includes(file))
        assert.ok(lines.some((line) => line.includes('CRIT') && text.test(line)))
        return true
      })
    })
  }

  test('where ignore_bad_plugins lets it happen, every message is deferred, and CRIT comes once a minute', async (t) => {
    const net = await privateInternet(t, {
      settings: { main: { dane: 'maybe' } },
      haraka: { smtp: { main: { ignore_bad_plugins: true } }, plugins: ['outbound-tls', 'lenient'] },
    })
    net.domain('example.test')
    for (let messages = 0; messages < 3; messages++) {
      assertDeferred(
        await sendTo(net, 'example.test'),
        '4.7.5',
        /configuration of outbound TLS cannot be read.*"maybe"/,
      )
    }
    assert.equal(net.server('mx1.example.test').connections.length, 0)
    assert.equal(net.dns.asked('example.test'), 0)
    await assertLogged(net, '[CRIT]', 'no mail is delivered until the configuration is mended')

    await net.haraka.reconfigure(file, { ...net.settings(), main: { ...net.settings().main, dane: 'optional' } })
    await assertLogged(net, '[NOTICE]', 'outbound-tls.ini: nothing is wrong any more')
    assert.equal((await sendTo(net, 'example.test')).fate, 'delivered')
    assertNothingInClear(net.server('mx1.example.test'))
    const sound = { ...net.settings(), main: { ...net.settings().main, dane: 'optional' } }
    await net.haraka.reconfigure(file, { ...sound, 'rule:banks': { 'if-rcpt-domain': ['bank.test'], audit: true } })
    const rule = '[rule:banks] if-rcpt-domain = bank.test; [rule:banks] audit = true'
    await assertLogged(net, '[INFO]', 'outbound-tls.ini: new settings in force: ', rule)
  })
})
