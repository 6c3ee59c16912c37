import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plugin } from '../../dist/haraka.js'
import { followConfiguration } from '../../dist/status/configuration.js'

const FILE = 'outbound-tls.status.ini'

/** A plugin whose status file has this path, until it is changed. */
function pluginWith(path: string): { readonly plugin: Plugin; readonly log: string[]; change: (path: string) => void } {
  const listeners = new Map<string, () => void>()
  const log: string[] = []
  let now = path
  const config = {
    root_path: '/nowhere',
    get: (file: string, _type: 'ini', changed: () => void) => {
      listeners.set(file, changed)
      return { main: file === FILE ? { path: now } : {} }
    },
  }
  return {
    plugin: { config, logcrit: (line: string) => log.push(line) } as unknown as Plugin,
    log,
    change: (changed) => {
      now = changed
      listeners.get(FILE)?.()
    },
  }
}

test('a reload that fails says that the last good settings stay in force, where there are any', () => {
  for (const [before, isConfigured] of [
    ['/tls', true],
    ['nonsense', false],
  ] as const) {
    const { plugin, log, change } = pluginWith(before)
    const { status } = followConfiguration(plugin, () => assert.fail('nothing has changed'))
    log.length = 0
    change('no path')
    assert.match(log.join('\n'), /outbound-tls\.status\.ini \[main\] path/)
    assert.equal(log.join('\n').includes('the last good settings stay in force'), isConfigured)
    assert.equal(status()?.path, isConfigured ? '/tls' : undefined)
  }
})
