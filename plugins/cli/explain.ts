/**
 * `outbound-tls explain DOMAIN`: what a delivery to a domain would know, and what it would do.
 *
 * @module
 */

import type { Session } from '../lib/delivery'
import type { Answer, Call, Command, ExitCode } from './command'
import { adviseOn } from './explain/advice'
import { withEvidence, type Evidence } from './explain/gather'
import { explanationJson } from './explain/json'
import { MESSAGE_OPTIONS, readMessage } from './explain/message'
import { outlookOf, type Outlook } from './explain/outlook'
import { explanationLines } from './explain/text'
import { openInstanceOrDefaults } from './instance'

export const explain: Command = {
  name: ['explain'],
  operands: ['DOMAIN'],
  summary: 'what would become of mail for a domain, and why',
  description: [
    'Looks up what a delivery to a domain would look up, decides as it would, and shows all of it: the settings and ' +
      'which rule set each, MX records and addresses with their DNSSEC status, TLSA records, the MTA-STS policy, ' +
      'the verdict for each host with its RFC section, and what would make it better.',
    'No mail server is connected to: for that there is probe. Nothing is changed, also not in the policy cache. ' +
      'Without a Haraka instance the default settings apply.',
    'Exits with 0 where a delivery would try at least one host, with 1 where it would try none, and with 3 where ' +
      'that is only because of lookups that failed.',
  ],
  examples: [
    ['explain example.org', 'mail for example.org, with the settings of the instance here'],
    ['explain example.org -c /etc/haraka --sender jane@example.com', 'from a certain sender, which rules may ask for'],
    ['explain example.org --retry-num 1 --last-error tls', 'a second attempt, after one that failed because of TLS'],
    ['explain example.org --route relay.example.com:587 --credentials', 'through a relay with a password'],
  ],
  options: MESSAGE_OPTIONS,
  run: runExplain,
}

function runExplain(call: Call): Promise<Answer> {
  return answerWith(call, (evidence) => Promise.resolve({ outlook: outlookOf(evidence) }))
}

/** What was found out about a domain, with the evidence for it. */
interface Found {
  readonly outlook: Outlook
  /** undefined: nothing was connected */
  readonly sessions?: readonly Session[]
}

/** The answer of explain and probe. */
export async function answerWith(call: Call, look: (evidence: Evidence) => Promise<Found>): Promise<Answer> {
  const message = readMessage(call)
  if ('problems' in message) return message
  const instance = await openInstanceOrDefaults(call)
  if ('problems' in instance) return instance
  return withEvidence<Answer>(call.world, instance, message, async (evidence) => {
    const { outlook, sessions } = await look(evidence)
    const advice = adviseOn(evidence, sessions ?? [])
    return {
      code: exitCodeOf(outlook),
      lines: explanationLines(call.world.paint, evidence, outlook, advice, sessions),
      json: explanationJson(evidence, outlook, advice, sessions),
    }
  })
}

/** 0: it would be delivered, or tried; 3: it would not, and nothing but lookups that failed is why. */
function exitCodeOf(outlook: Outlook): Extract<ExitCode, 0 | 1 | 3> {
  if (outlook.action === 'try' || outlook.action === 'deliver') return 0
  return outlook.lookupFailed ? 3 : 1
}
