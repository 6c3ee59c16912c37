/**
 * Configuration errors: what an administrator reads when a file is not accepted.
 *
 * @module
 */

/** One thing in a file that is not accepted. At start-up the plugin refuses to load, at reload the last good settings stay. */
export interface ConfigurationError {
  readonly file: string
  /** with its brackets: `[main]` */
  readonly section: string
  readonly key: string | undefined
  /** as it was written; never that of a password, or of what may hold one */
  readonly value: string | undefined
  /** what would have been accepted */
  readonly accepted: string
  /** all of the above as one log line */
  readonly text: string
}

/** Where a value stands. */
export interface Place {
  readonly file: string
  readonly section: string
}

const LONGEST_VALUE = 120
const SECRET_KEY = /pas|pwd|secret|token|^url/i
/** A URL may hold a password, whatever the key is called. */
const SECRET_VALUE = /:\/\/[^/]*@/

/** Composes an error. `value` may be anything that stood in the file: it is shortened and escaped for the log. */
export function configurationError(
  { file, section }: Place,
  key: string | undefined,
  value: string | undefined,
  accepted: string,
): ConfigurationError {
  // without a key, the value is a whole line
  const isSecret = SECRET_KEY.test(key ?? value ?? '') || SECRET_VALUE.test(value ?? '')
  const shown = isSecret ? undefined : value?.slice(0, LONGEST_VALUE)
  const shownKey = SECRET_VALUE.test(key ?? '') ? undefined : key
  const where = [file, section, shownKey].filter((part) => part !== undefined).join(' ')
  const what = shown === undefined ? '' : ` = ${JSON.stringify(shown)}`
  const hint = /\s[;#]/.test(shown ?? '') ? ' (a comment needs a line of its own)' : ''
  return { file, section, key, value: shown, accepted, text: `${where}${what}: ${accepted}${hint}` }
}
