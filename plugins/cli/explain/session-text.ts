/**
 * What a session of a probe has shown, for people.
 *
 * @module
 */

import { sessionLine, type SmtpExchange, type Session, type Starttls } from '../../lib/delivery'
import { inAscii, printable } from '../text'
import { describeCertificate } from './certificate'
import type { Row } from './rows'

export function sessionRows({ target, verdict, met }: Session): readonly Row[] {
  if (met.status === 'unreachable')
    return [['connection', say(`${met.because.text}: ${met.detail} (${met.because.source})`)]]
  const { opening, exchanges } = met
  const end: Row =
    opening.status === 'open'
      ? ['open', say(sessionLine(target, verdict, opening))]
      : ['refused', say(`${opening.because.text}. ${opening.because.source}`)]
  return [...exchanges.flatMap(exchangeRows), ...tlsRows(opening.starttls), end]
}

/** The conversation, without what was said over TLS: that is as before. */
function exchangeRows({ command, reply, tls }: SmtpExchange): readonly Row[] {
  if (tls || command === 'QUIT') return []
  const verb = command === undefined ? 'greeting' : (command.split(' ', 1)[0] ?? '')
  return [[verb, say(shortReply(reply))]]
}

/** Longer ones are cut: a server may list whatever it likes. */
const LONGEST = 400

/** "250 mx1.example.org, PIPELINING, STARTTLS". */
function shortReply(reply: string): string {
  const lines = reply.split(/\r?\n/).filter((line) => line !== '')
  if (lines.length === 0) return 'no answer'
  const rest = lines.slice(1).map((line) => line.replace(/^\d{3}[ -]/, ''))
  const text = [lines[0]?.replace(/^(\d{3})-/, '$1 '), ...rest].join(', ')
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text
}

function tlsRows(starttls: Starttls): readonly Row[] {
  if (starttls.status !== 'done') return []
  const { protocol, cipher, keyExchange } = starttls.peer
  const chain = starttls.peer.chain()
  const { pkix, dane } = starttls.judgement
  const exchange = keyExchange === undefined ? '' : `, key exchange ${keyExchange}`
  const validity =
    pkix.status === 'valid' ? 'valid' : pkix.status === 'invalid' ? `not valid: ${pkix.text}` : 'not needed'
  const rows: Row[] = [['TLS', say(`${protocol}, ${cipher}${exchange}`)]]
  rows.push(...chain.slice(0, MOST_CERTIFICATES).flatMap(certificateRows))
  if (chain.length > MOST_CERTIFICATES) rows.push(['', `and ${chain.length - MOST_CERTIFICATES} more`])
  rows.push(['PKIX', say(validity)])
  if (dane !== undefined)
    rows.push(['DANE', say(dane.status === 'matched' ? (starttls.judgement.proof ?? 'matched') : dane.text)])
  return rows
}

const MOST_CERTIFICATES = 5
const UNKNOWN = 'an unknown time'

function certificateRows(der: Uint8Array, index: number): readonly Row[] {
  const { subject, issuer, names, validFrom, validTo, tlsa } = describeCertificate(der)
  const label = index === 0 ? 'presents' : `issuer ${index}`
  if (subject === undefined) return [[label, 'one that cannot be read']]
  const dates = `valid from ${validFrom ?? UNKNOWN} to ${validTo ?? UNKNOWN}`
  const rows: Row[] = [[label, say(cut(`${subject === '' ? 'without a subject' : subject}, ${dates}`))]]
  if (index > 0) return rows
  if (names !== undefined) rows.push(['names', say(cut(names))])
  rows.push(['issued by', say(cut(issuer ?? ''))], ['as TLSA', say(tlsa)])
  return rows
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text
}

/** Words that no line could hold are broken: they are a stranger's, and nobody copies them. */
function say(text: string): string {
  return printable(inAscii(text)).replace(/[^ ]{65}(?=[^ ])/g, '$& ')
}
