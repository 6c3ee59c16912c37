/** The real haraka-config, as Haraka's plugins use it: our shipped file with an administrator's file merged over it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface HarakaConfig {
  readonly module_config: (defaults: string, overrides: string) => { readonly get: (name: string) => unknown }
}

/** One for each Haraka that is supported, where they differ. */
const require = createRequire(import.meta.url)
const config = require('haraka-config') as HarakaConfig
const reader = require('haraka-config/lib/reader.js') as { watch_files: boolean }
reader.watch_files = false // the tests should end

const PACKAGE = join(import.meta.dirname, '../../..')

/** The file that the package ships. */
export const shippedFile = readFileSync(join(PACKAGE, 'config/outbound-tls.ini'), 'utf8')

/** What a plugin gets to see when an administrator's file holds `text`; undefined: there is none. */
export function readIni(text: string | undefined, file = 'outbound-tls.ini'): unknown {
  const instance = mkdtempSync(join(tmpdir(), 'outbound-tls-settings-'))
  const complain = console.log
  try {
    mkdirSync(join(instance, 'config'))
    if (text !== undefined) writeFileSync(join(instance, 'config', file), text)
    console.log = () => undefined // where haraka-config says what it drops
    return config.module_config(PACKAGE, instance).get(file)
  } finally {
    console.log = complain
    rmSync(instance, { recursive: true })
  }
}
