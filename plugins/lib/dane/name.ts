/**
 * Names: distinguished names (RFC 5280 §7.1), and host names in certificates (RFC 7672 §3.2.3, RFC 9525 §6.3).
 *
 * @module
 */

import { isUtf8 } from 'node:buffer'
import { latin1Of, rawOf, readAll, readInside, readOid, readOne, Tag, whole, type Element } from './der'

/** A distinguished name, as a list of its parts. Two parts are the same when their texts are. */
export interface DistinguishedName {
  readonly parts: readonly string[]
  readonly commonNames: readonly string[]
  readonly hasEmail: boolean
}

interface Attribute {
  readonly type: string
  readonly text: string
}

const commonName = '550403'
const emailAddress = '2a864886f70d010901'

/** @returns undefined for what is malformed, or in a string type that no certificate of today uses */
export function readDistinguishedName(element: Element | undefined): DistinguishedName | undefined {
  const parts = whole(readInside(element, Tag.sequence)?.map(readPart))
  if (parts === undefined) return undefined
  const all = parts.flat()
  return {
    parts: parts.map((attributes) => attributes.map(comparable).sort().join()),
    commonNames: all.filter(({ type }) => type === commonName).map(({ text }) => text),
    hasEmail: all.some(({ type }) => type === emailAddress),
  }
}

function readPart(element: Element): readonly Attribute[] | undefined {
  const attributes = whole(readInside(element, Tag.set)?.map(readAttribute))
  return attributes?.length === 0 ? undefined : attributes
}

function readAttribute(element: Element): Attribute | undefined {
  const [typeElement, value, ...more] = readInside(element, Tag.sequence) ?? []
  const type = readOid(typeElement)
  const text = value && readText(value)
  return type === undefined || text === undefined || more.length > 0 ? undefined : { type, text }
}

function readText(element: Element): string | undefined {
  const { tag } = element
  const bytes = Buffer.from(element.content)
  if (tag === 0x0c && isUtf8(bytes)) return bytes.toString('utf8')
  if (tag === 0x1e) return bytes.length % 2 === 0 ? bytes.swap16().toString('utf16le') : undefined // BMPString
  if ([0x12, 0x13, 0x14, 0x16, 0x1a].includes(tag)) return latin1Of(element) // all that are near to ASCII
  if (tag === 0x1c) return undefined // UniversalString
  return `#${Buffer.from(rawOf(element)).toString('hex')}`
}

/** Case and runs of spaces do not tell names apart (RFC 5280 §7.1). Length first, so that no text can pretend to be two attributes. */
function comparable({ type, text }: Attribute): string {
  const folded = lowerCase(text.replace(/[ \t\n\v\f\r]+/g, ' ').replace(/^ | $/g, ''))
  return `${type}:${folded.length}:${folded}`
}

export function sameName(one: DistinguishedName, other: DistinguishedName): boolean {
  return one.parts.length === other.parts.length && startsWithName(one, other)
}

/** Whether `name` lies in the subtree of `base` (RFC 5280 §4.2.1.10). */
export function startsWithName(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.parts.every((part, index) => name.parts[index] === part)
}

/** One name of a subjectAltName or a name constraint: the number of its kind, and what it is if it can be compared. */
export interface GeneralName {
  readonly kind: number
  /** of {@link GeneralNameKind.dns}, in lower case */
  readonly host?: string
  /** of {@link GeneralNameKind.directory}, where it is well-formed */
  readonly name?: DistinguishedName
}

/** Kinds of general names (RFC 5280 §4.2.1.6). */
export const GeneralNameKind = { email: 1, dns: 2, directory: 4 } as const

export function readGeneralNames(content: Uint8Array): readonly GeneralName[] | undefined {
  return whole(readAll(content)?.map(readGeneralName))
}

export function readGeneralName(element: Element | undefined): GeneralName | undefined {
  if (element === undefined || element.tag < 0x80 || element.tag >= 0xc0) return undefined // context-specific
  const kind = element.tag & 0x1f
  const isConstructed = (element.tag & 0x20) !== 0
  if (kind > 8 || isConstructed !== [0, 3, 4, 5].includes(kind)) return undefined
  if (kind === GeneralNameKind.dns) return { kind, host: lowerCase(latin1Of(element)) }
  const name = kind === GeneralNameKind.directory ? readDistinguishedName(readOne(element.content)) : undefined
  return name === undefined ? { kind } : { kind, name }
}

/**
 * Whether a certificate is for this host (D43, D44: RFC 7672 §3.2.3).
 *
 * DNS-IDs alone count where there are any, the common names otherwise. A wildcard is all of the first label, stands for
 * exactly one, and needs two labels behind it. Names with anything but letters, digits, `-` and `_` never match, hence
 * neither those with an embedded NUL.
 *
 * @param dnsNames - dNSName entries of the certificate's subjectAltName
 * @param commonNames - those of its subject
 * @param referenceIdentifier - A-labels, in any case
 */
export function matchName(
  dnsNames: readonly string[],
  commonNames: readonly string[],
  referenceIdentifier: string,
): boolean {
  const reference = canonicalHost(referenceIdentifier)
  if (!isHostName(reference)) return false
  const presented = dnsNames.length > 0 ? dnsNames : commonNames
  const parent = reference.slice(reference.indexOf('.') + 1)
  const accepted = parent.includes('.') && parent !== reference ? [reference, `*.${parent}`] : [reference]
  return presented.some((name) => accepted.includes(lowerCase(name)))
}

/** What to say where a name lies deeper than a wildcard reaches (RFC 9525 §6.3); '' where that is not why it does not match. */
export function wildcardHint(presented: readonly string[], references: readonly string[]): string {
  const isBelow = (name: string) =>
    name.startsWith('*.') && references.some((reference) => canonicalHost(reference).endsWith(lowerCase(name.slice(1))))
  return presented.some(isBelow) ? '; "*" stands for one label' : ''
}

/** Letters, digits, hyphens and underscores, in labels that are not empty. Lower case only. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label))
}

/** Lower case, without the final dot. */
export function canonicalHost(name: string): string {
  return lowerCase(name).replace(/\.$/, '')
}

/** ASCII only: toLowerCase() makes a `k` of the Kelvin sign, and so one host name of another. */
export function lowerCase(text: string): string {
  // eslint-disable-next-line no-control-regex -- ASCII is what begins with a control character
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase()
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
