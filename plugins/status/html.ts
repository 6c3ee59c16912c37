/**
 * HTML from templates. Whatever is put into one is text and stays text: escaped, with every character made visible that could hide
 * something or turn the line around. Only what a template made is markup.
 *
 * @module
 */

const MARKUP = Symbol('markup')

/** What a template made. */
export interface Html {
  readonly [MARKUP]: string
}

/** What may stand in a template. Nothing is shown for undefined, null and false. */
export type Part = Html | string | number | undefined | null | false | readonly Part[]

/** Attribute values must stand in double quotes in the template. The indentation of its lines is left out. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const shown = withoutIndentation(texts).map((text, index) => text + markupOf(parts[index]))
  return { [MARKUP]: shown.join('') }
}

const templates = new WeakMap<TemplateStringsArray, readonly string[]>()

function withoutIndentation(texts: TemplateStringsArray): readonly string[] {
  const known = templates.get(texts) ?? texts.map((text) => text.replace(/\n +/g, '\n'))
  templates.set(texts, known)
  return known
}

/** Markup of ours that is no template. */
export function ours(markup: string): Html {
  return { [MARKUP]: markup }
}

/** The text of what a template made. */
export function markupOf(part: Part): string {
  if (part === undefined || part === null || part === false) return ''
  if (typeof part === 'string' || typeof part === 'number') return escape(visible(String(part)))
  if (MARKUP in part) return part[MARKUP]
  return part.map(markupOf).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/**
 * Control and format characters (those that turn the direction of writing among them), lone surrogates, private and unassigned ones.
 * Tabs and line ends are text.
 */
const INVISIBLE = /[^\P{C}\t\n]|\u2028|\u2029|\u034f|\u115f|\u1160|\u3164|\uffa0/gu

/** Text in which nothing is hidden: `\u{202e}` for what cannot be seen. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** A stranger's text, as long as anybody would read it. */
export function short(text: string, longest = 300): string {
  return text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text
}
