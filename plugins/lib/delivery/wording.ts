/**
 * What is said of connections: by the log, for the person who will be woken by it, and by the command. The words are
 * Postfix's: Verified, Trusted, Untrusted.
 *
 * @module
 */

import type { Acquaintance } from '../certificates'
import type { AttemptVerdict, Reason } from '../policy'
import { isoTime } from '../time'
import type { Target } from './course'
import type { Opening } from './opening'

type Opened = Extract<Opening, { status: 'open' }>

export function describeTarget({ host, address }: Target): string {
  return `${host.name}[${address}]:${host.port}`
}

/** The one line about a session that is open. */
export function sessionLine(target: Target, verdict: AttemptVerdict, opening: Opened): string {
  const { starttls, passedOver } = opening
  const audit = passedOver === undefined ? '' : `; ${waiver(verdict)}: would have been refused: ${explain(passedOver)}`
  if (starttls.status !== 'done')
    return `Clear-text connection to ${describeTarget(target)}: ${whyClear(target, verdict, opening)}${audit}`

  const { peer, judgement } = starttls
  const exchange = peer.keyExchange === undefined ? '' : ` key-exchange ${peer.keyExchange}`
  const proof = judgement.proof === undefined ? '' : `, ${judgement.proof}`
  const tolerated = toleratedFault(verdict, opening)
  return (
    `${judgement.level} TLS connection to ${describeTarget(target)}: ${peer.protocol} with cipher ${peer.cipher}${exchange}` +
    `${proof}${tolerated}${verdict.request === 'requiretls' ? ', REQUIRETLS' : ''}${audit} (${judgement.proofSource ?? verdict.because.source})`
  )
}

function whyClear(target: Target, verdict: AttemptVerdict, { starttls }: Opened): string {
  if (target.afterFailure !== undefined)
    return `${target.afterFailure.text}; ${verdict.request === undefined ? 'plaintext-fallback' : waiver(verdict)}`
  if (starttls.status === 'not-offered') return `STARTTLS is not offered; ${verdict.because.text}`
  if (starttls.status === 'refused') return `STARTTLS was refused: ${starttls.reply}; ${verdict.because.text}`
  return verdict.because.text
}

/** What lets a host pass that a policy refuses. */
export function waiver({ request }: AttemptVerdict): string {
  if (request === 'tls-required-no') return 'TLS-Required: No'
  return request === 'tls-report' ? 'TLS report' : 'audit'
}

/** Whether a certificate that is not valid passed only because a setting lets such certificates pass. */
export function isTolerant(verdict: AttemptVerdict, opening: Opened): boolean {
  return toleratedFault(verdict, opening) !== ''
}

/** What was wrong with such a certificate. */
function toleratedFault(verdict: AttemptVerdict, { starttls }: Opened): string {
  if (starttls.status !== 'done') return ''
  const { pkix, known, refusal } = starttls.judgement
  const why = known !== undefined && refusal === undefined ? `known since ${isoTime(known.since)}` : verdict.leniency
  if (why === undefined || pkix.status !== 'invalid') return ''
  return `, certificate not valid (${pkix.text}) but accepted: ${why}`
}

/** What is said where a host is known by another certificate. */
export function otherCertificateLine({ host }: Target, { is, since }: Acquaintance): string | undefined {
  if (is === 'known') return undefined
  const what = is === 'renewed' ? 'a new key with the names and the flaw of' : 'another invalid certificate than'
  return `${host.name} presents ${what} the one known since ${isoTime(since)}`
}

/** The one line about a host that was refused. */
export function refusalLine(host: string, domain: string, because: Reason, next: string): string {
  return `refused ${host} for ${domain}: ${explain(because)}. ${next}.`
}

function explain({ text, source }: Reason): string {
  return `${text}. ${source}`
}
