/**
 * The ini files of this package, as several of its plugins read them within one process.
 *
 * haraka-config tells nobody but the last one who asked for a file that the file has changed, and whoever asks without wanting to
 * know keeps all others from hearing of it. So the plugins ask here, and each of them hears.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from './haraka'

const listeners = new Map<string, Set<() => void>>()
/** The administrator's files as they were when haraka-config last read them, by their paths. */
const texts = new Map<string, string>()

/**
 * Reads a file, the administrator's over ours. Never to be used for a file of core's: that would keep core from hearing of its changes.
 *
 * @param changed - called some seconds after the file was written; the same function may be passed again, and is called once
 */
export function readIni(plugin: Plugin, file: string, changed: () => void): unknown {
  const known = listeners.get(file) ?? new Set()
  listeners.set(file, known.add(changed))
  return plugin.config.get(file, 'ini', () => {
    texts.delete(administratorsPath(plugin, file))
    for (const listener of known) listener()
  })
}

/**
 * What haraka-config drops without a word, a malformed line or the whole file, is found in the administrator's file itself. It is read
 * when haraka-config has read it: where several files are saved together, one of them is asked for when another one was read again.
 */
export function administratorsText(plugin: Plugin, file: string): string | Error {
  const path = administratorsPath(plugin, file)
  const known = texts.get(path)
  if (known !== undefined) return known
  try {
    const text = readFileSync(path, 'utf8')
    texts.set(path, text)
    return text
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      texts.set(path, '') // none: the defaults apply
      return ''
    }
    return error instanceof Error ? error : new Error(String(error))
  }
}

function administratorsPath(plugin: Plugin, file: string): string {
  return join(configDirectory(plugin), file)
}

/** Where the administrator's files are. */
export function configDirectory({ config }: Plugin): string {
  return config.overrides_path ?? config.root_path
}
