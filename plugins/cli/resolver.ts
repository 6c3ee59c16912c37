/**
 * `outbound-tls resolver`: whether the name servers validate DNSSEC, each by itself.
 *
 * @module
 */

import { createDnsResolver, type NameServers } from '../lib/delivery'
import { describeServer, type ResolverHealth, type ServerHealth } from '../lib/dns'
import { nameServersHere } from '../runtime/runtime'
import { resolverView } from '../views'
import type { Answer, Call, Command, Paint } from './command'
import { openInstanceOrDefaults } from './instance'
import { columns, printable, wrap } from './text'

export const resolver: Command = {
  name: ['resolver'],
  operands: [],
  summary: 'whether the name servers validate DNSSEC, each by itself',
  description: [
    'Asks each name server for names that are known to be signed, as workers do when they start and every hour. An ' +
      'answer must come with the AD bit; without a resolver that validates there is no DANE.',
    'Exits with 0 where every server validates and is believed, else with 1, and with 3 where none answered.',
  ],
  examples: [
    ['resolver', 'the name servers of the instance here, or of /etc/resolv.conf'],
    ['resolver --json -c /etc/haraka', 'the same for a program, of the instance in /etc/haraka'],
  ],
  run: testResolver,
}

async function testResolver(call: Call): Promise<Answer> {
  const instance = await openInstanceOrDefaults(call)
  if ('problems' in instance) return instance
  const { dns } = instance.settings
  const nameServers = nameServersHere(dns)
  const tested = createDnsResolver(dns, nameServers)
  call.world.progress('Testing the name servers ...')
  try {
    const health = await tested.selfTest()
    const code = health.servers.some(({ answered }) => answered) ? (passed(health) ? 0 : 1) : 3
    const json = {
      schema: 1,
      instance: instance.folder ?? null,
      passed: passed(health),
      ...resolverJson(health, nameServers),
    }
    return { code, lines: linesOf(call.world.paint, health, nameServers), json }
  } finally {
    tested.close()
  }
}

/** The name servers for programs, as explain, probe and resolver have them. */
export function resolverJson(
  health: ResolverHealth,
  { because, explicit, selfTestNames }: NameServers,
): Readonly<Record<string, unknown>> {
  const servers = health.servers.map((one) => ({ ...one, server: describeServer(one.server) }))
  return { ...resolverView({ ...health, servers }), because, explicit, selfTest: selfTestNames }
}

/** A server that does not answer does not end DANE, but has not passed. */
function passed({ validates, secureAnswers }: ResolverHealth): boolean {
  return validates && secureAnswers
}

function linesOf(paint: Paint, health: ResolverHealth, nameServers: NameServers): readonly string[] {
  const { trustAd, because, explicit, selfTestNames } = nameServers
  const advice = adviceOf(health, nameServers)
  return [
    ...columns(
      [
        ['name servers', explicit ? 'of [dns] resolver[]' : 'of /etc/resolv.conf'],
        ['tested with', selfTestNames.map(printable).join(', ')],
        ['AD bit', printable(`${trustAd ? 'believed' : 'not believed'}: ${because}`)],
      ],
      0,
    ),
    ...health.servers.flatMap((server) => ['', ...serverLines(paint, server)]),
    '',
    health.secureAnswers ? paint('green', 'DANE is possible.') : paint('red', 'DANE is not possible.'),
    ...(advice === undefined ? [] : wrap(advice)),
  ]
}

function serverLines(paint: Paint, { server, validates, answered, text }: ServerHealth): readonly string[] {
  const seen = text.slice(describeServer(server).length + 2).split('; ')
  const [style, word] = validates
    ? (['green', 'validates'] as const)
    : answered
      ? (['red', 'does not validate'] as const)
      : (['yellow', 'no answer'] as const)
  return [
    `${printable(describeServer(server))}: ${paint(style, word)}`,
    ...seen.flatMap((line) => wrap(printable(line), '  ')),
  ]
}

function adviceOf(health: ResolverHealth, { trustAd }: NameServers): string | undefined {
  if (passed(health)) return undefined
  if (!trustAd)
    return (
      'Run a resolver that validates DNSSEC on this machine and name it in [dns] resolver[]; or set trust-ad = true ' +
      'where nobody can get between this machine and its resolver.'
    )
  if (health.servers.some(({ answered, validates }) => answered && !validates))
    return 'Have every server validate DNSSEC, or name only those in [dns] resolver[] that do.'
  return 'Nothing was seen that speaks against the servers, but some had no answer to the test.'
}
