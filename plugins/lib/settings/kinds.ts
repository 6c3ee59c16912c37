/**
 * The kinds of values that the ini files know.
 *
 * @module
 */

import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { splitAddress } from '../address'
import { parseDuration, parseSize } from './amounts'
import type { ValueKind } from './keys'
import { normalName, readDomainName, readNamePattern } from './names'

/** The address of a name server. */
export interface ResolverAddress {
  readonly address: string
  readonly port: number
}

/** Attempts already made, both ends included. */
export interface RetryRange {
  readonly from: number
  readonly to: number
}

/** One of some words. */
export function oneOf<const Word extends string>(...words: readonly [Word, ...Word[]]): ValueKind<Word> {
  return {
    accepted: words.join(', '),
    read: (text) => words.find((word) => word === text),
  }
}

/** Haraka's words for yes and no. Anything else is neither: a misspelt `true` must not become a no. */
export const FLAG: ValueKind<boolean> = {
  accepted: 'true, false',
  read: (text) => {
    if (/^(?:true|yes|ok|enabled|on|1)$/i.test(text)) return true
    if (/^(?:false|no|disabled|off|0)$/i.test(text)) return false
    return undefined
  },
}

/** `auto`, or yes or no. */
export const AUTO_OR_FLAG: ValueKind<'auto' | boolean> = {
  accepted: 'auto, true, false',
  read: (text) => (text === 'auto' ? text : FLAG.read(text)),
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): ValueKind<number> {
  return {
    accepted: `a whole number from ${least} to ${most}`,
    read: (text) => (/^\d{1,15}$/.test(text) ? within(Number(text), least, most) : undefined),
  }
}

/** A duration, in milliseconds, from `least` to `most` (written as in the file). */
export function duration(least: string, most: string): ValueKind<number> {
  return {
    accepted: `a duration from ${least} to ${most}, such as 500ms, 30s, 5m, 2h or 7d`,
    read: (text) => within(parseDuration(text), parseDuration(least) ?? 0, parseDuration(most) ?? 0),
  }
}

/** A size, in bytes, from `least` to `most` (written as in the file). */
export function size(least: string, most: string): ValueKind<number> {
  return {
    accepted: `a size from ${least} to ${most}: bytes, or such as 25mb`,
    read: (text) => within(parseSize(text), parseSize(least) ?? 0, parseSize(most) ?? 0),
  }
}

/** As {@link duration}, or `0` for none. */
export function durationOrNone(least: string, most: string): ValueKind<number> {
  const { accepted, read } = duration(least, most)
  return { accepted: `${accepted}; 0 for none`, read: (text) => (text === '0' ? 0 : read(text)) }
}

function within(number: number | undefined, least: number, most: number): number | undefined {
  return number !== undefined && number >= least && number <= most ? number : undefined
}

/** A path. With " ;" or " #" in it, it is taken for one with a comment behind it. */
export const PATH: ValueKind<string> = {
  accepted: 'the path of a file',
  read: (text) => (text === '' || /\s[;#]/.test(text) || text.includes('\0') ? undefined : text),
}

/** A list of cipher suites as OpenSSL writes it. */
export const CIPHERS: ValueKind<string> = {
  accepted: 'a list of ciphers that OpenSSL knows',
  read: (text) => {
    try {
      createSecureContext({ ciphers: text })
      return text
    } catch {
      return undefined
    }
  },
}

/** The engine of the store. */
export const ENGINE: ValueKind<'sqlite' | 'postgres'> = {
  ...oneOf('sqlite', 'postgres'),
  accepted:
    'sqlite, postgres (not redis: a fail-over loses what it has confirmed, and weeks of counts fill its memory)',
}

/** Where a PostgreSQL server is. The store reads it, and says what is wrong with it without showing it. */
export const POSTGRES_URL: ValueKind<string> = {
  accepted: 'postgresql://user@host/database',
  read: (text) => (/^postgres(?:ql)?:\/\/\S*$/.test(text) ? text : undefined),
}

/** Free text, for people. */
export const TEXT: ValueKind<string> = { accepted: 'any text', read: (text) => text || undefined }

/** A name as people write it, on one line. */
export const NAME: ValueKind<string> = {
  accepted: 'text on one line, at most 200 characters',
  read: (text) => (/^[^\p{Cc}]{1,200}$/u.test(text) ? text : undefined),
}

/** A domain name, in its normal form. */
export const DOMAIN: ValueKind<string> = { accepted: 'a domain name', read: readDomainName }

/** A domain name or `*.` and a domain name, in normal form. */
export const DOMAIN_PATTERN: ValueKind<string> = {
  accepted: 'example.org for this domain, *.example.org for all domains below it',
  read: readNamePattern,
}

/** As {@link DOMAIN_PATTERN}, or `<>`: the null sender has no domain, which is written as the empty name. */
export const SENDER_DOMAIN_PATTERN: ValueKind<string> = {
  accepted: `${DOMAIN_PATTERN.accepted}, <> for the null sender`,
  read: (text) => (text === '<>' ? '' : readNamePattern(text)),
}

/** An MX host's name or a pattern of names; a static route may name a host by its address. */
export const MX_PATTERN: ValueKind<string> = {
  accepted: 'mx1.example.org for this host, *.example.org for all hosts below it, or an IP address',
  read: (text) => (isIP(text) === 0 ? readNamePattern(text) : normalName(text)),
}

/** An envelope sender in the form of {@link normalAddress}, or `<>`, which is written as the empty address. */
export const SENDER: ValueKind<string> = {
  accepted: 'jane@example.org, <> for the null sender (for whole domains there is if-sender-domain[])',
  read: (text) => {
    if (text === '<>') return ''
    const { domain = '' } = splitAddress(text) ?? {}
    return text.includes('*') || readDomainName(domain) === undefined ? undefined : normalAddress(text)
  },
}

/** One spelling for an address: rules are written by people, who do not tell Jane@ from jane@. */
export function normalAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return at === -1
    ? address.toLowerCase()
    : `${address.slice(0, at).toLowerCase()}@${normalName(address.slice(at + 1))}`
}

/** A domain that mail can come from: a name with a dot in it, in its normal form. */
export const MAIL_DOMAIN: ValueKind<string> = {
  accepted: 'a domain name such as example.org',
  read: (text) => {
    const name = readDomainName(text)
    return name?.includes('.') === true && isIP(name) === 0 ? name : undefined
  },
}

/** An address that mail can come from and go to, without quotes; its domain in normal form. */
export const ADDRESS: ValueKind<string> = {
  accepted: 'a mail address such as jane@example.org',
  read: (text) => {
    const { local = '', domain: written = '' } = splitAddress(text) ?? {}
    const domain = MAIL_DOMAIN.read(written)
    if (domain === undefined || local.length + domain.length > 253) return undefined
    return /^[!#-~]+$/.test(local) ? `${local}@${domain}` : undefined
  },
}

/** As {@link DOMAIN_PATTERN}, or a mail address. */
export const ADDRESS_OR_DOMAIN_PATTERN: ValueKind<string> = {
  accepted: `${DOMAIN_PATTERN.accepted}, or a mail address`,
  read: (text) => (text.includes('@') ? ADDRESS.read(normalAddress(text)) : readNamePattern(text)),
}

/** `0`, `>=1`, `<3`: how many attempts were made. */
export const RETRY_RANGE: ValueKind<RetryRange> = {
  accepted: 'a number of attempts such as 0, >=1, >1, <=3 or <3',
  read: (text) => {
    const [, sign, digits] = /^(>=|<=|>|<|)\s*(\d{1,6})$/.exec(text) ?? []
    if (digits === undefined) return undefined
    const range = retryRange(sign ?? '', Number(digits))
    return range.to < 0 ? undefined : range
  },
}

function retryRange(sign: string, number: number): RetryRange {
  switch (sign) {
    case '>=':
      return { from: number, to: Infinity }
    case '>':
      return { from: number + 1, to: Infinity }
    case '<=':
      return { from: 0, to: number }
    case '<':
      return { from: 0, to: number - 1 }
    default:
      return { from: number, to: number }
  }
}

/** A day, as the time at which it begins in UTC. */
export const DAY: ValueKind<Date> = {
  accepted: 'a day such as 2027-01-31',
  read: (text) => {
    if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined
    const day = new Date(`${text}T00:00:00Z`)
    // Date takes 2027-02-30 for the second of March
    return Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text) ? undefined : day
  },
}

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`. */
export const RESOLVER: ValueKind<ResolverAddress> = {
  accepted: 'the IP address of a name server, or address:port ([address]:port for IPv6)',
  read: (text) => {
    if (isIP(text) !== 0) return { address: text, port: 53 }
    const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
    const address = v6 ?? v4 ?? ''
    const port = within(Number(digits ?? 53), 1, 65535)
    if (port === undefined || isIP(address) !== (v6 === undefined ? 4 : 6)) return undefined
    return { address, port }
  },
}
