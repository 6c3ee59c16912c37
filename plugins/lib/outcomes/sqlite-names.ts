/**
 * Numbers for what has a name: recipient domains, and all other texts (hosts, policies, details, TLS versions).
 *
 * Each remembers the last day it was used on. What was not used on any day that is kept, nothing refers to.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { Connection } from '../store'
import { NOTHING } from './sqlite-tables'

/** The number of a recipient domain that is used on a day. Numbers are not used again. */
export function useDomain({ prepare }: Connection, name: string, day: number): number {
  const row = prepare('SELECT id, seen FROM domain WHERE name = ?').get(name)
  if (row !== undefined) {
    if (Number(row.seen) < day) prepare('UPDATE domain SET seen = ? WHERE name = ?').run(day, name)
    return Number(row.id)
  }
  const next = prepare("UPDATE number SET value = value + 1 WHERE name = 'last domain' RETURNING value").get()
  const id = Number(next?.value)
  prepare('INSERT INTO domain VALUES (?, ?, ?)').run(name, id, day)
  return id
}

/** The number of a text; undefined: it is not there. Found by its hash, so that there is but one copy of it. */
export function findText({ prepare }: Connection, text: string): number | undefined {
  const row = prepare('SELECT id FROM text WHERE hash = ? AND text = ?').get(hashOf(text), text)
  return row === undefined ? undefined : Number(row.id)
}

/** The number of a text that is used on a day. */
export function useText({ prepare }: Connection, text: string | undefined, day: number): number {
  if (text === undefined) return NOTHING
  const hash = hashOf(text)
  const row = prepare('SELECT id, seen FROM text WHERE hash = ? AND text = ?').get(hash, text)
  if (row === undefined)
    return Number(prepare('INSERT INTO text (hash, seen, text) VALUES (?, ?, ?)').run(hash, day, text).lastInsertRowid)
  if (Number(row.seen) < day) prepare('UPDATE text SET seen = ? WHERE id = ?').run(day, Number(row.id))
  return Number(row.id)
}

export function textOf({ prepare }: Connection, id: number): string | undefined {
  if (id === NOTHING) return undefined
  const row = prepare('SELECT text FROM text WHERE id = ?').get(id)
  return row === undefined ? undefined : String(row.text)
}

/** 48 bits: nobody finds texts by the thousand that share them. */
function hashOf(text: string): number {
  return parseInt(hash('sha256', text).slice(0, 12), 16)
}
