/**
 * One URI of a `rua` list: where a report can go, or why it cannot go there (RFC 8460 §3, R4, R5).
 *
 * The URI comes from a remote party. It must not lead into our own network, nor into a header, a command or a log line of ours.
 *
 * @module
 */

import { isIPv4 } from 'node:net'
import { quote } from '../../dns'
import { readAddress, toPublicName } from './mailbox'

export type ReportEndpoint =
  | {
      readonly kind: 'mailto'
      /** the domain in lower-case A-labels; of US-ASCII, without white space, brackets or control characters */
      readonly address: string
    }
  | {
      readonly kind: 'https'
      /** as the URL parser writes it: host in lower-case A-labels and no address, no credentials, no fragment */
      readonly url: string
    }

/** An endpoint, where the URI gave one, and what there is to say about it to people. */
export interface ReadUri {
  readonly endpoint?: ReportEndpoint
  readonly notes: readonly string[]
}

const LONGEST_URI = 2048
const SIZE_LIMIT = /![0-9]+[kmgt]?$/i // DMARC has it (RFC 7489 §6.2), TLSRPT does not
const URI = /^([a-z][a-z0-9+.-]*):(?:[a-z0-9\-._~:/?#[\]@$&'()*+=]|%[0-9a-f]{2})+$/i // RFC 3986, less what R4 takes away

/** Reads one URI. */
export function readUri(uri: string): ReadUri {
  if (uri.length > LONGEST_URI) return skip(uri, `longer than ${LONGEST_URI} characters`)
  const bare = uri.replace(SIZE_LIMIT, '')
  const notes = bare === uri ? [] : [`${quote(uri)}: size limit left out, TLSRPT has none`]
  if (bare.includes('!')) return skip(uri, '"!" is not encoded')

  const scheme = URI.exec(bare)?.[1]?.toLowerCase()
  if (scheme === undefined) return skip(uri, 'not a URI')
  if (scheme === 'mailto') return readMailto(bare, notes)
  if (scheme === 'https') return readHttps(bare, notes)
  return skip(uri, 'neither mailto nor https')
}

/** RFC 6068 §2, with one address and nothing else. */
function readMailto(uri: string, notes: readonly string[]): ReadUri {
  if (/^mailto:\/\//i.test(uri)) return skip(uri, 'a mailto URI has no "//"') // "/" is allowed in an address: mail would go to //name
  const [to = ''] = uri.slice('mailto:'.length).split(/[?#]/, 1)
  const more = uri.length > 'mailto:'.length + to.length
  const text = decode(to)
  if (text === undefined) return skip(uri, 'not UTF-8')
  if (/\p{Cc}/u.test(text)) return skip(uri, 'control characters')
  if (text.includes('@[')) return skip(uri, 'an address literal')
  const address = readAddress(text)
  if (address === undefined) return skip(uri, 'not an address that reports can be sent to')
  const ignored = more ? [`${quote(uri)}: only the address counts`] : []
  return { endpoint: { kind: 'mailto', address }, notes: [...notes, ...ignored] }
}

function readHttps(uri: string, notes: readonly string[]): ReadUri {
  // the URL parser would also take https:host and https:/host
  const url = /^https:\/\/[^/]/i.test(uri) ? URL.parse(uri) : null
  if (url === null) return skip(uri, 'not a URL')
  if (url.username !== '' || url.password !== '') return skip(uri, 'credentials')
  // the parser has turned 0x7f.1, 2130706433 and the like into what they are
  if (url.hostname.startsWith('[') || isIPv4(url.hostname.replace(/\.$/, ''))) return skip(uri, 'an address literal')
  const host = toPublicName(url.hostname)
  if (host === undefined) return skip(uri, 'not a public host name')
  url.hostname = host
  url.hash = ''
  return { endpoint: { kind: 'https', url: url.href }, notes }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function skip(uri: string, why: string): ReadUri {
  return { notes: [`${quote(uri)} skipped: ${why}`] }
}
