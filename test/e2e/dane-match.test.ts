import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import {
  assertDeferred,
  assertDeliveredOverTls,
  assertLogged,
  assertNoMail,
  assertNotConnected,
  declareWithSpare,
  domainNames,
} from './far-end.ts'

/** What a host presents and publishes, and what the log says of the match. */
const matches: readonly (readonly [string, ServerOptions, string])[] = [
  ['D13: by DANE-EE with the digest of its key', { tlsa: '3 1 1' }, 'matched DANE-EE 3 1 1 '],
  ['K2: by DANE-EE with a SHA2-512 digest of its certificate', { tlsa: '3 0 2' }, 'matched DANE-EE 3 0 2 '],
  ['K2: by DANE-EE with its whole key in DNS', { tlsa: '3 1 0' }, 'matched DANE-EE 3 1 0 '],
  ['D37: by DANE-EE though it has expired', { certificate: 'expired', tlsa: '3 1 1' }, 'matched DANE-EE 3 1 1 '],
  ['D37: by DANE-EE though it is not valid yet', { certificate: 'future', tlsa: '3 1 1' }, 'matched DANE-EE 3 1 1 '],
  ['D37: by DANE-EE though it names another', { certificate: 'other-name', tlsa: '3 1 1' }, 'matched DANE-EE 3 1 1 '],
  ['D37: by DANE-EE though nobody signed it', { certificate: 'self-signed', tlsa: '3 0 1' }, 'matched DANE-EE 3 0 1 '],
  ['D41: by DANE-TA, the root sent', { certificate: 'with-root', tlsa: '2 0 1 of root' }, 'matched DANE-TA 2 0 1 '],
  ['K8: by DANE-TA, the root not sent but in DNS', { tlsa: '2 0 0 of root' }, 'matched DANE-TA 2 0 0 '],
  ['K9: by DANE-TA, the key of the root in DNS', { tlsa: '2 1 0 of root' }, 'matched DANE-TA 2 1 0 '],
  ['D41: by DANE-TA, an intermediate as anchor', { tlsa: '2 1 1 of intermediate' }, 'matched DANE-TA 2 1 1 '],
  [
    'D41: by DANE-TA, an authority that nobody trusts but DNS names',
    { certificate: 'foreign', tlsa: '2 0 0 of foreign-root' },
    'matched DANE-TA 2 0 0 ',
  ],
  [
    'D44: by DANE-TA, with a wildcard for its first label',
    { certificate: 'wildcard', tlsa: '2 1 1 of intermediate' },
    'matched DANE-TA 2 1 1 ',
  ],
  [
    'K5: by one of several records, the others being of no use or of other keys',
    { tlsa: ['1 1 1 of other', '3 1 1 of other', '3 1 1', '3 1 1 00ff'] },
    'matched DANE-EE 3 1 1 ',
  ],
]

/** What is wrong with a host, what is said about it, and how a report would count it. */
const mismatches: readonly (readonly [string, ServerOptions, readonly string[], string])[] = [
  [
    'D13, D40: whose digest matches no record, perfect as it is otherwise',
    { certificate: 'other', tlsa: '3 1 1 of leaf' },
    ['none of 1 TLSA record matches its certificate (3 1 1 ', '; presented 3 1 1 ', 'RFC 7672 2.2. Next host.'],
    'validation-failure (dane-no-match)',
  ],
  [
    'K11: that matches only the weaker digest',
    { tlsa: ['3 1 1', '3 1 2 of other'] },
    [': 3 1 1 ', ' matches, but does not count beside 3 1 2 ', 'RFC 7672 2.2. Next host.'],
    'validation-failure (dane-no-match)',
  ],
  [
    'D41: of the DANE-TA anchor, with a wrong name',
    { certificate: 'other-name', tlsa: '2 1 1 of intermediate' },
    ['its certificate is for somewhere-else.test, not for mx1.', 'RFC 7672 3.2. Next host.'],
    'certificate-host-mismatch',
  ],
  [
    'D41: of the DANE-TA anchor, expired',
    { certificate: 'expired', tlsa: '2 1 1 of intermediate' },
    ['expired', 'RFC 7672 3.2. Next host.'],
    'certificate-expired',
  ],
  [
    'D41: of a foreign authority, with the DANE-TA certificate merely stapled to its chain',
    { certificate: 'stapled-root', tlsa: '2 0 1 of root' },
    ['its certificate was not issued by what this record matches (2 0 1 ', 'RFC 7672 3.2. Next host.'],
    'certificate-not-trusted',
  ],
  [
    'K8: that sends no root, where DNS has but its digest',
    { tlsa: '2 0 1 of root' },
    [
      'none of 1 TLSA record matches an issuer of its certificate (2 0 1 ',
      '; presented 2 0 1 ',
      'RFC 7672 2.2. Next host.',
    ],
    'validation-failure (dane-no-match)',
  ],
  [
    'D41: whose own certificate is what a DANE-TA record is of',
    { certificate: 'leaf', tlsa: '2 0 1' },
    [
      'none of 1 TLSA record matches an issuer of its certificate (2 0 1 ',
      '; presented 2 0 1 ',
      'RFC 7672 2.2. Next host.',
    ],
    'validation-failure (dane-no-match)',
  ],
]

const net = sharedInternet()

describe('a host with usable TLSA records', () => {
  const newDomain = domainNames('host')

  for (const [why, options, proof] of matches) {
    test(`gets mail when its certificate matches ${why.replace(/^[^:]+: /, '')} (${why.split(':')[0]})`, async () => {
      const domain = newDomain()
      declareWithSpare(net, domain, options)
      const outcome = await net.haraka.send({ to: `one@${domain}` })
      const message = await assertDeliveredOverTls(net, outcome, `mx1.${domain}`)
      assert.equal(message.servername, `mx1.${domain}`) // D47
      assertNotConnected(net, `mx2.${domain}`)
      await assertLogged(net, `Verified TLS connection to mx1.${domain}[`, proof)
      await assertLogged(net, `outcome for ${domain} at mx1.${domain}: verified`, `tlsa mx1.${domain} success`)
    })
  }

  for (const [why, options, texts, counted] of mismatches) {
    test(`${why}, gets no mail; the next host does`, async () => {
      const domain = newDomain()
      declareWithSpare(net, domain, options)
      const outcome = await net.haraka.send({ to: `one@${domain}` })
      await assertDeliveredOverTls(net, outcome, `mx2.${domain}`)
      assertNoMail(net, `mx1.${domain}`)
      assert.deepEqual(net.server(`mx1.${domain}`).commands, ['EHLO', 'STARTTLS'])
      await assertLogged(net, 'WARN', `refused mx1.${domain}[`, `for ${domain}: DANE: TLSA at `, ...texts)
      await assertLogged(net, `at mx1.${domain}: refused TLSv1.3; tlsa mx1.${domain} ${counted}`)
      await assertLogged(net, `at mx2.${domain}: verified TLSv1.3; tlsa mx2.${domain} success`)
    })
  }

  test('D40: defers the message with 4.7.5 where it is the only host and does not match', async () => {
    net.domain('only.test', { signed: true })
    net.server('mx1.only.test', { certificate: 'other', tlsa: '3 1 1 of leaf' })
    const outcome = await net.haraka.send({ to: ['one@only.test', 'two@only.test'] })
    assertDeferred(outcome, '4.7.5', /^no host of only\.test satisfied its policy: mx1\.only\.test\[.*RFC 7672 2\.2\)$/)
    assertNoMail(net, 'mx1.only.test')
    await assertLogged(net, 'only.test deferred, 4.7.5: ', 'none of 1 TLSA record matches')
  })

  test('D42: behind a secure MX record may present the name of the recipient domain, with DANE-TA', async () => {
    net.domain('somewhere-else.test', { signed: true })
    net.server('mx1.somewhere-else.test', { certificate: 'other-name', tlsa: '2 1 1 of intermediate' })
    const outcome = await net.haraka.send({ to: 'one@somewhere-else.test' })
    await assertDeliveredOverTls(net, outcome, 'mx1.somewhere-else.test')
    await assertLogged(net, 'Verified TLS connection to mx1.somewhere-else.test[', ' for somewhere-else.test')
  })

  test('D42: behind an insecure MX record must present its own name, with DANE-TA', async () => {
    net.domain('somewhere-else.test')
    net.server('mx1.somewhere-else.test', { signed: true, certificate: 'other-name', tlsa: '2 1 1 of intermediate' })
    const outcome = await net.haraka.send({ to: 'one@somewhere-else.test' })
    assertDeferred(outcome, '4.7.5', /is for somewhere-else\.test, not for mx1\.somewhere-else\.test/)
    assertNoMail(net, 'mx1.somewhere-else.test')
  })

  test('D13: is asked for STARTTLS once, and hears of the mail only then', async () => {
    net.domain('once.test', { signed: true })
    net.server('mx1.once.test', { tlsa: '3 1 1', capabilitiesOnTls: ['STARTTLS'] })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@once.test' }), 'mx1.once.test')
    const { commands, connections } = net.server('mx1.once.test')
    assert.deepEqual(commands, ['EHLO', 'STARTTLS', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
    assert.deepEqual(
      connections[0]?.lines.filter(({ encrypted }) => !encrypted).map(({ verb }) => verb),
      ['EHLO', 'STARTTLS'],
    )
  })
})
