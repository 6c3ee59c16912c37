/**
 * The keys that sign the mail of a report (R21): those that outbound-tls.report.ini names, or that of haraka-plugin-dkim.
 *
 * @module
 */

import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { ReportSettings, SignatureSettings } from '../../settings'

export interface SigningKey {
  readonly domain: string
  readonly selector: string
  /** PEM */
  readonly privateKey: string
}

/** The keys, or what is wrong with them: one line each. */
export type KeysRead =
  | { readonly ok: true; readonly keys: readonly SigningKey[]; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] }

/** The text of a file, relative to the config directory; undefined: there is none. Throws where it cannot be read. */
export type ReadConfigFile = (path: string) => string | undefined

const SHORTEST_RSA = 1024 // RFC 8301 §3.2: verifiers take no shorter ones
const SAFE_RSA = 2048

/** Reads all keys that are to sign. */
export function readSigningKeys(settings: ReportSettings, readFile: ReadConfigFile): KeysRead {
  if (settings.signatures !== undefined) return judge(settings.signatures.map((wanted) => readNamed(wanted, readFile)))
  const domain = settings.fromAddress?.replace(/^.*@/, '')
  return domain === undefined
    ? {
        ok: false,
        problems: ['a DKIM key: sign[], or from-address and a key for its domain as haraka-plugin-dkim has them'],
      }
    : judge([readOfDkimPlugin(domain, readFile)])
}

/** One key; a text: what is wrong. */
type KeyRead = { readonly key: SigningKey; readonly warning: string | undefined } | string

function judge(read: readonly KeyRead[]): KeysRead {
  const problems = read.filter((one) => typeof one === 'string')
  if (problems.length > 0) return { ok: false, problems }
  const all = read.filter((one) => typeof one !== 'string')
  return {
    ok: true,
    keys: all.map(({ key }) => key),
    warnings: all.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
  }
}

function readNamed({ name, domain, selector, privateKey }: SignatureSettings, readFile: ReadConfigFile): KeyRead {
  const pem = tryRead(privateKey, readFile)
  return checkKey({ domain, selector }, pem, `[signature:${name}] private-key = ${privateKey}`)
}

/**
 * As haraka-plugin-dkim looks for a key: `dkim/<domain>/private` and `dkim/<domain>/selector`, for the domain or the next one above it that has
 * any of them, of two labels at least.
 */
function readOfDkimPlugin(domain: string, readFile: ReadConfigFile): KeyRead {
  const labels = domain.split('.')
  for (let above = 0; above <= labels.length - 2; above++) {
    const candidate = labels.slice(above).join('.')
    const file = `dkim/${candidate}/private`
    const pem = tryRead(file, readFile)
    const selector = tryRead(`dkim/${candidate}/selector`, readFile)
    if (pem === undefined && selector === undefined) continue
    if (selector instanceof Error) return `a DKIM key: dkim/${candidate}/selector cannot be read: ${selector.message}`
    if (selector === undefined || !/^[\w.-]+$/.test(selector.trim()))
      return `a DKIM key: dkim/${candidate}/selector holds no selector`
    return checkKey({ domain: candidate, selector: selector.trim() }, pem, file)
  }
  return `a DKIM key: there is neither sign[] nor dkim/${domain}/private, as haraka-plugin-dkim has it`
}

function tryRead(path: string, readFile: ReadConfigFile): string | Error | undefined {
  try {
    return readFile(path)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function checkKey(whose: Omit<SigningKey, 'privateKey'>, pem: string | Error | undefined, where: string): KeyRead {
  if (pem === undefined) return `a DKIM key: ${where}: there is no such file`
  if (pem instanceof Error) return `a DKIM key: ${where}: cannot be read: ${pem.message}`
  const key = parse(pem)
  if (key === undefined) return `a DKIM key: ${where}: holds no private key in PEM without a passphrase`
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type !== 'rsa' && type !== 'ed25519')
    return `a DKIM key: ${where}: is ${type ?? 'of no known kind'}, not RSA or Ed25519`
  const bits = type === 'rsa' ? (details?.modulusLength ?? 0) : SAFE_RSA
  if (bits < SHORTEST_RSA)
    return `a DKIM key: ${where}: has ${bits} bits, RSA needs ${SHORTEST_RSA} at least, better ${SAFE_RSA}`
  const warning = bits < SAFE_RSA ? `${where}: has ${bits} bits, ${SAFE_RSA} are safer (RFC 8301 3.2)` : undefined
  return { key: { ...whose, privateKey: pem }, warning }
}

function parse(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
