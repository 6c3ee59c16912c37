/**
 * What has changed in an ini file, for the log.
 *
 * @module
 */

/** Keys whose values nobody is to read in a log. */
const SECRET = /^(?:url|token)/
/** As many changes are told one by one. */
const MOST_TOLD = 10

type Section = Readonly<Record<string, unknown>>

/** "[main] audit = true", "[rule:banks] left out", each change by itself. @param before - as haraka-config gives it */
export function changesIn(before: unknown, after: unknown): readonly string[] {
  const [was, is] = [sectionsOf(before), sectionsOf(after)]
  const changes = namesIn(was, is).flatMap((name) => changesInSection(name, was[name], is[name]))
  const more = changes.length - MOST_TOLD
  return more > 0 ? [...changes.slice(0, MOST_TOLD), `and ${more} more`] : changes
}

function changesInSection(name: string, before: unknown, after: unknown): readonly string[] {
  const [was, is] = [sectionsOf(before), sectionsOf(after)]
  if (after === undefined && Object.keys(was).length > 0) return [`[${name}] left out`]
  const changed = namesIn(was, is).filter((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]))
  return changed.map((key) => `[${name}] ${key} ${valueText(key, is[key])}`)
}

function valueText(key: string, value: unknown): string {
  if (value === undefined) return 'left out'
  if (SECRET.test(key)) return 'changed'
  return `= ${Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : JSON.stringify(value)}`
}

function sectionsOf(ini: unknown): Section {
  return typeof ini === 'object' && ini !== null ? (ini as Section) : {}
}

function namesIn(before: Section, after: Section): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
}
