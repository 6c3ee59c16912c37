/**
 * CNAME chains: where a name leads, link by link, and what is at the end (RFC 7672 §2.1.3, D10, D11).
 *
 * A recursive server sends the whole chain in one reply, in any order; where its reply stops in between, the rest is
 * asked for. DNAME needs nothing of its own: its CNAME comes with it (D9).
 *
 * @module
 */

import type { DnsFailure, RecordData, RecordType } from './answer'
import { malformed } from './failure'
import { type AnswerRecord, RCODE, type DnsReply } from './message'

/** How many links are followed, in one reply or several. */
export const MAX_LINKS = 16

/** Most records of a type at one name. More addresses are cut off, one is as good as another; more of the others fail. */
const MAX_RECORDS: Readonly<Record<RecordType, number>> = { A: 64, AAAA: 64, CNAME: 1, MX: 100, TLSA: 100, TXT: 100 }

/** How long a denial without SOA is kept, in seconds: long enough not to ask twice for one message. */
const TTL_WITHOUT_SOA = 5

/** As far as the chain is known. */
export interface Chain {
  readonly name: string
  readonly aliases: readonly string[]
  /** where it has led to so far, and what is to be asked for next */
  readonly current: string
  /** whether every reply until here had AD: one link that lacks it makes all of it insecure (D11) */
  readonly authenticated: boolean
  /** seconds, the least of all links */
  readonly ttl: number
  /** octets of the replies */
  readonly size: number
}

/** The end of a chain. */
export interface ChainEnd {
  readonly chain: Chain
  readonly outcome:
    | { readonly status: 'found'; readonly records: readonly RecordData[RecordType][] }
    | { readonly status: 'absent'; readonly why: 'nxdomain' | 'nodata' }
}

/** What a reply makes of a chain: its end, a failure, or a name to ask for next. */
export type Step = { readonly end: ChainEnd } | { readonly failure: DnsFailure } | { readonly next: Chain }

export function beginChain(name: string): Chain {
  return { name, aliases: [], current: name, authenticated: true, ttl: Infinity, size: 0 }
}

/**
 * Follows the chain through one reply.
 *
 * @param reply - NOERROR or NXDOMAIN, to the question for `type` at `chain.current`
 */
export function followReply(begun: Chain, reply: DnsReply, type: RecordType): Step {
  let chain: Chain = {
    ...begun,
    authenticated: begun.authenticated && reply.authenticated,
    size: begun.size + reply.size,
  }
  for (;;) {
    const here = reply.records.filter((record) => record.name === chain.current)
    const wanted = here.filter((record) => record.type === type)
    if (wanted.length > 0) return readRecords(chain, type, wanted)

    const links = here.filter((record) => record.type === 'CNAME')
    if (links.length === 0) return endOrGoOn(begun, chain, reply)
    const step = followLink(chain, links)
    if ('failure' in step) return step
    chain = step.next
  }
}

function followLink(chain: Chain, links: readonly AnswerRecord[]): { next: Chain } | { failure: DnsFailure } {
  const alias = chain.current
  const target = readTarget(links)
  if (target === undefined) return { failure: malformed(`the CNAME of ${alias} is malformed`) }
  const aliases = [...chain.aliases, alias]
  if (aliases.includes(target)) return { failure: malformed(`the CNAME chain of ${chain.name} is a loop`) }
  if (aliases.length > MAX_LINKS)
    return { failure: malformed(`the CNAME chain of ${chain.name} has more than ${MAX_LINKS} links`) }
  return { next: { ...chain, aliases, current: target, ttl: leastTtl(chain.ttl, links) } }
}

/** The one target; undefined where there are several, or one that is no name. */
function readTarget(links: readonly AnswerRecord[]): string | undefined {
  const [target, ...others] = new Set(links.map((link) => ('data' in link ? link.data : undefined)))
  return typeof target === 'string' && others.length === 0 ? target : undefined
}

/** No record at `chain.current`: it has none, or (only behind a CNAME of this reply) the reply does not go as far. */
function endOrGoOn(begun: Chain, chain: Chain, reply: DnsReply): Step {
  const followed = chain.aliases.length > begun.aliases.length
  const denial = reply.soa && isWithin(chain.current, reply.soa.zone) ? reply.soa : undefined
  if (reply.rcode !== RCODE.NXDOMAIN && followed && denial === undefined) return { next: chain }

  const ttl = Math.min(chain.ttl, denial?.ttl ?? TTL_WITHOUT_SOA)
  const why = reply.rcode === RCODE.NXDOMAIN ? 'nxdomain' : 'nodata' // of the chain's end: RFC 6604 §3
  return { end: { chain: { ...chain, ttl }, outcome: { status: 'absent', why } } }
}

function isWithin(name: string, zone: string): boolean {
  return zone === '' || name === zone || name.endsWith(`.${zone}`)
}

function readRecords(chain: Chain, type: RecordType, wanted: readonly AnswerRecord[]): Step {
  const fail = (text: string): Step => ({ failure: malformed(`${type} of ${chain.current}: ${text}`) })
  if (wanted.some((record) => 'defect' in record && record.defect === 'broken')) return fail('malformed data')
  // a record that points to no possible host is as one whose host cannot be reached: the others count
  const data = wanted.flatMap((record) => ('data' in record ? [record.data] : []))
  if (data.length === 0) return fail('none of the names is a host name')

  const max = MAX_RECORDS[type]
  const isAddress = type === 'A' || type === 'AAAA'
  if (data.length > max && !isAddress) return fail(`more records than the ${max} that are read`)
  const ttl = leastTtl(chain.ttl, wanted)
  return { end: { chain: { ...chain, ttl }, outcome: { status: 'found', records: data.slice(0, max) } } }
}

function leastTtl(ttl: number, records: readonly AnswerRecord[]): number {
  return records.reduce((least, record) => Math.min(least, record.ttl), ttl)
}
