/**
 * What was bent about a report that could be read all the same (V7, V8).
 *
 * @module
 */

/** Stable: they are stored, counted and searched for. */
export type NoteCode =
  | 'byte-order-mark'
  | 'not-utf-8'
  | 'trailing-data'
  | 'repeated-keys'
  | 'null-value'
  | 'not-text'
  | 'not-a-list'
  | 'not-an-object'
  | 'text-cut'
  | 'organization-missing'
  | 'contact-missing'
  | 'contact-invalid'
  | 'report-id-missing'
  | 'date-without-zone'
  | 'date-without-time'
  | 'date-as-number'
  | 'policies-empty'
  | 'policy-type-unknown'
  | 'policy-domain-missing'
  | 'policy-domain-invalid'
  | 'policy-strings-cut'
  | 'list-in-string'
  | 'count-as-string'
  | 'count-missing'
  | 'counts-differ'
  | 'count-of-summary'
  | 'result-type-missing'
  | 'result-type-unknown'
  | 'address-invalid'
  | 'host-invalid'
  | 'details-folded'

export interface Note {
  readonly code: NoteCode
  /** for people, about its first occurrence; of printable US-ASCII */
  readonly text: string
}

/** Each code once, however often it happened. */
export interface ReportNotes {
  add(code: NoteCode, text: string): void
  all(): readonly Note[]
}

export function createNotes(): ReportNotes {
  const notes = new Map<NoteCode, Note>()
  return {
    add: (code, text) => {
      if (!notes.has(code)) notes.set(code, { code, text })
    },
    all: () => [...notes.values()],
  }
}
