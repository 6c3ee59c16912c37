/**
 * DANE against a real Unbound with zones that are really signed, and what Postfix says of the same destinations.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertNothingInClear } from '../internet/mail-server.ts'
import { startRealInternet, type RealInternet } from './internet.ts'
import { createPostfix } from './postfix.ts'
import { scenarios, type Scenario, type Word } from './scenarios.ts'
import { skipSecondOpinion, skipWithout } from './tools.ts'

const skip = skipWithout('unbound', 'nsd', 'ldns-keygen', 'ldns-signzone')

describe('DANE, with signed zones behind Unbound', { skip }, () => {
  let net: RealInternet
  before(async () => {
    net = await startRealInternet(scenarios)
  })
  after(() => net.stop())

  for (const scenario of scenarios) {
    test(`${scenario.id}: ${scenario.says}: ${scenario.word}`, async () => {
      const { word, log } = await deliver(net, domainOf(scenario))
      assert.equal(word, scenario.word, log)
      if (scenario.log !== undefined) assert.match(log, scenario.log)
    })
  }

  test('D13: nothing but greetings ever came in clear text, to any of the servers', () => {
    for (const server of net.servers.values()) assertNothingInClear(server)
  })

  describe('and Postfix', { skip: skip || skipSecondOpinion() }, () => {
    for (const scenario of scenarios) {
      const { id, says, word, postfix } = scenario
      const opinion = postfix === undefined ? 'says so, too' : `says ${postfix.word}, since ${postfix.because}`
      test(`${id}: ${says}: ${word}, and Postfix ${opinion}`, async () => {
        const { names, folder, certificates, smtpPort } = net
        assert.ok(
          names.address !== undefined,
          'the second opinion needs root: Unbound at port 53, and a resolv.conf of its own',
        )
        const finger = createPostfix({ folder, nameServer: names.address, trustAnchors: certificates.caPem })
        const { word: theirs, lines } = await finger(domainOf(scenario), smtpPort)
        assert.equal(theirs, postfix?.word ?? word, lines.join('\n'))
      })
    }
  })
})

function domainOf({ zones }: Scenario): string {
  return `${Object.keys(zones)[0] ?? ''}.test`
}

/** Sends a message there. The word is that of the log, where the mail was really accepted. */
async function deliver({ haraka }: RealInternet, domain: string): Promise<{ word: Word; log: string }> {
  const since = haraka.log.lines.length
  const { delivered, deferred, bounced } = await haraka.send({ to: `someone@${domain}` })
  assert.equal(bounced.length, 0)
  const log = haraka.log.lines.slice(since).join('\n')
  const word = [...log.matchAll(/ (Verified|Trusted|Untrusted) TLS connection to /g)].at(-1)?.[1]
  if (deferred.length > 0) return { word: 'refused', log }
  assert.ok(delivered[0]?.secured, log)
  return { word: word as Word, log }
}
