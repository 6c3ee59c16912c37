/**
 * What is said of certificates that no TLSA record accepts: for those who publish the records, and for the sender.
 *
 * @module
 */

import { selectPublicKey } from './certificate'
import { indexRecords, presentAll, presentTlsa, recordOf, type Selected, type TlsaRecord } from './record'

export interface DaneRefusal {
  readonly status: 'refused'
  readonly why:
    'dane-no-match' | 'certificate-not-trusted' | 'certificate-expired' | 'certificate-host-mismatch' | 'no-certificate'
  /** for people, naming what was presented: "… presented 3 1 1 fd61a03a…" */
  readonly text: string
  /** a record that matches, but does not count: there is one with a stronger digest (RFC 7671 §9) */
  readonly outdone?: { readonly by: TlsaRecord; readonly record: TlsaRecord }
}

export function refuse(why: DaneRefusal['why'], text: string): DaneRefusal {
  return { status: 'refused', why, text }
}

/** A flaw of what a record matches. */
export function describe(text: string, record: TlsaRecord, leaf: Uint8Array): string {
  return `${text} (${presentTlsa(record)}; presented ${presentedDigest(leaf)})`
}

/** A certificate and its public key, as records select them. */
export function select(der: Uint8Array): Selected {
  return [der, selectPublicKey(der)]
}

/**
 * None of the records that count matches (D40).
 *
 * @param usable - all usable records: one that matches may be among those that do not count (K11)
 * @param records - those that count
 */
export function refuseAll(
  usable: readonly TlsaRecord[],
  records: readonly TlsaRecord[],
  [leaf, ...issuers]: readonly [Uint8Array, ...Uint8Array[]],
): DaneRefusal {
  const outdone = findOutdone(usable, records, [leaf, ...issuers])
  if (outdone !== undefined) {
    const [mine, stronger] = [presentTlsa(outdone.record), presentTlsa(outdone.by)]
    const text = `${mine} matches, but does not count beside ${stronger}, a stronger digest (RFC 7671 9), which matches nothing that it presented`
    return { ...refuse('dane-no-match', text), outdone }
  }
  const shown = records.slice(0, MOST_SHOWN)
  const presented = presentedAs(shown, leaf, issuers)
  const texts = presentAll([...shown, ...presented])
  const list = [...texts.slice(0, shown.length), ...(records.length > MOST_SHOWN ? ['…'] : [])].join(', ')
  const held = texts.slice(shown.length).join(', ') || 'no issuer'
  const count = `${records.length} TLSA ${records.length === 1 ? 'record' : 'records'}`
  return refuse('dane-no-match', `none of ${count} matches ${whatIsMatched(records)} (${list}; presented ${held})`)
}

/** As many records, and issuers, are shown. */
const MOST_SHOWN = 4

function findOutdone(
  usable: readonly TlsaRecord[],
  records: readonly TlsaRecord[],
  [leaf, ...issuers]: readonly [Uint8Array, ...Uint8Array[]],
): DaneRefusal['outdone'] {
  const weaker = usable.filter((record) => !records.includes(record))
  const find = (usage: number) => indexRecords(weaker.filter((record) => record.usage === usage))
  const record = [...[leaf].map(select).map(find(3)), ...issuers.map(select).map(find(2))].find((one) => one)
  const by = records.find(({ usage, selector }) => usage === record?.usage && selector === record.selector)
  return record && by && { record, by }
}

function whatIsMatched(records: readonly TlsaRecord[]): string {
  const [daneTa, daneEe] = [2, 3].map((which) => records.some(({ usage }) => usage === which))
  if (daneTa !== true) return 'its certificate'
  return daneEe === true ? 'its certificate or an issuer of it' : 'an issuer of its certificate'
}

/** What was presented, in the form of the records: that is what they can be compared with. */
function presentedAs(
  shown: readonly TlsaRecord[],
  leaf: Uint8Array,
  issuers: readonly Uint8Array[],
): readonly TlsaRecord[] {
  const forms = new Map(shown.map((record) => [[record.usage, record.selector, record.matchingType].join(' '), record]))
  return [...forms.values()].flatMap(({ usage, selector, matchingType }) =>
    (usage === 2 ? issuers.slice(0, MOST_SHOWN) : [leaf]).flatMap((der) => {
      const selected = select(der)[selector]
      return selected === undefined ? [] : [recordOf(usage, selector, matchingType, selected)]
    }),
  )
}

/** "3 1 1 fd61a03a…" of a certificate; "3 0 1 …" where its key cannot be found. For messages. */
export function presentedDigest(der: Uint8Array): string {
  return presentTlsa(recordFor(der))
}

/** The record that one would publish for a certificate: 3 1 1 of its key; 3 0 1 where that cannot be found. */
export function recordFor(der: Uint8Array): TlsaRecord {
  const spki = selectPublicKey(der)
  return recordOf(3, spki === undefined ? 0 : 1, 1, spki ?? der)
}
