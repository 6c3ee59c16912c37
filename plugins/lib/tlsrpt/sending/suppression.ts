/**
 * Recipients that get no report, whatever is published: domains, `*.` and a domain for all below it, and mail addresses.
 *
 * @module
 */

/** @returns the pattern that matches; undefined: none does */
export type Suppressed = (name: string) => string | undefined

export interface SuppressionLists {
  /** of a recipient domain */
  readonly domain: Suppressed
  /** of a destination: its address, its domain or its host */
  readonly rua: Suppressed
}

/** @param patterns - in lower case, domains in A-labels */
export function createSuppression(patterns: readonly string[]): SuppressionLists {
  const all = new Set(patterns)
  const has = (pattern: string): string | undefined => (all.has(pattern) ? pattern : undefined)
  const domain = (name: string): string | undefined => {
    let found = has(name)
    for (let dot = name.indexOf('.'); found === undefined && dot !== -1; dot = name.indexOf('.', dot + 1))
      found = has(`*${name.slice(dot)}`)
    return found
  }
  if (all.size === 0) return { domain: () => undefined, rua: () => undefined }
  return { domain, rua: (rua) => has(addressOf(rua)) ?? domain(hostOf(rua)) }
}

/** The host that a destination is on: where a limit and a suppression hold. */
export function hostOf(rua: string): string {
  return rua.startsWith('mailto:') ? rua.slice(rua.lastIndexOf('@') + 1) : (URL.parse(rua)?.hostname ?? '')
}

function addressOf(rua: string): string {
  return rua.startsWith('mailto:') ? rua.slice('mailto:'.length).toLowerCase() : rua
}
