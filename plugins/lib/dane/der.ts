/**
 * Reads DER (X.690): strictly, within what it was given, and never with an exception. What is not DER is `undefined`.
 *
 * Indefinite lengths, lengths that are longer than needed, tags above 30 and anything behind the end are refused:
 * what two parsers could read in two ways is read by none.
 *
 * @module
 */

export interface Element {
  readonly tag: number
  /** what is inside */
  readonly content: Uint8Array
  /** octets of the tag and the length before it */
  readonly header: number
}

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The tag of `[number]`, EXPLICIT or constructed. */
export const constructed = (number: number): number => 0xa0 | number

/** The one element that all of `der` is. */
export function readOne(der: Uint8Array, tag?: number): Element | undefined {
  const element = readAt(der, 0)
  if (element === undefined || lengthOf(element) !== der.length) return undefined
  return tag === undefined || element.tag === tag ? element : undefined
}

/** All elements, one after the other, until the end. */
export function readAll(content: Uint8Array): readonly Element[] | undefined {
  const elements: Element[] = []
  for (let offset = 0; offset < content.length;) {
    const element = readAt(content, offset)
    if (element === undefined) return undefined
    elements.push(element)
    offset += lengthOf(element)
  }
  return elements
}

/** The elements inside of one that must have this tag. */
export function readInside(element: Element | undefined, tag: number): readonly Element[] | undefined {
  return element?.tag === tag ? readAll(element.content) : undefined
}

/** All of them, if each could be read. */
export function whole<T>(read: readonly (T | undefined)[] | undefined): readonly T[] | undefined {
  return read?.every((one) => one !== undefined) ? read : undefined
}

function readAt(bytes: Uint8Array, offset: number): Element | undefined {
  const header = readHeader(bytes, offset, bytes.length)
  if (header === undefined) return undefined
  const { tag, start, end } = header
  return { tag, content: bytes.subarray(start, end), header: start - offset }
}

const lengthOf = ({ header, content }: Element): number => header + content.length

/** Tag, length and content. */
export function rawOf({ content: { buffer, byteOffset, length }, header }: Element): Uint8Array {
  return new Uint8Array(buffer, byteOffset - header, header + length)
}

/** Octets as Latin-1, without a copy of them: a certificate may hold thousands of short texts. */
export function latin1Of({ content }: Element): string {
  return Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1')
}

interface Header {
  readonly tag: number
  /** of the content */
  readonly start: number
  readonly end: number
}

function readHeader(bytes: Uint8Array, offset: number, limit: number): Header | undefined {
  const tag = bytes[offset] ?? 0x1f
  const first = bytes[offset + 1] ?? 0x80
  const digits = first < 0x80 ? 0 : first & 0x7f
  // 0x80: indefinite; 16 MB are enough for everyone here
  if ((tag & 0x1f) === 0x1f || first === 0x80 || digits > 3) return undefined

  const start = offset + 2 + digits
  let length = digits === 0 ? first : 0
  for (let index = offset + 2; index < start; index++) length = length * 256 + (bytes[index] ?? NaN)
  const minimal = digits === 0 || (length >= 0x80 && bytes[offset + 2] !== 0)
  return minimal && start + length <= limit ? { tag, start, end: start + length } : undefined
}

/** No certificate nests deeper than 14. */
const maxNesting = 16

/** How many elements there are on all levels, those in the OCTET STRINGs of extensions included. Decodes nothing. */
export function countElements(der: Uint8Array): number {
  return countBetween(der, 0, der.length, maxNesting)
}

function countBetween(bytes: Uint8Array, from: number, to: number, levels: number): number {
  let count = 0
  for (let offset = from; offset < to;) {
    const header = readHeader(bytes, offset, to)
    if (header === undefined) return count
    const { tag, start, end } = header
    const mayHoldMore = (tag & 0x20) !== 0 || tag === Tag.octetString
    count += 1 + (mayHoldMore && levels > 0 ? countBetween(bytes, start, end, levels - 1) : 0)
    offset = end
  }
  return count
}

/** DER knows 00 and FF only. */
export function readBoolean(element: Element | undefined): boolean | undefined {
  if (element?.tag !== Tag.boolean || element.content.length !== 1) return undefined
  if (element.content[0] === 0xff) return true
  return element.content[0] === 0 ? false : undefined
}

/** An INTEGER from 0 on that fits into 31 bits: a version, a path length. */
export function readSmallInteger(element: Element | undefined): number | undefined {
  if (element?.tag !== Tag.integer) return undefined
  const { content } = element
  const [first = 0x80, second = 0x80] = content
  if (content.length > 4 || first >= 0x80) return undefined
  if (content.length > 1 && first === 0 && second < 0x80) return undefined
  return content.reduce((sum, digit) => sum * 256 + digit, 0)
}

/** Of a list of named bits: keyUsage has nine, the longest in certificates. */
const maxBitOctets = 2

/** The numbers of the bits that are set. */
export function readNamedBits(element: Element | undefined): ReadonlySet<number> | undefined {
  if (element?.tag !== Tag.bitString || element.content.length > 1 + maxBitOctets) return undefined
  const [unused, ...octets] = element.content
  if (unused === undefined || unused > 7 || (octets.length === 0 && unused > 0)) return undefined
  const positions = octets.flatMap((octet, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => octet & (0x80 >> bit)).map((bit) => index * 8 + bit),
  )
  // bits that are declared unused and set anyway
  return positions.some((position) => position >= octets.length * 8 - unused) ? undefined : new Set(positions)
}

/** An OBJECT IDENTIFIER, as the hex of its content: "551d13". */
export function readOid(element: Element | undefined): string | undefined {
  return element?.tag === Tag.oid && element.content.length > 0
    ? Buffer.from(element.content).toString('hex')
    : undefined
}

const timePatterns = new Map<number, RegExp>([
  [Tag.utcTime, /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/],
  [Tag.generalizedTime, /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/],
])

/** UTCTime or GeneralizedTime in the one form that certificates may have (RFC 5280 §4.1.2.5): milliseconds since 1970. */
export function readTime(element: Element | undefined): number | undefined {
  if (element === undefined) return undefined
  const digits = timePatterns.get(element.tag)?.exec(latin1Of(element))
  if (!digits) return undefined
  const [year = 0, ...rest] = digits.slice(1).map(Number)
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = rest
  const fullYear = element.tag === Tag.generalizedTime ? year : year + (year < 50 ? 2000 : 1900)

  const date = new Date(0)
  date.setUTCFullYear(fullYear, month - 1, day)
  date.setUTCHours(hour, minute, second)
  // 31 February would have become March
  const exact = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  return exact ? date.getTime() : undefined
}
