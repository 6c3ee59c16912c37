/**
 * The extensions of a certificate that decide about a path (RFC 5280 §4.2.1). What is malformed, twice there, or critical
 * and unknown makes the certificate useless in a path.
 *
 * Key identifiers are left to `X509Certificate.checkIssued()`. Certificate policies restrict nothing here, since we
 * ask for none; policy constraints, mappings and "inhibit anyPolicy" are not understood: refused where they are critical.
 *
 * @module
 */

import {
  constructed,
  readAll,
  readBoolean,
  readInside,
  readNamedBits,
  readOid,
  readOne,
  readSmallInteger,
  Tag,
  whole,
  type Element,
} from './der'
import { readGeneralName, readGeneralNames, type GeneralName } from './name'

export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength?: number
}

export interface NameConstraints {
  readonly permitted: Subtrees
  readonly excluded: Subtrees
}

/** Bases of subtrees, by the kind of their names. */
export type Subtrees = ReadonlyMap<number, readonly GeneralName[]>

export interface Extensions {
  readonly basicConstraints?: BasicConstraints
  /** numbers of the bits, {@link KeyUsage} */
  readonly keyUsage?: ReadonlySet<number>
  /** numbers of the bits, {@link NetscapeType} */
  readonly netscapeType?: ReadonlySet<number>
  /** OIDs in hex */
  readonly extendedKeyUsage?: readonly string[]
  readonly alternativeNames: readonly GeneralName[]
  readonly nameConstraints?: NameConstraints
}

export const KeyUsage = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5 } as const

/** nsCertType, the elder of extendedKeyUsage. */
export const NetscapeType = { sslServer: 1 } as const

/** id-kp-serverAuth */
export const serverAuth = '2b06010505070301'

interface Extension {
  readonly id: string
  readonly critical: boolean
  /** DER, where it is one that is understood */
  readonly value: Uint8Array
}

const id = {
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  nameConstraints: '551d1e',
  extendedKeyUsage: '551d25',
  netscapeType: '6086480186f8420101',
}

const understood = new Set([
  ...Object.values(id),
  '551d0e', // subjectKeyIdentifier
  '551d23', // authorityKeyIdentifier
  '551d20', // certificatePolicies
  '551d1f', // cRLDistributionPoints: says where to ask, demands nothing
])

/**
 * @param element - `[3]` of a certificate, undefined where it has none
 * @returns a text for people if the certificate is good for no path
 */
export function readExtensions(element: Element | undefined): Extensions | string {
  if (element === undefined) return { alternativeNames: [] }
  const list = whole(readInside(readOne(element.content), Tag.sequence)?.map(readExtension))
  if (list === undefined) return 'its extensions are malformed'
  if (new Set(list.map((one) => one.id)).size < list.length) return 'an extension is there twice'
  const unknown = list.find((one) => one.critical && !understood.has(one.id))
  if (unknown !== undefined) return `a critical extension is unknown (${unknown.id.slice(0, 40)})`

  return interpret(new Map(list.map((one) => [one.id, one.value]))) ?? 'an extension is malformed'
}

function readExtension(element: Element): Extension | undefined {
  const fields = readInside(element, Tag.sequence) ?? []
  const critical = fields.length === 3 ? readBoolean(fields[1]) : false
  const value = fields.at(-1)
  const extensionId = readOid(fields[0])
  if (extensionId === undefined || critical === undefined || value?.tag !== Tag.octetString) return undefined
  return fields.length > 3 ? undefined : { id: extensionId, critical, value: value.content }
}

function interpret(values: ReadonlyMap<string, Uint8Array>): Extensions | undefined {
  const basicConstraints = readWith(readBasicConstraints, values.get(id.basicConstraints))
  const keyUsage = readWith(readNamedBits, values.get(id.keyUsage))
  const netscapeType = readWith(readNamedBits, values.get(id.netscapeType))
  const extendedKeyUsage = readWith(readExtendedKeyUsage, values.get(id.extendedKeyUsage))
  const alternativeNames = readWith(readAlternativeNames, values.get(id.subjectAltName))
  const nameConstraints = readWith(readNameConstraints, values.get(id.nameConstraints))
  const all = [basicConstraints, keyUsage, netscapeType, extendedKeyUsage, alternativeNames, nameConstraints]
  if (all.includes(null)) return undefined
  return {
    ...(basicConstraints && { basicConstraints }),
    ...(keyUsage && { keyUsage }),
    ...(netscapeType && { netscapeType }),
    ...(extendedKeyUsage && { extendedKeyUsage }),
    ...(nameConstraints && { nameConstraints }),
    alternativeNames: alternativeNames ?? [],
  }
}

/** @returns undefined: not there; null: there, and malformed */
function readWith<T>(read: (value: Element) => T | undefined, content: Uint8Array | undefined): T | undefined | null {
  if (content === undefined) return undefined
  const value = readOne(content)
  return (value && read(value)) ?? null
}

function readBasicConstraints(value: Element): BasicConstraints | undefined {
  const fields = readInside(value, Tag.sequence)
  if (fields === undefined || fields.length > 2) return undefined
  const ca = fields[0]?.tag === Tag.boolean ? readBoolean(fields[0]) : false
  const rest = fields[0]?.tag === Tag.boolean ? fields.slice(1) : fields
  if (ca === undefined || rest.length > 1) return undefined
  if (rest.length === 0) return { ca }
  const pathLength = readSmallInteger(rest[0]) // of what is no CA it says nothing
  return pathLength === undefined ? undefined : { ca, pathLength }
}

function readExtendedKeyUsage(value: Element): readonly string[] | undefined {
  return whole(readInside(value, Tag.sequence)?.map(readOid))
}

function readAlternativeNames(value: Element): readonly GeneralName[] | undefined {
  return value.tag === Tag.sequence ? readGeneralNames(value.content) : undefined
}

function readNameConstraints(value: Element): NameConstraints | undefined {
  const fields = readInside(value, Tag.sequence)
  const tags = fields?.map(({ tag }) => tag).join()
  if (fields === undefined || !['160', '161', '160,161'].includes(tags ?? '')) return undefined
  const permitted = readSubtrees(fields.find(({ tag }) => tag === constructed(0)))
  const excluded = readSubtrees(fields.find(({ tag }) => tag === constructed(1)))
  return permitted && excluded && { permitted, excluded }
}

/** minimum and maximum must not be used (RFC 5280 §4.2.1.10): a subtree is its base alone. */
function readSubtrees(element: Element | undefined): Subtrees | undefined {
  const subtrees = element === undefined ? [] : whole(readAll(element.content)?.map(readBase))
  return subtrees && Map.groupBy(subtrees, ({ kind }) => kind)
}

function readBase(subtree: Element): GeneralName | undefined {
  const fields = readInside(subtree, Tag.sequence)
  return fields?.length === 1 ? readGeneralName(fields[0]) : undefined
}
