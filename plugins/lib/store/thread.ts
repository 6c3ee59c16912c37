/**
 * The thread of a store: it loads the modules that calls are for, and answers each call, whatever happens.
 *
 * @module
 */

import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { errorText } from '../error-text'
import type { Database, DatabaseEngine, StoreModule } from './database'
import { createPostgres } from './postgres'
import type { CallResult, CallMessage, StoreOptions, ThreadMessage } from './messages'
import type { Log } from './done'
import { createSqlite } from './sqlite'

type Method = (database: Database, ...values: readonly unknown[]) => Promise<unknown>
type LoadedModule = StoreModule<Readonly<Record<string, Method>>>

/** A call is made again after damage, or where tables have gone: each may happen on the way. */
const MOST_TRIES = 4

const requireFile = createRequire(__filename)
const modules = new Map<string, LoadedModule>()
const log: Log = (level, text) => tell({ level, text })
const options = workerData as StoreOptions
const engine = options.engine === 'sqlite' ? createSqlite(options, log) : createPostgres(options)

parentPort?.on('message', (message: CallMessage | 'close') => {
  if (message === 'close') void close(engine)
  else void answer(engine, message)
})

async function answer(engine: DatabaseEngine, call: CallMessage): Promise<void> {
  const { id, waiting } = call
  const answer = await perform(engine, call)
  if (waiting === undefined) return tell({ id, answer })
  waiting.port.postMessage(answer)
  Atomics.store(waiting.flag, 0, 1)
  Atomics.notify(waiting.flag, 0)
}

async function perform(engine: DatabaseEngine, { file, method, values }: CallMessage): Promise<CallResult> {
  for (let tries = 1; ; tries++) {
    try {
      const module = load(file)
      await engine.prepare(module)
      return { ok: true, value: await module.methods[method]?.(engine, ...values) }
    } catch (error) {
      const judgement = await engine.judge(error).catch(() => 'unavailable')
      if (judgement === 'again' && tries < MOST_TRIES) continue
      return { ok: false, text: `${engine.place}: ${errorText(error)}`, isUnavailable: judgement !== 'failed' }
    }
  }
}

function load(file: string): LoadedModule {
  const known = modules.get(file) ?? (requireFile(file) as { readonly sql: LoadedModule }).sql
  modules.set(file, known)
  return known
}

async function close(engine: DatabaseEngine): Promise<void> {
  await engine.close().catch(() => undefined)
  tell('closed')
}

function tell(message: ThreadMessage): void {
  try {
    parentPort?.postMessage(message)
  } catch (error) {
    // a value that cannot be cloned is a mistake in a module
    if (typeof message === 'object' && 'id' in message)
      parentPort?.postMessage({ id: message.id, answer: { ok: false, text: errorText(error) } })
  }
}
