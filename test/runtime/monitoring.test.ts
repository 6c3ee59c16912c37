import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { Plugin } from '../../dist/runtime/haraka.js'
import type { StoreSettings } from '../../dist/lib/settings/index.js'
import { flushMonitor, machineName, monitorStore, monitoring, useMonitor } from '../../dist/runtime/monitoring.js'
import { done } from '../lib/monitor/facts.ts'
import { openMonitor } from '../support/modules.ts'

/** An instance of Haraka, as a plugin of it sees it. */
function instance(t: TestContext): { readonly plugin: Plugin; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'monitoring-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const config = { root_path: join(folder, 'config'), get: () => ({ main: {} }) }
  return { plugin: { config, logcrit: () => undefined } as unknown as Plugin, folder }
}

function settings(path: string): StoreSettings {
  return { engine: 'sqlite', path, url: undefined, retention: 86_400_000 }
}

/** What a file has for this machine. */
async function lostIn(folder: string, file: string): Promise<number | undefined> {
  const store = openMonitor({ path: join(folder, file), create: false })
  const amounts = await done(store.amounts(machineName))
  store.end()
  return amounts[0]?.value
}

describe('what all plugins of a process note', () => {
  test('goes to one store, and after a change of [store] to the next, none of it lost', async (t) => {
    const { plugin, folder } = instance(t)
    monitoring.count('outcomesLost', {}) // before there are settings
    useMonitor(plugin, settings('a.db'))
    const first = monitorStore()
    useMonitor({ ...plugin }, settings('a.db')) // another plugin
    assert.equal(monitorStore(), first)
    monitoring.count('outcomesLost', {}, 2)
    useMonitor(plugin, settings('b.db'))
    monitoring.count('outcomesLost', {}, 3)
    await flushMonitor()

    assert.equal(await lostIn(folder, 'b.db'), 3)
    assert.equal(await lostIn(folder, 'a.db'), 2)
    monitorStore()?.end()
  })

  test('is written at the end of the process, what the last moment brought, too', async (t) => {
    const { folder } = instance(t)
    const script = `
      const { monitoring, useMonitor, flushMonitor } = require(${JSON.stringify(join(import.meta.dirname, '../../dist/runtime/monitoring.js'))})
      const config = { root_path: ${JSON.stringify(join(folder, 'config'))}, get: () => ({ main: {} }) }
      useMonitor({ config, logcrit: console.error }, ${JSON.stringify(settings('a.db'))})
      monitoring.count('outcomesLost', {}, 2)
      flushMonitor().then(() => {
        monitoring.count('outcomesLost', {}, 3)
        process.exit()
      })`
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(await lostIn(folder, 'a.db'), 5)
  })
})
