/** A network for plans: answers by question, and what was asked when. */
import type { Planner } from '../../../dist/lib/delivery/index.js'
import type { Answer, Lookup, RecordType, Security } from '../../../dist/lib/dns/index.js'
import type { StsEvidence } from '../../../dist/lib/mta-sts/index.js'
import type { HostSettings } from '../../../dist/lib/settings/index.js'
import { DOMAIN, RECORD, settings } from '../policy/question.ts'

export type Records = Readonly<Record<string, Answer | undefined>>

export const chain = (name: string, security: Security, canonicalName = name) => ({
  ...{ name, canonicalName, security, ttl: 60_000 },
  aliases: name === canonicalName ? [] : [name],
})
export const failed = (name: string, bogus = false): Answer => {
  const failure = { class: bogus ? 'bogus' : 'server-failure', text: 'SERVFAIL' } as const
  return { status: 'failed', name, failure }
}
export const absent = (name: string, security: Security = 'secure', canonicalName = name): Answer => ({
  ...chain(name, security, canonicalName),
  status: 'absent',
  why: 'nodata',
})
export const mx = (
  records: readonly string[],
  security: Security = 'secure',
  canonicalName = DOMAIN,
): Answer<'MX'> => ({
  ...chain(DOMAIN, security, canonicalName),
  status: 'found',
  records: records.map((text) => {
    const [preference = '', exchange = ''] = text.split(' ')
    return { preference: Number(preference), exchange }
  }),
})
export const a = (name: string, address = '192.0.2.1', security: Security = 'secure'): Answer<'A'> => ({
  ...chain(name, security),
  status: 'found',
  records: [address],
})
export const tlsaAt = (name: string): Answer<'TLSA'> => ({
  ...chain(name, 'secure'),
  status: 'found',
  records: [RECORD],
})

export interface World {
  readonly planner: Planner
  /** what was asked for, one list for each turn of the network */
  readonly rounds: string[][]
}

/** A planner on a network where each answer takes one turn. */
export function world(
  records: Records,
  changes: Partial<Planner> & { readonly settings?: HostSettings; readonly sts?: StsEvidence } = {},
): World {
  const rounds: string[][] = []
  let round: string[] | undefined
  const ask = async <Value>(question: string, answer: Value): Promise<Value> => {
    if (round === undefined) {
      rounds.push((round = []))
      setTimeout(() => (round = undefined), 5)
    }
    round.push(question)
    await new Promise((resolve) => setTimeout(resolve, 20))
    return answer
  }
  const lookup = ((name: string, type: RecordType) =>
    ask(`${name} ${type}`, records[`${name} ${type}`] ?? absent(name))) as Lookup
  const { settings: fixed = settings(), sts: evidence = { status: 'none', text: 'none' }, ...rest } = changes
  const planner: Planner = {
    lookup,
    stsPolicyFor: (name) => ask(`${name} STS`, evidence),
    settingsFor: () => fixed,
    privateHostsHavePolicies: false,
    timeout: 5000,
    givenUp: new Set(),
    mxPort: 25,
    family: 'default',
    random: () => 0,
    mayRelax: false,
    ...rest,
  }
  return { planner, rounds }
}
