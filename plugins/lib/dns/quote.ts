/**
 * Remote text in a sentence for people: printable, short, and unable to pretend that it is anything else.
 *
 * @module
 */

const LONGEST = 80

/** `text` in double quotes, cut to 80 characters; whatever is not printable US-ASCII is escaped. */
export function quote(text: string): string {
  const shown = text.slice(0, LONGEST).replace(/[^\x20-\x7e]|["\\]/g, escapeCharacter)
  return `"${shown}"${text.length > LONGEST ? '…' : ''}`
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
