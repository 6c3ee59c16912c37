import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { domainNames } from './far-end.ts'
import { harakaVersions } from './haraka.ts'
import { sendTo } from './telling.ts'

for (const version of harakaVersions)
  describe(`a bounce tells one attempt, Haraka ${version}`, () => {
    const net = sharedInternet({ haraka: { version } })
    const newDomain = domainNames('told')

    /** Two attempts, the second one the last, and what the bounce says of the recipient then. */
    async function factsAfter(
      first: ServerOptions,
      second: ServerOptions,
      options: object,
    ): Promise<readonly string[]> {
      const [author, domain] = [newDomain(), newDomain()]
      net.domain(author)
      net.domain(domain, options)
      net.server(`mx1.${domain}`, first)
      await net.haraka.setIntervals([3600])
      const waiting = await sendTo(net, domain, { from: `me@${author}` })
      assert.equal(waiting.fate, 'deferred')
      net.server(`mx1.${domain}`, second)
      await net.haraka.setIntervals([])
      await net.haraka.retry(waiting.outcome)
      await net.haraka.setIntervals([3600, 3600])
      const { data } = await net.server(`mx1.${author}`).nextMessage()
      const [, facts = ''] = /^Final-Recipient: .*?\r?\n([^]*?)\r?\n\r?\n/m.exec(data) ?? []
      return facts
        .split(/\r?\n/)
        .map((line) => line.replace(/[0-9a-f]{8}\.\.\./g, 'DIGEST').replaceAll(domain, 'DOMAIN'))
    }

    test('that of the server, where DANE refused before', async () => {
      const facts = await factsAfter(
        { tlsa: '3 1 1 of other' },
        { tlsa: '3 1 1', rcpt: '550 5.1.1 nobody here' },
        { signed: true },
      )
      assert.deepEqual(
        facts.filter((line) => !line.startsWith('Remote-MTA')),
        ['Action: failed', 'Status: 5.1.1', 'Diagnostic-Code: smtp;550 5.1.1 nobody here '],
      )
    })

    test('that of the server, where a certificate was refused before', async () => {
      const facts = await factsAfter({ certificate: 'other-name' }, { data: '552 5.3.4 too big' }, { sts: {} })
      assert.ok(
        facts.every((line) => !/certificate|4\.7\.5|450/.test(line)),
        facts.join('\n'),
      )
    })

    test('ours, where a server said 451 before', async () => {
      const facts = await factsAfter({ rcpt: '451 4.7.1 greylisted' }, { certificate: 'other-name' }, { sts: {} })
      assert.equal(facts.length, 2, facts.join('\n'))
      assert.equal(facts[0], 'Action: failed')
      assert.match(facts[1] ?? '', /^Status: 5\.7\.5 \(550 .*the certificate of mx1\.DOMAIN does not validate/)
    })
  })
