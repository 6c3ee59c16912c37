/**
 * Which sections a file may have.
 *
 * @module
 */

import { configurationError, type ConfigurationError } from './errors'
import { isSection } from './keys'

/**
 * Sections that are malformed or unknown.
 *
 * @param isKnown - whether a section may have this name
 * @param accepted - the names that are accepted, for people
 */
export function sectionErrors(
  file: string,
  sections: Readonly<Record<string, unknown>>,
  isKnown: (name: string) => boolean,
  accepted: string,
): readonly ConfigurationError[] {
  return Object.keys(sections).flatMap((name) => {
    const place = { file, section: `[${name.slice(0, 120)}]` }
    if (!isSection(sections[name])) return [configurationError(place, undefined, undefined, 'is no section')]
    if (isKnown(name)) return []
    return [configurationError(place, undefined, undefined, `unknown section, accepted sections: ${accepted}`)]
  })
}
