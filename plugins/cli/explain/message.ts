/**
 * The message that is asked about: where it goes, and what the rules may ask about it.
 *
 * @module
 */

import { isIP } from 'node:net'
import type { StaticHost } from '../../lib/delivery'
import { toAsciiDomain } from '../../lib/dns'
import type { DeliveryFacts, LastError } from '../../lib/settings'
import type { Call, Option, Problem } from '../command'
import { printable } from '../text'

/** Why an attempt may have failed. */
const LAST_ERRORS = ['dns', 'connection', 'tls', 'dane', 'mta-sts', 'smtp'] as const satisfies readonly LastError[]

export const MESSAGE_OPTIONS = {
  sender: {
    type: 'string',
    value: 'ADDRESS',
    help: 'its envelope sender, <> for a bounce; default: one no rule names',
  },
  'retry-num': { type: 'string', value: 'N', help: 'how many attempts were made already; default: 0' },
  'last-error': {
    type: 'string',
    multiple: true,
    value: 'WORD',
    values: LAST_ERRORS,
    help: 'why the last one failed: dns, connection, tls, dane, mta-sts or smtp; may be repeated',
  },
  route: {
    type: 'string',
    value: 'HOST[:PORT]',
    help: 'the host that another plugin sends it to, as smtp_forward does; HOST[ADDRESS]:PORT as in the log',
  },
  requiretls: { type: 'boolean', help: 'the message requires TLS (RFC 8689)' },
  'tls-required-no': { type: 'boolean', help: 'the message has the header "TLS-Required: No" (RFC 8689)' },
  credentials: { type: 'boolean', help: 'with --route: there is a user and a password for this host' },
} as const satisfies Readonly<Record<string, Option>>

export interface Message {
  readonly facts: DeliveryFacts
  /** undefined: the hosts are found in DNS */
  readonly route: StaticHost | undefined
  /** what the message itself asks for; REQUIRETLS wins (Q7) */
  readonly request: 'requiretls' | 'tls-required-no' | undefined
}

/** No rule can name it. */
export const ANY_SENDER = '*'

/** Reads the operand and the options. */
export function readMessage({ operands, options }: Pick<Call, 'operands' | 'options'>): Message | Problem {
  const recipientDomain = readDomain(operands[0] ?? '')
  if (recipientDomain === undefined) return wrong(operands[0] ?? '', 'is no domain name')
  const sender = readSender(textOf(options.sender))
  if (sender === undefined) return wrong(textOf(options.sender) ?? '', 'is no address; the null sender is <>')
  const retryNumber = /^\d{1,6}$/.exec(textOf(options['retry-num']) ?? '0')?.[0]
  if (retryNumber === undefined) return wrong(textOf(options['retry-num']) ?? '', 'is no number of attempts')
  const given = (options['last-error'] ?? []) as readonly string[]
  const lastErrors = LAST_ERRORS.filter((word) => given.includes(word))
  const unknown = given.find((word) => !lastErrors.some((known) => known === word))
  if (unknown !== undefined) return wrong(unknown, `is none of ${LAST_ERRORS.join(', ')}`)

  const named = textOf(options.route)
  const route = named === undefined ? undefined : readRoute(named, options.credentials === true)
  if (named !== undefined && route === undefined) return wrong(named, 'is no host, HOST:PORT or HOST[ADDRESS]:PORT')
  if (named === undefined && options.credentials === true)
    return { code: 2, problems: ['credentials go to the host of a route only: say which, with --route'] }
  return {
    facts: {
      recipientDomain,
      ...sender,
      retryNumber: Number(retryNumber),
      lastErrors: new Set(lastErrors),
      route: route === undefined ? 'mx' : 'static',
    },
    route,
    request:
      options.requiretls === true ? 'requiretls' : options['tls-required-no'] === true ? 'tls-required-no' : undefined,
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A domain as A-labels, or an address literal as it is. */
function readDomain(text: string): string | undefined {
  const literal = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(text)?.[1]
  return literal !== undefined && isIP(literal) !== 0 ? text : toAsciiDomain(text)
}

function readSender(text: string | undefined): Pick<DeliveryFacts, 'sender' | 'senderDomain'> | undefined {
  if (text === undefined) return { sender: ANY_SENDER, senderDomain: ANY_SENDER }
  const bare = text.replace(/^<(.*)>$/, '$1')
  if (bare === '') return { sender: '', senderDomain: '' }
  const at = bare.lastIndexOf('@')
  const senderDomain = bare.slice(at + 1)
  return at > 0 && readDomain(senderDomain) !== undefined ? { sender: bare, senderDomain } : undefined
}

/** "relay.example.org", with its address and port where they are given. IPv6 needs brackets. */
function readRoute(text: string, credentials: boolean): StaticHost | undefined {
  const [, host, address, literal, digits] =
    /^(?:([^\s:[\]]+)(?:\[([^\]]+)\])?|\[([^\]]+)\])(?::(\d{1,5}))?$/.exec(text) ?? []
  const name = host ?? literal ?? ''
  const port = Number(digits ?? 25)
  if (isIP(name) === 0 && (host === undefined || toAsciiDomain(host) === undefined)) return undefined
  if (address !== undefined && isIP(address) === 0) return undefined
  return port > 0 && port <= 65535 ? { name, address, port, credentials } : undefined
}

function wrong(text: string, what: string): Problem {
  return { code: 2, problems: [`"${printable(text.slice(0, 300))}" ${what}`] }
}
