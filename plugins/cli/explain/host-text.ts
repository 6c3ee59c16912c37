/**
 * One host for people: what DNS says of it, its verdict, and what a probe has seen.
 *
 * @module
 */

import { presentTlsa } from '../../lib/dane'
import { waiver, type PlannedHost, type Session } from '../../lib/delivery'
import type { AttemptVerdict, Proof, Reason, Verdict } from '../../lib/policy'
import { isoTime } from '../../lib/time'
import type { Paint, Style } from '../command'
import { columns, inAscii, printable } from '../text'
import { preferenceOf, securityOf } from './dns-view'
import type { Evidence } from './gather'
import { isCuriosity } from './outlook'
import { sessionRows } from './session-text'
import { differingSettings } from './settings'
import { settingRow, type Row } from './rows'

/** @param sessions - of all hosts; undefined: nothing was connected */
export function hostLines(
  paint: Paint,
  evidence: Evidence,
  host: PlannedHost,
  sessions: readonly Session[] = [],
): readonly string[] {
  const preference = preferenceOf(evidence, host.name)
  const rank = preference === undefined ? '' : `, preference ${preference}`
  const { verdict } = host
  const others = differingSettings(verdict.settings, evidence.settings, evidence.instance.settings)
  return [
    `${paint('bold', printable(host.name))}, port ${host.port}${rank}`,
    ...columns([
      ...addressRows(evidence, host),
      ...tlsaRows(host),
      ...knownRows(evidence, host),
      ...others.map(settingRow),
    ]),
    ...inColour(paint, verdict.action === 'skip' ? 'red' : 'green', columns(verdictRows(verdict))),
    ...sessions
      .filter(({ target }) => target.host === host)
      .flatMap((session) => [sessionHeading(paint, session), ...columns(sessionRows(session), 4)]),
  ]
}

function inColour(paint: Paint, style: Style, [first = '', ...others]: readonly string[]): readonly string[] {
  return [paint(style, first), ...others]
}

function addressRows(evidence: Evidence, { name, evidence: { addresses } }: PlannedHost): readonly Row[] {
  if (addresses.status !== 'found') return [['address', printable(`${addresses.status}: ${addresses.text}`)]]
  return addresses.addresses.map((address, index): Row => {
    const security = securityOf(evidence, name, address)
    const local = evidence.isLocal(address) ? ', this very machine' : ''
    return [index === 0 ? 'address' : '', `${address} (${security ?? 'not from DNS'}${local})`]
  })
}

const WITHOUT_TLSA = {
  'address-insecure': 'not looked up: the address is not signed, so that no TLSA record counts',
  absent: 'none',
  insecure: 'not signed, so that they do not count',
  'ip-address': 'not looked up: the host is an address',
  'not-looked-up': 'not looked up',
} as const

/** More are counted. */
const MOST_RECORDS = 12

function tlsaRows({ evidence: { tlsa } }: PlannedHost): readonly Row[] {
  if (tlsa.status === 'none') return [['TLSA', WITHOUT_TLSA[tlsa.why]]]
  if (tlsa.status === 'failed')
    return [['TLSA', printable(`${tlsa.name}: lookup failed (${tlsa.failure.class}): ${tlsa.failure.text}`)]]
  const whyUnusable = new Map(tlsa.unusable.map(({ record, why }) => [record, why]))
  const rows = tlsa.records.slice(0, MOST_RECORDS).map((record): Row => {
    const why = whyUnusable.get(record)
    return ['', printable(inAscii(`${presentTlsa(record)} ${why === undefined ? 'usable' : `unusable: ${why}`}`))]
  })
  const more = tlsa.records.length - rows.length
  return [
    ['TLSA', printable(`${tlsa.queryName}, secure`)],
    ...rows,
    ...(more > 0 ? [['', `and ${more} more`] as const] : []),
  ]
}

function knownRows({ known }: Evidence, { name }: PlannedHost): readonly Row[] {
  return (known.get(name) ?? []).map(({ flaw, firstSeen }, index): Row => {
    return [index === 0 ? 'known' : '', `an invalid certificate (${flaw}), accepted since ${isoTime(firstSeen)}`]
  })
}

function verdictRows(verdict: Verdict): readonly Row[] {
  const because = reasonText(verdict.because)
  if (verdict.action === 'skip') {
    return [
      ['verdict', `not to be tried, ${verdict.because.status}`],
      ['because', because],
    ]
  }
  const rows: Row[] = [
    ['verdict', termsText(verdict)],
    ['because', because],
  ]
  if (verdict.serverName !== undefined) rows.push(['SNI', printable(verdict.serverName)])
  if (verdict.wouldSkip !== undefined) rows.push([waiver(verdict), 'tried although it would be refused'])
  else if (verdict.audit) rows.push([waiver(verdict), 'delivered to, whatever it proves'])
  if (verdict.warning !== undefined) rows.push(['warning', printable(inAscii(verdict.warning))])
  return rows
}

const TLS = { none: 'clear text', opportunistic: 'TLS where it is offered', required: 'TLS required' } as const
const PROOF = { pkix: 'is valid for its name', dane: 'its TLSA records match' } as const satisfies Record<Proof, string>

function termsText(verdict: AttemptVerdict): string {
  const { proofs, leniency, isWaivedNext, clearTextAfterFailure, clearTextWithoutStarttls } = verdict
  const tls = verdict.audit && verdict.tls === 'required' ? 'opportunistic' : verdict.tls // nothing is refused
  if (tls === 'none') return TLS.none
  const next = isWaivedNext ? ' (known ones and a retry need not: relax-after-tls-failure)' : ''
  const waived = leniency === undefined ? next : ` (${leniency})`
  const clear = clearTextAfterFailure
    ? 'clear text if that is not offered or fails'
    : clearTextWithoutStarttls
      ? 'clear text if that is not offered'
      : 'never in clear text'
  return `${TLS[tls]}, ${certificateText(proofs)}${waived}, ${clear}`
}

function certificateText(proofs: readonly Proof[]): string {
  if (proofs.length === 0) return 'any certificate'
  return `a certificate that ${proofs.map((proof) => PROOF[proof]).join(' and that ')}`
}

export function reasonText({ text, source }: Reason): string {
  return printable(inAscii(`${text}. ${source}`))
}

function sessionHeading(paint: Paint, session: Session): string {
  const { target, met } = session
  if (isCuriosity(session)) return paint('yellow', `  Session with ${target.address}, where no delivery would come to`)
  const isGood = met.status === 'opened' && met.opening.status === 'open'
  const again = target.afterFailure === undefined ? '' : ', once more in clear text'
  return paint(isGood ? 'green' : 'red', `  Session with ${target.address}${again}`)
}
