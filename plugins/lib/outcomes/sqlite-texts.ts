/**
 * Numbers for texts: policies, details, kinds of sessions. Each is written once, and remembers the last day it was used on: what was not
 * used on any day that is kept, nothing refers to.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { Connection } from '../store'

/**
 * Stands for the recipient domain in a text, so that one copy of `mx: *.mail.example.net` or of `mx1` within their own domain does for
 * all domains that have the like. JSON has no such character in it.
 */
const DOMAIN = '\u0001'

/** The texts of one transaction: none is looked for twice within it. */
export interface Texts {
  /** The number of a text that is used for a domain on a day. */
  readonly use: (domain: string, text: string, day: number) => number
  /** The number of a text; undefined: it is not there. */
  readonly find: (domain: string, text: string) => number | undefined
}

/** @param connection - in a transaction, the numbers are good for it alone: what it adds may be undone with it */
export function openTexts(connection: Connection): Texts {
  const used = new Map<string, number>()
  return {
    use: (domain, text, day) => {
      const short = shorten(domain, text)
      const key = `${day} ${short}`
      const id = used.get(key) ?? useText(connection, short, day)
      used.set(key, id)
      return id
    },
    find: (domain, text) => {
      const short = shorten(domain, text)
      return findText(connection, hashOf(short), short)?.id
    },
  }
}

/**
 * Texts by their numbers, see {@link lengthen}. Those that are missing, since something else has written into the file, are left out.
 *
 * @param longest - how many characters are wanted of each
 */
export function textsOf({ prepare }: Connection, ids: readonly number[], longest: number): ReadonlyMap<number, string> {
  const found = prepare(
    `SELECT group_concat(text.id || ' ' || substr(text, 1, ?), char(10)) AS texts
     FROM json_each(?) AS wanted CROSS JOIN text ON text.id = wanted.value`,
  ).get(longest, JSON.stringify(ids))
  return readNumbered(found?.texts)
}

/**
 * Reads lines that begin with a number. Many small values come out of SQLite as one text, for to make one here, of each, is what takes
 * the time.
 */
export function readNumbered(lines: unknown): ReadonlyMap<number, string> {
  if (typeof lines !== 'string') return new Map()
  return new Map(
    lines.split('\n').map((line) => {
      const space = line.indexOf(' ')
      return [Number(line.slice(0, space)), line.slice(space + 1)]
    }),
  )
}

/** A text as it was written for a domain. */
export function lengthen<Text extends string | undefined>(domain: string, text: Text): string | Text {
  return text === undefined || isOfAnyDomain(text) ? text : text.split(DOMAIN).join(domain)
}

/** Whether a text is the same for all domains: it does not name the one it was written for. */
export function isOfAnyDomain(text = DOMAIN): boolean {
  return !text.includes(DOMAIN)
}

function shorten(domain: string, text: string): string {
  return domain === '' ? text : text.replaceAll(domain, DOMAIN)
}

function useText(connection: Connection, text: string, day: number): number {
  const { prepare } = connection
  const hash = hashOf(text)
  const known = findText(connection, hash, text)
  if (known === undefined)
    return Number(prepare('INSERT INTO text (hash, seen, text) VALUES (?, ?, ?)').run(hash, day, text).lastInsertRowid)
  if (known.seen < day) prepare('UPDATE text SET seen = ? WHERE id = ?').run(day, known.id)
  return known.id
}

/** Found by its hash, so that there is but one copy of it. */
function findText(
  { prepare }: Connection,
  hash: number,
  text: string,
): { readonly id: number; readonly seen: number } | undefined {
  const row = prepare('SELECT id, seen FROM text WHERE hash = ? AND text = ?').get(hash, text)
  return row && { id: Number(row.id), seen: Number(row.seen) }
}

/** 48 bits: nobody finds texts by the thousand that share them. */
function hashOf(text: string): number {
  return parseInt(hash('sha256', text).slice(0, 12), 16)
}
