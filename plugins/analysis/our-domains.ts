/**
 * The domains that this Haraka takes mail for, as far as its files say: config/host_list, config/host_list_regex and config/me.
 *
 * They are read past haraka-config, which would tell us of their changes instead of those whose files they are.
 *
 * @module
 */

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createOursTest, type ReceivedPolicy } from '../lib/tlsrpt/parsing'

const FILES = ['host_list', 'host_list_regex', 'me'] as const

export type OursTest = (policy: ReceivedPolicy) => boolean

/** Whether policies are about these domains, as the files are each time that it is asked for. */
export function createHostListTest(configDirectory: string): () => OursTest {
  const paths = FILES.map((name) => join(configDirectory, name))
  let known: { readonly stamps: string; readonly test: OursTest } | undefined
  return () => {
    const stamps = paths.map(stampOf).join()
    if (known?.stamps !== stamps) known = { stamps, test: read(paths) }
    return known.test
  }
}

function read(paths: readonly string[]): OursTest {
  const [hosts = [], patterns = [], [me] = []] = paths.map(linesOf)
  const pattern = patterns.length === 0 ? undefined : regularExpression(patterns)
  return createOursTest([...hosts, ...(me === undefined ? [] : [me])], (domain) => pattern?.test(domain) ?? false)
}

/** As core's rcpt_to.host_list_base reads it. A malformed one is core's to complain of. */
function regularExpression(patterns: readonly string[]): RegExp | undefined {
  try {
    return new RegExp(`^(?:${patterns.join('|')})$`, 'i')
  } catch {
    return undefined
  }
}

/** As haraka-config reads a list. */
function linesOf(path: string): readonly string[] {
  try {
    const lines = readFileSync(path, 'utf8').split(/\r\n|\r|\n/)
    return lines.map((line) => line.trim()).filter((line) => line !== '' && !/^[#;]/.test(line))
  } catch {
    return []
  }
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? '' : `${found.mtimeMs} ${found.size}`
}
