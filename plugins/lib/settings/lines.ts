/**
 * The lines of an ini file that haraka-config drops or merges without an error: a section header with a comment behind
 * it would hand its keys to the section above, a key that is written twice keeps its last value. Both could weaken
 * what an administrator asked for, so both are configuration errors.
 *
 * @module
 */

import { configurationError, type ConfigurationError } from './errors'
import { isSection } from './keys'

const BLANK_OR_COMMENT = /^\s*(?:[;#].*)?$/
const SECTION = /^\s*\[([^\]]*)\]\s*$/
const PARAMETER = /^\s*([\w@:._+\-/]+)(\[\])?\s*=/

/** One thing wrong with a line, and where it stands. */
interface Complaint {
  readonly section: string
  readonly key?: string
  readonly line: string
  readonly number: number
  readonly accepted: string
}

/**
 * Checks the text of a file line by line.
 *
 * @param sections - what haraka-config made of it: each section and key of the text must be in there
 */
export function checkLines(
  file: string,
  text: string,
  sections: Readonly<Record<string, unknown>>,
): readonly ConfigurationError[] {
  return complaints(text, sections).map(({ section, key, line, number, accepted }) =>
    configurationError({ file, section: `[${section}]` }, key, line.trim(), `line ${number}: ${accepted}`),
  )
}

function complaints(text: string, sections: Readonly<Record<string, unknown>>): readonly Complaint[] {
  const found: Complaint[] = []
  const seen = new Map<string, boolean>()
  let section = 'main'
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (BLANK_OR_COMMENT.test(line)) continue
    const complain = (accepted: string, key?: string) =>
      found.push({ section, line, number: index + 1, accepted, ...(key === undefined ? {} : { key }) })

    const heading = SECTION.exec(line)?.[1]?.trim()
    if (heading !== undefined) {
      section = heading
      if (seen.has(`[${heading}]`)) complain('a section is written once, this one stands above already')
      seen.set(`[${heading}]`, false)
      continue
    }
    const [, key, brackets] = PARAMETER.exec(line) ?? []
    if (key === undefined) {
      complain('neither [section] nor key = value')
      continue
    }
    const isList = brackets !== undefined
    const before = seen.get(`[${section}] ${key}`)
    seen.set(`[${section}] ${key}`, isList)
    if (/\\[ \t]*$/.test(line)) complain('a value cannot be continued on the next line', key)
    else if (before !== undefined && !(before && isList)) complain(`${key} is written once in a section`, key)
    else if (!takenOver(sections, section, key)) complain('haraka-config did not take this line over', key)
  }
  return found
}

function takenOver(sections: Readonly<Record<string, unknown>>, name: string, key: string): boolean {
  const section = Object.hasOwn(sections, name) ? sections[name] : undefined
  return isSection(section) && Object.hasOwn(section, key)
}
