/**
 * Carries a scenario out in the private internet, and tells what became of the message: who has it at the far end, and what the log says of it.
 *
 * @module
 */
import type { Ini } from '../e2e/instance.ts'
import type { Outcome } from '../e2e/outcome.ts'
import type { Message } from '../internet/mail-session.ts'
import type { Submission } from '../e2e/submission.ts'
import { assertNothingInClear, type InternetOptions, type PrivateInternet } from '../internet/index.ts'
import type { Expectation, Scenario } from './scenarios.ts'
import { reporter } from './reports.ts'
import { levelIn, storyOf } from './story.ts'

/** One attempt to deliver the scenario's message. */
export interface Attempt {
  readonly result: Result
  /** what the log says of it, host by host, without what every line has in common */
  readonly story: readonly string[]
}

export type Result =
  | { readonly status: 'delivered'; readonly host: string; readonly level: string }
  | { readonly status: 'deferred' | 'bounced'; readonly code: string }
  | { readonly status: 'unexpected'; readonly text: string }

/** What the private internet of the scenarios needs. */
export function optionsFor(scenarios: readonly Scenario[], main: Ini[string] = {}): InternetOptions {
  return {
    settings: { main: { requiretls: true, ...main }, ...rulesOf(scenarios) },
    haraka: { tls: true, plugins: ['static-routes', 'outbound-tls', 'outbound-tls/plugins/report'], config: reporter },
  }
}

/** The rules of all scenarios, one for each domain that has one. */
function rulesOf(scenarios: readonly Scenario[]): Ini {
  const rules = scenarios.flatMap(({ domain, rule }) =>
    rule === undefined ? [] : [[`rule:${domain}`, { 'if-rcpt-domain': [domain], ...rule }] as const],
  )
  return Object.fromEntries(rules)
}

/** Brings all destinations into being. */
export async function declare(net: PrivateInternet, scenarios: readonly Scenario[]): Promise<void> {
  for (const { domain, is, hosts, addresses } of scenarios) {
    net.domain(domain, is)
    declareHosts(net, domain, hosts)
    if (addresses !== undefined) declareAddresses(net, `mx1.${domain}`, addresses)
  }
  await net.ready()
  net.haraka.setRoutes(Object.fromEntries(scenarios.flatMap((scenario) => routeOf(net, scenario))))
}

function declareHosts(net: PrivateInternet, domain: string, hosts: Scenario['hosts'] = {}): void {
  for (const [host, options] of Object.entries(hosts)) net.server(`${host}.${domain}`, options)
}

/** Several servers under one name. */
function declareAddresses(net: PrivateInternet, name: string, behaviours: NonNullable<Scenario['addresses']>): void {
  const identity = net.certificates.identity(name, 'leaf')
  const servers = behaviours.map((behaviour, index) => net.server(`at${index}.${name}`, behaviour))
  for (const server of servers) server.behave({ identity })
  net.server(name, { dns: { A: servers.map(({ address }) => address) } })
}

function routeOf(net: PrivateInternet, { domain, relay }: Scenario): [string, object][] {
  if (relay === undefined) return []
  const name = `${relay.host}.${domain}`
  const { address, port } = net.server(name)
  return [[domain, { exchange: address, from_dns: name, port, auth_user: relay.user, auth_pass: relay.password }]]
}

/** Sends one message, tries it again as often as the scenario expects, and sends others where it says so. */
export async function run(net: PrivateInternet, scenario: Scenario): Promise<Attempt[]> {
  const attempts: Attempt[] = []
  let outcome: Outcome | undefined
  for (const { again, changed } of scenario.expect) {
    const since = net.haraka.log.lines.length
    declareHosts(net, scenario.domain, changed)
    outcome =
      outcome === undefined || again === true
        ? await net.haraka.send(submissionFor(scenario))
        : await net.haraka.retry(outcome)
    const { uuid } = outcome
    const recorded = `outcome for ${scenario.domain} at `
    const lines = net.haraka.log.lines.slice(since).filter((line) => line.includes(uuid) || line.includes(recorded))
    attempts.push({ result: resultOf(net, scenario, outcome, lines), story: storyOf(scenario.domain, lines) })
    if (outcome.deferred.length === 0 && scenario.expect[attempts.length]?.again !== true) break
  }
  return attempts
}

function submissionFor({ domain, wish }: Scenario): Submission {
  const to = `you@${domain}`
  if (wish === 'requiretls') return { to, tls: true, parameters: ['REQUIRETLS'] }
  return wish === 'tls-required-no' ? { to, headers: { 'TLS-Required': 'No' } } : { to }
}

/** What the far end has counts; the log only adds what it cannot know. */
function resultOf(net: PrivateInternet, scenario: Scenario, outcome: Outcome, lines: readonly string[]): Result {
  const received = messagesOf(net, scenario)
  const { fate, status = 'none' } = outcome.recipients[`you@${scenario.domain}`] ?? {}
  if (fate === 'delivered') {
    const [last] = received.slice(-1)
    if (last === undefined) return { status: 'unexpected', text: 'said to be delivered, but no host has it' }
    const level = last.message.tls ? levelIn(lines) : 'clear text'
    return { status: 'delivered', host: last.host, level }
  }
  const leak = received.length > 0 ? 'a host has the message all the same' : leakOf(net, scenario)
  if (leak !== undefined) return { status: 'unexpected', text: leak }
  return fate === undefined ? { status: 'unexpected', text: 'nothing' } : { status: fate, code: status }
}

function messagesOf(net: PrivateInternet, scenario: Scenario): { host: string; message: Message }[] {
  return hostsOf(scenario).flatMap((host) =>
    net
      .server(`${host}.${scenario.domain}`)
      .messages.map((message) => ({ host: host.replace(/^at\d\./, ''), message })),
  )
}

function hostsOf({ is, hosts = {}, addresses = [] }: Scenario): string[] {
  const servers = addresses.map((_, index) => `at${index}.mx1`)
  return [...new Set([...(is?.mx ?? ['mx1']), ...Object.keys(hosts), ...servers])]
}

/** A deferred message must have left nothing in clear text, no sender and no password. */
function leakOf(net: PrivateInternet, scenario: Scenario): string | undefined {
  try {
    for (const host of hostsOf(scenario)) assertNothingInClear(net.server(`${host}.${scenario.domain}`))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Whether an attempt came to what was expected of it. */
export function isAsExpected(attempt: Attempt | undefined, expected: Expectation): boolean {
  if (attempt === undefined) return false
  const { result, story } = attempt
  const because = story.some((line) => line.includes(expected.because))
  if ('deferred' in expected) return because && result.status === 'deferred' && result.code === expected.deferred
  if ('bounced' in expected) return because && result.status === 'bounced' && result.code === expected.bounced
  const { delivered, level } = expected
  return because && result.status === 'delivered' && result.host === delivered && result.level === level
}
