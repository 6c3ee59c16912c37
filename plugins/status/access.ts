/**
 * Who may see the page, the JSON and the metrics. Nothing here reads or writes anything: a request comes in as facts, and a decision out.
 *
 * Without a token, whoever is on this machine. A proxy on this machine would make everybody look like that, so a request that was passed
 * on, or could have been, is none of these. With a token, whoever knows it, from wherever.
 *
 * @module
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** What is known about a request before it is answered. */
export interface Visit {
  readonly method: string
  /** `1.1` */
  readonly httpVersion: string
  readonly headers: IncomingHttpHeaders
  /** the other end of the connection; undefined: it is none of TCP */
  readonly remoteAddress: string | undefined
  /** whether the connection is TLS */
  readonly encrypted: boolean
}

/** What a visitor showed, or why nothing is shown. */
export type Admission =
  | { readonly admitted: true; readonly by: 'loopback' | 'bearer' | 'cookie' }
  /** `not-direct`: there is no token, and this is not a direct request from this machine */
  | { readonly admitted: false; readonly why: 'not-direct' | 'token-missing' | 'token-wrong' }

/** @param now - milliseconds since 1970 */
export function admit(visit: Visit, token: string | undefined, now: number): Admission {
  if (token === undefined) {
    return isDirectFromHere(visit) ? { admitted: true, by: 'loopback' } : { admitted: false, why: 'not-direct' }
  }
  const { authorization = '', cookie } = visit.headers
  if (triesToken(visit)) {
    const [, given] = /^bearer +(\S+) *$/i.exec(authorization) ?? []
    if (given !== undefined && isToken(given, token)) return { admitted: true, by: 'bearer' }
    return { admitted: false, why: 'token-wrong' }
  }
  const ticket = readCookie(cookie)
  if (ticket !== undefined && isTicket(ticket, token, now)) return { admitted: true, by: 'cookie' }
  return { admitted: false, why: 'token-missing' } // a ticket that is not good any more is no attempt to guess
}

/**
 * Whether a request has a token, right or wrong. What is for a proxy in front (Basic, Digest), which browsers send along from then on, is
 * no guess of ours.
 */
function triesToken({ headers: { authorization } }: Visit): boolean {
  return authorization !== undefined && !/^(?!bearer\b)[\w-]+ +\S/i.test(authorization)
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isLoopback(address: string): boolean {
  const plain = /^::ffff:\d+\./i.test(address) ? address.slice('::ffff:'.length) : address
  const version = isIP(plain)
  return version !== 0 && loopback.check(plain, version === 4 ? 'ipv4' : 'ipv6')
}

/** Headers that a proxy adds, one or the other. */
const FORWARDED =
  /^(?:x-forwarded-|x-original-|x-envoy-|cf-|fastly-|fly-)|^(?:forwarded|via|x-forwarded|x-real-ip|x-client-ip|x-cluster-client-ip|x-proxyuser-ip|x-remote-ip|x-host|true-client-ip|client-ip|remote-addr)$/

/**
 * Whether a request comes from this machine, without anything in between as far as can be seen. The name that it is for must be this
 * machine's, too: else any web site could have a name of its own lead here, and a browser on this machine would be its reader.
 * HTTP/1.0 is what a proxy speaks that was told nothing else (nginx), and adds no header.
 */
export function isDirectFromHere({ httpVersion, headers, remoteAddress }: Visit): boolean {
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return false
  if (httpVersion === '1.0') return false
  if (Object.keys(headers).some((name) => FORWARDED.test(name))) return false
  if (!isLocalHost(headers.host)) return false
  return [headers.origin, headers.referer].every((page) => page === undefined || isLocalPage(page))
}

/** `localhost` or a loopback address, with or without a port. */
function isLocalHost(host: string | undefined): boolean {
  const [, v6, name = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host ?? '') ?? []
  if (v6 !== undefined) return isIP(v6) === 6 && isLoopback(v6)
  return name.toLowerCase() === 'localhost' || (isIP(name) === 4 && isLoopback(name))
}

function isLocalPage(page: string): boolean {
  const url = URL.parse(page)
  return url !== null && isLocalHost(url.host)
}

/** Whether this is the token. Takes as long whatever is wrong with it. */
export function isToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** How long a login lasts: milliseconds. */
const LOGIN_LASTS = 12 * 3_600_000
const COOKIE = 'outbound-tls'

/**
 * What a browser is given for the token: until when it is good, and a proof that we said so. Whoever steals it does not have the token,
 * and another token makes it worthless.
 */
export function issueTicket(token: string, now: number): string {
  const until = String(now + LOGIN_LASTS)
  return `${until}.${proof(until, token)}`
}

function isTicket(ticket: string, token: string, now: number): boolean {
  const [until = '', given = '', ...rest] = ticket.split('.')
  if (rest.length > 0 || !/^\d{1,15}$/.test(until)) return false
  const isOurs = timingSafeEqual(digest(given), digest(proof(until, token)))
  // one from further ahead was given out before the clock was set back
  return isOurs && Number(until) > now && Number(until) <= now + LOGIN_LASTS
}

function proof(until: string, token: string): string {
  return createHmac('sha256', token).update(`outbound-tls login until ${until}`).digest('base64url')
}

function readCookie(header: string | undefined): string | undefined {
  const pairs = (header ?? '').slice(0, 8192).split(';')
  const ours = pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(`${COOKIE}=`))
  return ours?.slice(COOKIE.length + 1)
}

/** The Set-Cookie header for a login, or without a ticket for a logout. */
export function setCookie(visit: Visit, path: string, ticket: string | undefined): string {
  // a proxy may say that there is TLS in front of it: if it lies, the cookie is only kept from being sent
  const isSecure = visit.encrypted || /^https\b/i.test(String(visit.headers['x-forwarded-proto'] ?? ''))
  const maxAge = ticket === undefined ? 0 : LOGIN_LASTS / 1000
  const parts = [`${COOKIE}=${ticket ?? ''}`, `Path=${path}`, `Max-Age=${maxAge}`, 'HttpOnly', 'SameSite=Strict']
  return [...parts, ...(isSecure ? ['Secure'] : [])].join('; ')
}

/** Whether a form was sent by a page of ours. Browsers that are too old to say so send no cookie of ours across sites either. */
export function isFromOurPage({ headers }: Visit): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin } = headers
  if (origin === undefined) return true
  const host = headers['x-forwarded-host'] ?? headers.host
  return URL.parse(origin)?.host === String(host)
}
