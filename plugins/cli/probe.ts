/**
 * `outbound-tls probe DOMAIN`: what explain shows, and a live session with every host.
 *
 * @module
 */

import { createTlsOptions, dial, type ProbeTerms } from '../lib/delivery'
import type { Answer, Call, Command } from './command'
import { answerWith } from './explain'
import type { Evidence } from './explain/gather'
import { MESSAGE_OPTIONS } from './explain/message'
import { probe as probeHosts } from './explain/outlook'
import { readTrustAnchors } from './instance'

export const probe: Command = {
  name: ['probe'],
  operands: ['DOMAIN'],
  summary: 'a live session with every host of a domain; nothing is mailed',
  description: [
    'Shows what explain shows, then opens a session with every host as a delivery would: over IPv4 and over IPv6, ' +
      'greeting, EHLO, STARTTLS, handshake, judgement of the certificate, EHLO, QUIT. Says where a delivery would ' +
      'have handed the message over, or why nowhere. No message is sent, and nothing is changed.',
    'Exits with 0 where the message would be handed over, with 1 where it would not, and with 3 where that is only ' +
      'because of lookups that failed.',
  ],
  examples: [
    ['probe example.org', 'every host of example.org'],
    ['probe example.org --json', 'the same for a program, with the whole conversation'],
    ['probe example.org --route relay.example.com:587', 'the host that another plugin sends it to'],
  ],
  options: MESSAGE_OPTIONS,
  run: runProbe,
}

function runProbe(call: Call): Promise<Answer> {
  const { progress } = call.world
  const tell = (done: number, of: number) => progress(`Talking to mail servers, ${done} of ${of} done ...`)
  return answerWith(call, (evidence) => probeHosts(evidence, termsOf(evidence), tell))
}

function termsOf({ instance, answers, isLocal, known }: Evidence): ProbeTerms {
  const { folder, sending } = instance
  const { helo, timeout, ciphers } = sending
  const client = { mutual: false, ...(ciphers === undefined ? {} : { ciphers }) }
  const tlsOptionsFor = createTlsOptions(client, (file) => readTrustAnchors(folder, file))
  const findKnown = (host: string) => Promise.resolve(known.get(host))
  return { lookup: answers.lookup, tlsOptionsFor, findKnown, helo, timeout, isLocal, dial }
}
