/** What explain and probe say of every destination of the demo, and what a delivery then does: they agree. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { chapters, type Scenario } from '../demo/scenarios.ts'
import { declare, optionsFor, run, type Attempt, type Result } from '../demo/world.ts'
import { sharedInternet } from '../internet/index.ts'
import { ascii, foretell, unwrapped, type Foretold, type Told } from './foretelling.ts'
import { logged } from './telling.ts'

const scenarios = chapters.flatMap((chapter) => chapter.scenarios)
describe('explain and probe', () => {
  const net = sharedInternet(optionsFor(scenarios))
  before(() => declare(net, scenarios))

  const ask = (name: 'explain' | 'probe', scenario: Scenario, attempt: number): Promise<Foretold> =>
    foretell(name, [scenario.domain, '-c', net.haraka.folder, ...argumentsFor(scenario, attempt)])

  const argumentsFor = ({ domain, relay, wish }: Scenario, attempt: number): string[] => {
    const retry = attempt === 0 ? [] : ['--retry-num', String(attempt), '--last-error', 'tls']
    const message = wish === undefined ? retry : [...retry, `--${wish}`]
    if (relay === undefined) return message
    const { address, port } = net.server(`${relay.host}.${domain}`)
    return [...message, '--route', `${relay.host}.${domain}[${address}]:${port}`, '--credentials']
  }

  for (const scenario of scenarios) {
    test(`of ${scenario.domain} say what a delivery then does: ${scenario.special}`, async () => {
      const foretold: (readonly [Foretold, Foretold])[] = []
      const ofOneMessage = scenario.expect.filter(({ again }) => again !== true)
      for (const attempt of ofOneMessage.keys())
        foretold.push([await ask('explain', scenario, attempt), await ask('probe', scenario, attempt)])
      assertNothingMailed(scenario)
      const attempts = await run(net, scenario)

      for (const [index, [explained, probed]] of foretold.entries()) {
        const attempt = attempts[index]
        assert.ok(attempt !== undefined)
        const texts = [...assertProbed(scenario, probed, attempt), ...assertExplained(scenario, explained, attempt)]
        for (const text of texts)
          assert.notEqual((await logged(net, ...certainParts(text))).length, 0, `not in the log: ${text}`)
      }
    })
  }

  const assertNothingMailed = ({ domain, is, hosts = {} }: Scenario): void => {
    for (const host of new Set([...(is?.mx ?? ['mx1']), ...Object.keys(hosts)])) {
      const { messages, commands } = net.server(`${host}.${domain}`)
      assert.deepEqual(messages, [])
      assert.deepEqual(
        commands.filter((command) => !/^(EHLO|STARTTLS|QUIT)\b/.test(command)),
        [],
      )
    }
  }
})

/** How a connection breaks, the system tells as the moment has it. */
function certainParts(text: string): string[] {
  return text.split(/(?<=TLS handshake failed: )[^;.]*/)
}

/** Probe says who is given the message and how, or the very status and reason of the deferral. @returns what the log must have */
function assertProbed({ domain }: Scenario, { code, told, text: lines }: Foretold, { result }: Attempt): string[] {
  const said = unwrapped(lines)
  const { action, host, level, text } = told.result
  if (result.status === 'delivered') {
    const expected = [0, 'deliver', `${result.host}.${domain}`, result.level.toLowerCase().replace(' ', '-')]
    assert.deepEqual([code, action, host, level], expected)
    assert.ok(said.includes(`handed to ${host}[`), said)
    assert.ok(said.includes(ascii(text ?? 'nothing')), said)
    return [text ?? 'nothing']
  }
  assert.ok(code === 1 || code === 3)
  const refused = told.hosts.flatMap(({ sessions }) => (sessions ?? []).filter(({ curiosity }) => !curiosity))
  const words = refused.map(({ because }) => `${because?.text}. ${because?.source}. `)
  return [...words, assertFailed(domain, told, said, result)]
}

/** @returns the line of the log with the same words */
function assertFailed(domain: string, { result }: Told, said: string, { status, ...attempt }: Result): string {
  const ends = { deferred: ['defer', 'be deferred', 'deferred'], bounced: ['bounce', 'bounce', 'refused'] }
  assert.ok(status === 'deferred' || status === 'bounced', JSON.stringify(attempt))
  const [action, foretold, logged] = ends[status]
  assert.deepEqual([result.action, result.status], [action, 'code' in attempt && attempt.code])
  assert.ok(said.includes(`would ${foretold}, ${result.status}: ${ascii(result.text ?? 'nothing')}`), said)
  return `${domain} ${logged}, ${result.status}: ${result.text}`
}

/** Explain says which hosts are refused before anybody connects, why, and whether TLS is a must. @returns what the log must have */
function assertExplained({ domain }: Scenario, { code, told, text: lines }: Foretold, { result }: Attempt): string[] {
  const said = unwrapped(lines)
  for (const { verdict, sessions } of told.hosts) {
    assert.equal(sessions, null, 'explain connects to nobody')
    assert.ok(said.includes(ascii(`${verdict.because.text}. ${verdict.because.source}`)), said)
  }
  const { action, hosts } = told.result
  if (action !== 'try') return [assertFailed(domain, told, said, result), ...refusals(told, domain)]
  assert.equal(code, 0)
  assert.ok(said.includes(`would be tried at ${hosts[0]}`), said)
  if (result.status !== 'delivered') return refusals(told, domain)
  const used = told.hosts.find(({ name }) => name === `${result.host}.${domain}`)
  assert.ok(used !== undefined && hosts.includes(used.name))
  const { terms } = used.verdict
  if (terms?.tls === 'required' && !terms.audit) assert.notEqual(result.level, 'clear text')
  return refusals(told, domain)
}

function refusals({ hosts }: Told, domain: string): string[] {
  const refused = hosts.filter(({ verdict }) => verdict.action === 'skip')
  return refused.map(
    ({ name, verdict: { because } }) => `refused ${name} for ${domain}: ${because.text}. ${because.source}. `,
  )
}
