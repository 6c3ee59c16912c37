/**
 * What a call of the store gives, and how it is logged.
 *
 * @module
 */

/** A value, or why there is none, in words for a log. No delivery and no report may fail by the store. */
export type Done<Result> = { readonly ok: true; readonly value: Result } | { readonly ok: false; readonly text: string }

export type Log = (level: 'crit' | 'error' | 'warn' | 'notice' | 'info' | 'debug', text: string) => void
