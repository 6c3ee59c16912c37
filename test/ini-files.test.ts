import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Plugin } from '../dist/haraka.js'
import { administratorsText, readIni } from '../dist/ini-files.js'

/** As haraka-config does it: of all who asked for a file, the last one hears of its changes. */
function plugin(folder = '/nowhere'): { readonly asking: Plugin; readonly change: () => void } {
  let last: (() => void) | undefined
  const config = {
    root_path: folder,
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

test('the text of a file is that which haraka-config has read, so that files which are saved together are not taken for wrong', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ini-files-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { asking, change } = plugin(folder)
  const text = () => administratorsText(asking, 'outbound-tls.report.ini')
  const heard: unknown[] = []
  readIni(asking, 'outbound-tls.report.ini', () => heard.push(text()))
  assert.equal(text(), '')
  writeFileSync(join(folder, 'outbound-tls.report.ini'), 'send = hourly\n')
  assert.equal(text(), '', 'as it was when another file is read again')
  change()
  assert.deepEqual(heard, ['send = hourly\n'])
})
