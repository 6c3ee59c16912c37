/**
 * Sessions of a probe for programs.
 *
 * @module
 */

import { sessionLine, type Opening, type Session, type Starttls } from '../../lib/delivery'
import type { Reason } from '../../lib/policy'
import { describeCertificate } from './certificate'
import { isCuriosity } from './outlook'

type Json = Readonly<Record<string, unknown>>

export function sessionJson(session: Session): Json {
  const { target, verdict, met } = session
  const { address, afterFailure } = target
  const place = { address, curiosity: isCuriosity(session), secondTry: afterFailure !== undefined }
  const nothing = { starttls: 'not-tried', tls: null, level: null, text: null, because: null, exchanges: [] }
  if (met.status === 'unreachable')
    return { ...place, ...nothing, status: 'unreachable', because: reasonJson(met.because), text: met.detail }
  const { opening, exchanges } = met
  const isOpen = opening.status === 'open'
  return {
    ...place,
    status: opening.status,
    starttls: opening.starttls.status,
    tls: tlsJson(opening.starttls),
    level: isOpen ? levelOf(opening) : null,
    text: isOpen ? sessionLine(target, verdict, opening) : null,
    because: isOpen ? passedOver(opening) : reasonJson(opening.because),
    exchanges: exchanges.map(({ command, reply, tls }) => ({ command: command ?? null, reply, tls })),
  }
}

export function reasonJson({ code, concern, text, source, status }: Reason): Json {
  return { code, concern, text, source, status }
}

function passedOver({ passedOver }: Extract<Opening, { status: 'open' }>): Json | null {
  return passedOver === undefined ? null : reasonJson(passedOver)
}

function levelOf({ starttls }: Opening): string {
  return starttls.status === 'done' ? starttls.judgement.level.toLowerCase() : 'clear-text'
}

function tlsJson(starttls: Starttls): Json | null {
  if (starttls.status !== 'done') return null
  const { peer, judgement } = starttls
  const { protocol, cipher, keyExchange } = peer
  const { pkix, dane, proof } = judgement
  const certificates = peer
    .chain()
    .map(describeCertificate)
    .map((shown) => ({
      subject: shown.subject ?? null,
      issuer: shown.issuer ?? null,
      names: shown.names ?? null,
      validFrom: shown.validFrom ?? null,
      validTo: shown.validTo ?? null,
      tlsa: shown.tlsa,
    }))
  const wrongPkix = pkix.status === 'invalid' ? pkix : undefined
  const wrongDane = dane?.status === 'refused' ? dane : undefined
  return {
    protocol,
    cipher,
    keyExchange: keyExchange ?? null,
    certificates,
    pkix: { status: pkix.status, why: wrongPkix?.why ?? null, text: wrongPkix?.text ?? null },
    dane:
      dane === undefined ? null : { status: dane.status, why: wrongDane?.why ?? null, text: wrongDane?.text ?? null },
    proof: proof ?? null,
  }
}
