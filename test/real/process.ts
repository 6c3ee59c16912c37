/**
 * A server of somebody else's, run as an ordinary process of ours: no system service, nothing left behind.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createLog, type Log } from '../e2e/log.ts'

export interface ServerProcess {
  readonly log: Log
  readonly stop: () => Promise<void>
  /** SIGSTOP, SIGCONT; after SIGKILL it waits for the end */
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL') => Promise<void>
}

/**
 * Starts a program in the foreground, and waits until it says that it is ready.
 *
 * @param terminate - tells it to end; default: SIGTERM
 */
export async function startServer(
  path: string,
  parameters: readonly string[],
  isReady: RegExp,
  terminate?: () => void,
): Promise<ServerProcess> {
  const child = spawn(path, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createLog(child.stdout, child.stderr)
  const isOver = (): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  const stop = async (): Promise<void> => {
    if (isOver()) return
    if (terminate === undefined) child.kill('SIGTERM')
    else terminate()
    child.kill('SIGCONT') // one that is stopped hears of nothing
    await once(child, 'exit')
  }
  const signal: ServerProcess['signal'] = async (name) => {
    if (isOver()) return
    child.kill(name)
    if (name === 'SIGKILL') await once(child, 'exit')
  }
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${path} ended:\n${log.tail()}`)
  })
  try {
    await Promise.race([log.waitFor(isReady), ended])
  } catch (error) {
    await stop()
    throw error
  }
  ended.catch(() => undefined) // from here on it may
  return { log, stop, signal }
}
