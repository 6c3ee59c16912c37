/** What explain and probe say of every destination of the demo, and what a delivery then does: they agree. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { commandNow } from '../cli/ground.ts'
import { chapters, type Scenario } from '../demo/scenarios.ts'
import { declare, rulesOf, run, type Attempt } from '../demo/world.ts'
import { sharedInternet } from '../internet/index.ts'
import { logged } from './telling.ts'

const scenarios = chapters.flatMap((chapter) => chapter.scenarios)
const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/explain.schema.json'), 'utf8')) as object
const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

interface Reason {
  readonly code: string
  readonly text: string
  readonly source: string
}

interface Host {
  readonly name: string
  readonly verdict: {
    readonly action: 'skip' | 'attempt'
    readonly because: Reason
    readonly terms: { tls: string } | null
  }
  readonly sessions:
    readonly { readonly address: string; readonly curiosity: boolean; readonly status: string }[] | null
}

interface Told {
  readonly result: {
    readonly action: 'try' | 'deliver' | 'defer' | 'bounce'
    readonly hosts: readonly string[]
    readonly host: string | null
    readonly level: string | null
    readonly status: string | null
    readonly text: string | null
  }
  readonly hosts: readonly Host[]
}

interface Foretold {
  readonly code: number | null
  readonly told: Told
  readonly lines: string
}

describe('explain and probe', () => {
  const net = sharedInternet({
    settings: rulesOf(scenarios),
    haraka: { plugins: ['static-routes', 'outbound-tls'] },
  })
  before(() => declare(net, scenarios))

  /** What the command says: as JSON, valid as documented, and as text. */
  const ask = async (name: 'explain' | 'probe', scenario: Scenario, attempt: number): Promise<Foretold> => {
    const args = [name, scenario.domain, '-c', net.haraka.folder, ...optionsFor(scenario, attempt)]
    const asJson = await commandNow([...args, '--json'])
    const asText = await commandNow(args)
    assert.equal(asText.err, '')
    assert.equal(asText.code, asJson.code)
    const told = JSON.parse(asJson.out) as Told
    assert.ok(isValid(told), JSON.stringify(isValid.errors))
    return { code: asText.code, told, lines: asText.out }
  }

  const optionsFor = ({ domain, relay }: Scenario, attempt: number): string[] => {
    const retry = attempt === 0 ? [] : ['--retry-num', String(attempt), '--last-error', 'tls']
    if (relay === undefined) return retry
    const { address, port } = net.server(`${relay.host}.${domain}`)
    return [...retry, '--route', `${relay.host}.${domain}[${address}]:${port}`, '--credentials']
  }

  for (const scenario of scenarios) {
    test(`of ${scenario.domain} say what a delivery then does: ${scenario.special}`, async () => {
      const foretold: (readonly [Foretold, Foretold])[] = []
      for (const attempt of scenario.expect.keys())
        foretold.push([await ask('explain', scenario, attempt), await ask('probe', scenario, attempt)])
      assertNothingMailed(scenario)
      const attempts = await run(net, scenario)

      for (const [index, [explained, probed]] of foretold.entries()) {
        const attempt = attempts[index]
        assert.ok(attempt !== undefined)
        const texts = [...assertProbed(scenario, probed, attempt), ...assertExplained(scenario, explained, attempt)]
        for (const text of texts) assert.notEqual((await logged(net, text)).length, 0, `not in the log: ${text}`)
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

/** Probe says who is given the message and how, or the very status and reason of the deferral. @returns what the log must have */
function assertProbed({ domain }: Scenario, { code, told, lines }: Foretold, { result }: Attempt): string[] {
  const said = unwrapped(lines)
  const { action, host, level, status, text } = told.result
  if (result.status === 'delivered') {
    const expected = [0, 'deliver', `${result.host}.${domain}`, result.level.toLowerCase().replace(' ', '-')]
    assert.deepEqual([code, action, host, level], expected)
    assert.ok(said.includes(`handed to ${host}[`), said)
    assert.ok(said.includes(ascii(text ?? 'nothing')), said)
    return [text ?? 'nothing']
  }
  assert.deepEqual([action, status], ['defer', result.status === 'deferred' ? result.code : result.status])
  assert.ok(code === 1 || code === 3)
  assert.ok(said.includes(`would be deferred, ${status}: ${ascii(text ?? 'nothing')}`), said)
  return [`${domain} deferred, ${status}: ${text}`]
}

/** Explain says which hosts are refused before anybody connects, why, and whether TLS is a must. @returns what the log must have */
function assertExplained({ domain }: Scenario, { code, told, lines }: Foretold, { result }: Attempt): string[] {
  const said = unwrapped(lines)
  for (const { verdict, sessions } of told.hosts) {
    assert.equal(sessions, null, 'explain connects to nobody')
    assert.ok(said.includes(ascii(`${verdict.because.text}. ${verdict.because.source}`)), said)
  }
  const { action, hosts, status, text } = told.result
  if (action !== 'try') {
    assert.deepEqual([action, status], ['defer', result.status === 'deferred' ? result.code : result.status])
    assert.ok(said.includes(`would be deferred, ${status}: ${ascii(text ?? 'nothing')}`), said)
    return [`${domain} deferred, ${status}: ${text}`, ...refusals(told, domain)]
  }
  assert.equal(code, 0)
  assert.ok(said.includes(`would be tried at ${hosts[0]}`), said)
  if (result.status !== 'delivered') return refusals(told, domain)
  const used = told.hosts.find(({ name }) => name === `${result.host}.${domain}`)
  assert.ok(used !== undefined && hosts.includes(used.name))
  if (used.verdict.terms?.tls === 'required') assert.notEqual(result.level, 'clear text')
  return refusals(told, domain)
}

function refusals({ hosts }: Told, domain: string): string[] {
  const refused = hosts.filter(({ verdict }) => verdict.action === 'skip')
  return refused.map(
    ({ name, verdict: { because } }) => `refused ${name} for ${domain}: ${because.text}. ${because.source}. `,
  )
}

/** Text is in US-ASCII, the log is not. */
function ascii(text: string): string {
  return text.replaceAll('…', '...')
}

/** The lines as one, with single spaces: text is broken to fit 80 columns. */
function unwrapped(lines: string): string {
  return lines.replace(/\s+/g, ' ')
}
