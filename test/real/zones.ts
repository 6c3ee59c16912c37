/**
 * Zone files, signed by ldns-signzone: as they should be, or wrong in one way.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needTool } from './tools.ts'

/** How a zone is signed. `insecure`: it is not, and its parent has no DS record for it. */
export type Signing = 'nsec' | 'nsec3' | 'expired' | 'insecure'

export interface ZoneSource {
  /** without the last dot */
  readonly name: string
  /** "owner TYPE data", relative to the zone */
  readonly records: readonly string[]
  readonly signing: Signing
  /** types whose signatures are made wrong */
  readonly corrupted?: readonly string[]
}

export interface ZoneFile {
  readonly name: string
  readonly path: string
}

/**
 * Writes and signs zones. The first one is above all others; each other is delegated by the longest one above it.
 *
 * @returns the files, and the first zone's DS record: what a validating resolver has to trust
 */
export function writeZones(folder: string, sources: readonly ZoneSource[]): { zones: ZoneFile[]; trustAnchor: string } {
  const keys = new Map(sources.filter(isSigned).map(({ name }) => [name, createKey(folder, name)]))
  const delegations = (above: string): string[] =>
    sources
      .filter(({ name }) => parentOf(name, sources) === above)
      .flatMap(({ name }) => [`${name}. NS ${nameServer(sources)}`, keys.get(name)?.ds ?? ''])

  const zones = sources.map((source) => {
    const path = join(folder, `${source.name}.zone`)
    const soa = `@ SOA ${nameServer(sources)} hostmaster 1 3600 600 86400 60`
    const lines = [`$ORIGIN ${source.name}.`, '$TTL 60', soa, `@ NS ${nameServer(sources)}`]
    writeFileSync(path, [...lines, ...source.records, ...delegations(source.name), ''].join('\n'))
    const key = keys.get(source.name)
    return { name: source.name, path: key === undefined ? path : sign(path, key.base, source) }
  })
  return { zones, trustAnchor: keys.get(sources[0]?.name ?? '')?.ds ?? '' }
}

function nameServer([top]: readonly ZoneSource[]): string {
  return `ns.${top?.name ?? ''}.`
}

function isSigned({ signing }: ZoneSource): boolean {
  return signing !== 'insecure'
}

function parentOf(name: string, sources: readonly ZoneSource[]): string | undefined {
  const above = sources.map((source) => source.name).filter((other) => name.endsWith(`.${other}`))
  return above.sort((a, b) => b.length - a.length)[0]
}

function createKey(folder: string, zone: string): { base: string; ds: string } {
  const parameters = ['-r', '/dev/urandom', '-a', 'ECDSAP256SHA256', '-k', zone]
  const base = join(folder, execFileSync(needTool('ldns-keygen'), parameters, { cwd: folder, encoding: 'utf8' }).trim())
  return { base, ds: readFileSync(`${base}.ds`, 'utf8').trim() }
}

const DAY = 86_400

function sign(path: string, key: string, { name, signing, corrupted = [] }: ZoneSource): string {
  const signed = `${path}.signed`
  const now = Math.floor(Date.now() / 1000)
  const [from, until] = signing === 'expired' ? [now - 30 * DAY, now - DAY] : [now - DAY, now + 30 * DAY]
  const denial = signing === 'nsec3' ? ['-n', '-t', '0'] : []
  const parameters = ['-i', String(from), '-e', String(until), '-o', name, '-f', signed, ...denial, path, key]
  execFileSync(needTool('ldns-signzone'), parameters, { stdio: 'pipe' })
  if (corrupted.length > 0) writeFileSync(signed, corrupt(readFileSync(signed, 'utf8'), corrupted))
  return signed
}

/** Turns one character within the signatures of these types into another. */
function corrupt(text: string, types: readonly string[]): string {
  const signature = new RegExp(`^(\\S+\\s+\\d+\\s+IN\\s+RRSIG\\s+(?:${types.join('|')}) .* \\S{20})(\\S)`, 'gm')
  return text.replace(signature, (_, before: string, one: string) => `${before}${one === 'A' ? 'B' : 'A'}`)
}
