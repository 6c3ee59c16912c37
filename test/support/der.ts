/**
 * Writes DER: just enough of it to build certificates, right ones and wrong ones.
 *
 * @module
 */

/** One element: tag, length, the contents one after the other. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const hex = length.toString(16)
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([0x80 | octets.length]), octets])
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => element(0x30, ...contents)
export const set = (...contents: readonly Uint8Array[]): Buffer => element(0x31, ...contents)
export const octets = (...contents: readonly Uint8Array[]): Buffer => element(0x04, ...contents)
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text))
export const ia5 = (text: string): Buffer => element(0x16, Buffer.from(text, 'latin1'))
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]))
export const nothing = (): Buffer => element(0x05)

/** `[number]`, constructed, around an element (EXPLICIT) or its contents (IMPLICIT). */
export const tagged = (number: number, ...contents: readonly Uint8Array[]): Buffer =>
  element(0xa0 | number, ...contents)

/** `[number]`, primitive (IMPLICIT). */
export const taggedValue = (number: number, content: Uint8Array): Buffer => element(0x80 | number, content)

export function integer(value: number | bigint): Buffer {
  const hex = value.toString(16)
  const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return element(0x02, (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), magnitude]) : magnitude)
}

/** @param dotted - "2.5.29.19" */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}

/** A BIT STRING of whole octets: a key, a signature. */
export const bits = (content: Uint8Array): Buffer => element(0x03, Buffer.from([0]), content)

/** A BIT STRING of named bits, as short as DER wants it: keyUsage. */
export function namedBits(positions: readonly number[]): Buffer {
  const highest = Math.max(-1, ...positions)
  const content = Buffer.alloc(Math.floor(highest / 8) + 1)
  for (const position of positions) {
    content.writeUInt8(content.readUInt8(position >> 3) | (0x80 >> (position & 7)), position >> 3)
  }
  return element(0x03, Buffer.from([highest < 0 ? 0 : 7 - (highest % 8)]), content)
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). Fractions of a second are dropped. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  const year = date.getUTCFullYear()
  return year >= 1950 && year < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}
