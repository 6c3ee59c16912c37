/**
 * The data of one record, read from the wire with nothing taken on trust.
 *
 * dns-packet's own record decoders go by what they expect and not by the length that the record states (an A record of
 * length 0 reads "undefined.…", a short TLSA reads into its neighbour), so that only its name decoder is used here.
 *
 * @module
 */

import { SocketAddress } from 'node:net'
import { name as wireName } from 'dns-packet'
import type { RecordData, RecordType, TlsaData } from './answer'
import { isDomainName } from './names'

/** The types that are asked for, and those that are read on the way. */
export const TYPE_CODE = { A: 1, CNAME: 5, SOA: 6, MX: 15, TXT: 16, AAAA: 28, OPT: 41, TLSA: 52 } as const

/** Where the data of a record is in its message. */
export interface Extent {
  readonly start: number
  readonly length: number
}

/**
 * Why a record has no data for us: `broken`, it is not what its type says, so that the message is not to be trusted
 * with the others either; `not-a-host-name`, it is well formed but points to a name that no host can have.
 */
export type Defect = 'broken' | 'not-a-host-name'

export type Decoded<Type extends RecordType = RecordType> =
  { readonly data: RecordData[Type] } | { readonly defect: Defect }

const BROKEN = { defect: 'broken' } as const
const NOT_A_HOST_NAME = { defect: 'not-a-host-name' } as const

/** Longest text that is read from one TXT record, in octets; STS and TLSRPT records are far below. */
const MAX_TEXT_LENGTH = 4096

/** Reads the data of one record. Never throws, never looks outside of `extent` but along compression pointers. */
export function decodeData(type: RecordType, message: Buffer, extent: Extent): Decoded {
  const rdata = message.subarray(extent.start, extent.start + extent.length)
  switch (type) {
    case 'A':
      return rdata.length === 4 ? { data: rdata.join('.') } : BROKEN
    case 'AAAA':
      return rdata.length === 16 ? { data: formatIpv6(rdata) } : BROKEN
    case 'TXT':
      return decodeText(rdata)
    case 'TLSA':
      return { data: decodeTlsa(rdata) }
    case 'CNAME':
      return decodeTarget(message, extent)
    case 'MX':
      return decodeExchange(message, extent)
  }
}

/**
 * The name at `offset` in lower case, dots and backslashes inside of a label escaped, so that it compares equal only
 * to what it is; the root is ''. Undefined where it is malformed or, given `length`, takes another number of octets.
 */
export function decodeName(message: Buffer, offset: number, length?: number): string | undefined {
  try {
    const decoded = wireName.decode(message, offset, { mail: true })
    if (length !== undefined && wireName.decode.bytes !== length) return undefined
    return decoded === '.' ? '' : decoded.toLowerCase()
  } catch {
    return undefined
  }
}

/** RFC 5952. */
function formatIpv6(rdata: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => rdata.readUInt16BE(index * 2).toString(16))
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}

/** The character-strings of a TXT record, joined (RFC 8461 §3.1, T1); one character for each octet, so that nothing is lost. */
function decodeText(rdata: Buffer): Decoded<'TXT'> {
  if (rdata.length > MAX_TEXT_LENGTH) return BROKEN
  let text = ''
  let offset = 0
  while (offset < rdata.length) {
    const end = offset + 1 + rdata.readUInt8(offset)
    if (end > rdata.length) return BROKEN
    text += rdata.toString('latin1', offset + 1, end)
    offset = end
  }
  return { data: text }
}

/**
 * A TLSA record that is too short stays in its RRset, with empty data and 255 (private use) for the fields that it
 * lacks: as an unusable record it still counts for "secure TLSA records exist" (K14, D14, D35).
 */
function decodeTlsa(rdata: Buffer): TlsaData {
  const [usage = 255, selector = 255, matchingType = 255] = rdata
  return { usage, selector, matchingType, data: new Uint8Array(rdata.subarray(3)) } // a copy: the message is not kept
}

function decodeTarget(message: Buffer, { start, length }: Extent): Decoded<'CNAME'> {
  const target = decodeName(message, start, length)
  if (target === undefined) return BROKEN
  return isDomainName(target) ? { data: target } : NOT_A_HOST_NAME
}

function decodeExchange(message: Buffer, { start, length }: Extent): Decoded<'MX'> {
  if (length < 3) return BROKEN
  const exchange = decodeName(message, start + 2, length - 2)
  if (exchange === undefined) return BROKEN
  if (exchange !== '' && !isDomainName(exchange)) return NOT_A_HOST_NAME // '' is the null MX of RFC 7505
  return { data: { preference: message.readUInt16BE(start), exchange } }
}
