/**
 * Another process with a store.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { StoreOptions } from '../../../dist/lib/store/index.js'
import { sqlite } from '../../support/store.ts'

const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)

/**
 * Starts a script that has `store`, `probe`, `probeNow` and `log`, on the store of the test.
 *
 * @param as - what a shell does to become the process
 */
export function start(
  t: TestContext,
  script: string,
  options: StoreOptions = sqlite.options(t),
  as = 'exec',
): ChildProcess {
  const source = `
    import { createStore } from ${at('../../../dist/lib/store/index.js')}
    import { sql } from ${at('./probe.ts')}
    const log = (level, text) => console.log(level, text)
    const store = createStore(JSON.parse(process.argv[1]), log)
    const [probe, probeNow] = [store.module(sql), store.moduleNow(sql)]
    ${script}`
  const node = [process.execPath, '--input-type=module', '-e', source, JSON.stringify(options)]
  const started = spawn('bash', ['-c', `${as} "$@"`, 'bash', ...node], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => started.kill('SIGKILL'))
  return started
}

/** The same, and what it says until it ends. */
export async function child(
  t: TestContext,
  script: string,
  options?: StoreOptions,
  as?: string,
): Promise<{ readonly code: unknown; readonly out: string }> {
  const started = start(t, script, options, as)
  const ended = once(started, 'exit')
  const out = await text(started.stdout ?? assert.fail())
  const [code] = (await ended) as [unknown]
  return { code, out }
}

/** When a process says a line. */
export async function says({ stdout }: ChildProcess, line: string): Promise<void> {
  for await (const chunk of stdout ?? assert.fail()) if (String(chunk).includes(line)) return
  assert.fail(`it never said ${line}`)
}
