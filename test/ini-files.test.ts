import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plugin } from '../dist/haraka.js'
import { readIni } from '../dist/ini-files.js'

/** As haraka-config does it: of all who asked for a file, the last one hears of its changes. */
function plugin(): { readonly asking: Plugin; readonly change: () => void } {
  let last: (() => void) | undefined
  const config = {
    get: (_name: string, _type: 'ini', changed?: () => void) => {
      last = changed
      return { main: {} }
    },
  }
  return { asking: { config } as unknown as Plugin, change: () => last?.() }
}

test('every plugin hears that a file has changed, whoever asked for it last, and once however often it has asked', () => {
  const { asking, change } = plugin()
  const heard: string[] = []
  const enforce = () => {
    heard.push('enforce')
    readIni(asking, 'outbound-tls.ini', enforce) // as a plugin does when it reads the file again
  }
  readIni(asking, 'outbound-tls.ini', enforce)
  readIni(asking, 'outbound-tls.ini', () => heard.push('status'))
  readIni(asking, 'outbound-tls.status.ini', () => heard.push('another file'))
  readIni(asking, 'outbound-tls.ini', enforce)
  change()
  assert.deepEqual(heard, ['enforce', 'status'])
})
