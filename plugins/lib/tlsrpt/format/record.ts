/**
 * The TXT record at `_smtp._tls.<policy domain>`: it says who wants reports, and where to (RFC 8460 §3).
 *
 * @module
 */

import { quote } from '../../dns'
import { readUri, type ReportEndpoint } from './endpoint'

/** What the records of a policy domain come to. */
export type TlsrptRecord =
  | {
      readonly status: 'found'
      /** at least one, in the order of the record, none of them twice */
      readonly endpoints: readonly ReportEndpoint[]
      /** for people: what was skipped, or accepted although a stricter reader would not have */
      readonly notes: readonly string[]
    }
  | {
      /** `no-endpoint`: the record is well-formed, but none of its URIs is of use */
      readonly status: 'none' | 'several' | 'malformed' | 'no-endpoint'
      readonly notes: readonly string[]
    }

/** A domain that lists more is after something else than reports (RFC 8460 §7, "Reports as DDoS"). */
const MOST_URIS = 10

// A URI is taken for anything but "," and ";" here: what is wrong inside one of them does not spoil the others (R4)
const URI = /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/
const PRINTABLE = /^[\t\x20-\x7e]*$/ // so that what is trimmed is blanks and tabs
const EXTENSION = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/

/** Where the record of a policy domain is (R1). */
export function tlsrptRecordName(policyDomain: string): string {
  return `_smtp._tls.${policyDomain}`
}

/**
 * Picks and reads the TLSRPT record among the TXT records found at {@link tlsrptRecordName} (R2 to R5).
 *
 * @param records - one string for each record, its character-strings joined without anything between them (R3)
 */
export function readTlsrptRecord(records: readonly string[]): TlsrptRecord {
  // R3: the grammar lets white space stand before the first ";", the prefix in the text does not; we follow the grammar
  const candidates = records.filter((record) => /^v=TLSRPTv1[ \t]*;/.test(record))
  const record = candidates[0]
  if (record === undefined) return { status: 'none', notes: [] }
  if (candidates.length > 1) return { status: 'several', notes: [`${candidates.length} TLSRPT records`] }

  const fields = fieldsOf(record)
  const lists = fields.filter((field) => field.startsWith('rua=')).map(itemsOf)
  const isWellFormed =
    PRINTABLE.test(record) && lists.flat().some((item) => item !== '') && fields.every(isWellFormedField)
  if (!isWellFormed) return { status: 'malformed', notes: [`not a TLSRPT record: ${quote(record)}`] }
  return readLists(lists, [
    ...(record.startsWith('v=TLSRPTv1;') ? [] : ['white space before the first ";"']),
    ...(/;[ \t]*;/.test(record) ? ['an empty field'] : []),
  ])
}

/** What stands between the ";" behind the version; empty fields, which many records have at their end, mean nothing. */
function fieldsOf(record: string): readonly string[] {
  const [, ...fields] = record.split(';').map((field) => field.trim())
  return fields.filter((field) => field !== '')
}

/** `rua` may stand anywhere among the fields (R2); unknown fields are passed over (R5). */
function isWellFormedField(field: string): boolean {
  return field.startsWith('rua=')
    ? itemsOf(field).every((item) => item === '' || URI.test(item))
    : EXTENSION.test(field)
}

/** The items of a `rua` field, the empty ones included. */
function itemsOf(field: string): readonly string[] {
  return field
    .slice('rua='.length)
    .split(',')
    .map((item) => item.trim())
}

/** R5: what several `rua` fields mean is not defined; all of them count, as one list. */
function readLists(lists: readonly (readonly string[])[], notes: readonly string[]): TlsrptRecord {
  const items = lists.flat()
  const uris = items.filter((item) => item !== '')
  const read = uris.slice(0, MOST_URIS).map(readUri)
  const endpoints = withoutRepetitions(read.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint])))

  const all = [
    ...notes,
    ...(uris.length < items.length ? ['an empty item in rua'] : []),
    ...(lists.length > 1 ? ['rua more than once, all of them count'] : []),
    ...read.flatMap((uri) => uri.notes),
    ...(uris.length > MOST_URIS ? [`only the first ${MOST_URIS} of ${uris.length} URIs count`] : []),
  ]
  return endpoints.length === 0 ? { status: 'no-endpoint', notes: all } : { status: 'found', endpoints, notes: all }
}

function withoutRepetitions(endpoints: readonly ReportEndpoint[]): readonly ReportEndpoint[] {
  return [...new Map(endpoints.map((endpoint) => [JSON.stringify(endpoint), endpoint])).values()]
}
