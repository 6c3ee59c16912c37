import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { Plugin } from '../dist/haraka.js'
import { readMainSettings, tellReading } from '../dist/main-settings.js'

/** A plugin whose administrator has written this. */
function pluginWith(t: TestContext, text: string, ini: object = { main: {} }): Plugin {
  const folder = mkdtempSync(join(tmpdir(), 'main-settings-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'outbound-tls.ini'), text)
  return { config: { root_path: folder, get: () => ini } } as unknown as Plugin
}

function read(plugin: Plugin): ReturnType<typeof readMainSettings> {
  return readMainSettings(plugin, () => undefined)
}

describe('outbound-tls.ini, for a plugin that only needs the store in it', () => {
  test('a line that haraka-config drops is an error', (t) => {
    const result = read(pluginWith(t, 'nonsense\n'))
    assert.ok(!result.ok)
    assert.match(result.errors.join(), /outbound-tls\.ini \[main\].*neither \[section\] nor key = value/)
  })

  test('a ca-file that is not there is an error', (t) => {
    const result = read(pluginWith(t, '', { main: { 'ca-file': 'missing.pem' } }))
    assert.ok(!result.ok)
    assert.match(result.errors.join(), /ca-file = "missing\.pem".*ENOENT/)
  })

  test('an empty file leaves everything at its default', (t) => {
    const result = read(pluginWith(t, ''))
    assert.ok(result.ok)
    assert.equal(result.settings.store.path, 'outbound-tls.db')
  })
})

test('what was wrong is told at each reading, and once that nothing is any more', () => {
  const said: string[] = []
  const log = (level: string) => (text: string) => said.push(`${level} ${text}`)
  const plugin = {
    name: 'report',
    logcrit: log('crit'),
    lognotice: log('notice'),
    logwarn: log('warn'),
  } as unknown as Plugin
  const tell = (errors: readonly string[]) => tellReading(plugin, 'a.ini', { errors, warnings: [] }, true)
  tell([])
  tell(['no such key'])
  tell([])
  tell([])
  assert.deepEqual(said, [
    'crit no such key',
    'crit a.ini: the last good settings stay in force',
    'notice a.ini: nothing is wrong any more, the new settings are in force',
  ])
})
