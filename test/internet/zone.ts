/**
 * What the private internet's DNS knows, and what a validating resolver makes of it. Pure: no sockets, no clock.
 *
 * @module
 */

/** How DNSSEC sees a name. It holds for every name below, too, until one of them says otherwise. */
export type Security = 'secure' | 'insecure' | 'bogus'

/** How a lookup goes wrong, other than by being bogus. `servfail` has no extended error, `unreachable` has EDE 22. */
export type Trouble =
  | 'bogus'
  | 'servfail'
  | 'unreachable'
  | 'timeout'
  | 'refused'
  | 'malformed'
  | 'truncated'
  | 'truncated-for-ever'
  | RawAnswer

/** Answers the query's bytes with bytes of its own, or with nothing. */
export type RawAnswer = (query: Buffer, transport: 'udp' | 'tcp') => Buffer | undefined

/** One name. What a later declaration of the same name says replaces what an earlier one said, key by key. */
export interface NameData {
  readonly security?: Security
  /** seconds */
  readonly ttl?: number
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  /** "10 mx1.example.test"; "0 ." is the null MX */
  readonly MX?: readonly string[]
  /** "3 1 1 HEX", or the record's raw data */
  readonly TLSA?: readonly (string | Buffer)[]
  /** a record's text, or its character-strings */
  readonly TXT?: readonly (string | readonly string[])[]
  readonly CNAME?: string
  /** for every type, or by type */
  readonly trouble?: Trouble | Readonly<Record<string, Trouble>> | undefined
  /** milliseconds, added to the server's own */
  readonly delay?: number
}

export type Zone = Map<string, NameData>

/** A record as dns-packet encodes it. */
export interface WireRecord {
  readonly name: string
  readonly type: string
  readonly ttl: number
  readonly data: unknown
}

export interface Resolution {
  readonly trouble?: Trouble
  readonly absent?: 'nxdomain' | 'nodata'
  readonly secure: boolean
  readonly answers: readonly WireRecord[]
  readonly authorities: readonly WireRecord[]
  /** milliseconds */
  readonly delay: number
}

const longestChain = 16

/**
 * Looks a name up as a validating resolver does: AD only if every CNAME and what is at their end are secure (RFC 7672 §2.1.3).
 *
 * @param validates - false: a resolver that knows nothing of DNSSEC, for which bogus data are as good as any
 */
export function resolve(zone: Zone, name: string, type: string, validates = true): Resolution {
  const answers: WireRecord[] = []
  let secure = true
  let delay = 0
  let truncation: Trouble | undefined
  let at = name.toLowerCase()

  for (let links = 0; links <= longestChain; links++) {
    const data = zone.get(at)
    const security = validates ? securityOf(zone, at) : 'insecure'
    const trouble = security === 'bogus' ? 'bogus' : troubleOf(data, type)
    delay += data?.delay ?? 0
    secure &&= security === 'secure'
    if (isTruncation(trouble)) truncation = trouble
    else if (trouble !== undefined && (validates || trouble !== 'bogus')) return { ...failed, trouble, delay }

    if (data?.CNAME === undefined || type === 'CNAME') {
      return { ...end(zone, at, type, answers), ...(truncation && { trouble: truncation }), secure, delay }
    }
    answers.push({ name: at, type: 'CNAME', ttl: data.ttl ?? 0, data: data.CNAME })
    at = data.CNAME.toLowerCase()
  }
  return { ...failed, trouble: 'servfail', delay } // a loop
}

const failed = { secure: false, answers: [], authorities: [] }

function end(zone: Zone, name: string, type: string, chain: readonly WireRecord[]) {
  const records = recordsOf(zone, name, type)
  if (records.length > 0) return { answers: [...chain, ...records], authorities: [] }
  const absent: Resolution['absent'] = exists(zone, name) ? 'nodata' : 'nxdomain'
  return { absent, answers: chain, authorities: [soa(zone, name)] }
}

/** Over UDP there is no answer but "ask over TCP"; that one is answered, unless it is `for-ever`. */
export function isTruncation(trouble: Trouble | undefined): boolean {
  return trouble === 'truncated' || trouble === 'truncated-for-ever'
}

function troubleOf(data: NameData | undefined, type: string): Trouble | undefined {
  const trouble = data?.trouble
  return typeof trouble === 'object' ? trouble[type] : trouble
}

function securityOf(zone: Zone, name: string): Security {
  for (const ancestor of withAncestors(name)) {
    const security = zone.get(ancestor)?.security
    if (security !== undefined) return security
  }
  return 'insecure'
}

function withAncestors(name: string): string[] {
  const labels = name.split('.')
  return labels.map((_, index) => labels.slice(index).join('.'))
}

/** An empty non-terminal exists: there is no data at `_tcp.mx1`, but the name is no NXDOMAIN. */
function exists(zone: Zone, name: string): boolean {
  return zone.has(name) || [...zone.keys()].some((other) => other.endsWith(`.${name}`))
}

function recordsOf(zone: Zone, name: string, type: string): WireRecord[] {
  const data = zone.get(name)
  if (data === undefined) return []
  if (type === 'SOA') return [soa(zone, name)]
  const record = (value: unknown, as = type): WireRecord => ({ name, type: as, ttl: data.ttl ?? 0, data: value })
  switch (type) {
    case 'A':
    case 'AAAA':
      return (data[type] ?? []).map((address) => record(address))
    case 'CNAME':
      return data.CNAME === undefined ? [] : [record(data.CNAME)]
    case 'MX':
      return (data.MX ?? []).map((text) => record(readMx(text)))
    case 'TXT':
      return (data.TXT ?? []).map((text) => record(characterStrings(text)))
    case 'TLSA':
      // dns-packet writes the data of types that it does not know as they are, the malformed ones included
      return (data.TLSA ?? []).map((value) => record(typeof value === 'string' ? tlsaData(value) : value, 'UNKNOWN_52'))
    default:
      return []
  }
}

function readMx(text: string): { preference: number; exchange: string } {
  const [preference, exchange] = text.split(' ')
  if (exchange === undefined) throw new Error(`not "preference exchange": ${text}`)
  return { preference: Number(preference), exchange }
}

/** The data of a TLSA record from its presentation, "3 1 1 HEX" (RFC 6698 §2.2). */
export function tlsaData(text: string): Buffer {
  const [usage, selector, matchingType, ...hex] = text.split(/\s+/)
  return Buffer.concat([
    Buffer.from([Number(usage), Number(selector), Number(matchingType)]),
    Buffer.from(hex.join(''), 'hex'),
  ])
}

function characterStrings(text: string | readonly string[]): Buffer[] {
  const strings = typeof text === 'string' ? (text.match(/[^]{1,255}/g) ?? ['']) : text
  return strings.map((string) => Buffer.from(string, 'latin1'))
}

function soa(zone: Zone, name: string): WireRecord {
  const apex = withAncestors(name).findLast((ancestor) => zone.has(ancestor)) ?? name
  const ttl = zone.get(apex)?.ttl ?? 0
  const times = { serial: 1, refresh: 3600, retry: 600, expire: 86400, minimum: ttl }
  return { name: apex, type: 'SOA', ttl, data: { mname: `ns.${apex}`, rname: `hostmaster.${apex}`, ...times } }
}
