/**
 * REQUIRETLS at reception: offered over TLS, read from MAIL, kept with the message, and not handed to anybody who would not
 * keep it (RFC 8689 §2, §4.1).
 *
 * @module
 */

import DSN from 'haraka-dsn'
import type { Connection, Dsn } from '../runtime/haraka'
import { markRequireTls, readRequireTls, markedTlsRequest } from '../lib/requiretls'

/** Only over TLS: what is offered in clear text may be anybody's word. */
export function offerRequireTls(connection: Connection): void {
  if (connection.tls.enabled) connection.capabilities.push('REQUIRETLS')
}

/**
 * Reads REQUIRETLS from the MAIL command, and marks the message.
 *
 * It is marked also where the command is refused: another plugin may override a denial, and no request for TLS is lost
 * by that.
 *
 * @param isOffered - `requiretls`
 * @returns why the command is refused; undefined: it is not
 */
export function readMail(connection: Connection, isOffered: boolean): Dsn | undefined {
  const { tls, current_line, transaction } = connection
  const parameter = readRequireTls(current_line)
  if (parameter === 'absent' || transaction === null) return undefined
  markRequireTls(transaction.notes)
  if (!isOffered) return DSN.create(555, 'REQUIRETLS is not supported here', 5, 4)
  if (!tls.enabled) return DSN.create(530, 'REQUIRETLS needs TLS: STARTTLS first', 7, 10)
  if (parameter === 'repeated') return DSN.create(501, 'REQUIRETLS is there more than once', 5, 4)
  return parameter === 'with-value' ? DSN.create(501, 'REQUIRETLS takes no value', 5, 4) : undefined
}

/** REQUIRETLS belongs to MAIL: a client that says it of a recipient expects something that we do not do. */
export function readRcpt({ current_line }: Connection): Dsn | undefined {
  if (readRequireTls(current_line) === 'absent') return undefined
  return DSN.create(555, 'REQUIRETLS is a parameter of MAIL', 5, 4)
}

/** Plugins of Haraka at `queue` that queue nothing, keep what they get on this machine, or leave it to Haraka's own queue. */
const harmless: ReadonlySet<string> = new Set([
  ...['block_me', 'graph', 'karma', 'known-senders', 'tarpit', 'watch'],
  ...['discard', 'quarantine', 'test'],
  ...['deliver', 'lmtp'],
])

/**
 * Before a message that requires TLS is queued: it may come to a plugin that hands it on by itself, past all that
 * is checked here. Which one will take it shows only when it has.
 *
 * @param finalDelivery - `final-delivery`: plugins beyond which no SMTP follows
 * @returns why the message is refused; undefined: it is not
 */
export function refuseToQueueElsewhere(connection: Connection, finalDelivery: readonly string[]): Dsn | undefined {
  if (markedTlsRequest(connection.transaction?.notes) !== 'requiretls') return undefined
  const declared = new Set([...harmless, ...finalDelivery.map(shortName)])
  const elsewhere = connection.hooks_to_run.find(([{ name }]) => !isOurs(name) && !declared.has(shortName(name)))
  if (elsewhere === undefined) return undefined
  const [{ name }] = elsewhere
  return DSN.create(550, `REQUIRETLS cannot be promised beyond ${name}, which takes mail from here`, 7, 30)
}

function isOurs(name: string): boolean {
  return /^(haraka-plugin-)?outbound-tls(\/|$)/.test(name)
}

/** "queue/smtp_forward" and "haraka-plugin-karma", as people call them. */
function shortName(name: string): string {
  return name.toLowerCase().replace(/^(queue\/|haraka-plugin-)/, '')
}
