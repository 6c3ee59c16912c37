/**
 * What the log says of a message, host by host, in the log's own words but shorter. Pure.
 *
 * @module
 */

/** Log lines that are worth telling, and what is left of each. Undefined: not worth it after all. */
const tellings: readonly (readonly [RegExp, (...found: string[]) => string | undefined])[] = [
  [/ refused all hosts for \S+: (.*)\. Deferred\.$/, (why) => why],
  [/ refused (\S+?)(?:\[\S+)? for \S+: (.*)\. [A-Z][^.]*\.$/, (host, why) => `${host} refused: ${why}`],
  [
    / TLS connection to (\S+?)\[\S+: (TLSv\S+) with cipher [^\s,;]+(?: key-exchange [^\s,;]+)?(.*)$/,
    (host, version, proof) => `${host}: ${version}${proof}`,
  ],
  [/ (\S+) (presents (?:a new key|another|a valid).*)$/, (host, what) => `${host} ${what}`],
  [/ Clear-text connection to (\S+?)\[\S+: (.*)$/, (host, why) => `${host}: in clear text: ${why}`],
  [
    // of a host that was refused, the failure goes without saying
    / outcome for \S+ at \S+: (?!refused)[^;]+; (.*)$/,
    (results = '') => (results.split('; ').every(isSuccess) ? undefined : `recorded: ${results}`),
  ],
]

function isSuccess(result: string): boolean {
  return result.endsWith(' success')
}

/** @param lines - those about one attempt to reach the domain */
export function storyOf(domain: string, lines: readonly string[]): string[] {
  const told = lines.flatMap((line) => tell(line) ?? []).map((text) => text.replaceAll(`.${domain}`, '').trim())
  // it is logged before the session goes on, but read after what it is about
  const isRecord = (text: string): boolean => text.startsWith('recorded: ')
  return [...told.filter((text) => !isRecord(text)), ...told.filter(isRecord)]
}

function tell(line: string): string | undefined {
  for (const [pattern, telling] of tellings) {
    const found = pattern.exec(line)
    if (found !== null) return telling(...found.slice(1))
  }
  return undefined
}

/** The word for the last TLS connection: Verified, Trusted or Untrusted. */
export function levelIn(lines: readonly string[]): string {
  return lines.map((line) => / (\w+) TLS connection to /.exec(line)?.[1]).findLast(Boolean) ?? 'TLS'
}
