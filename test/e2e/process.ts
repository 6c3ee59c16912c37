/**
 * The process of a Haraka, and the talk with the plugin of the test ground within it.
 *
 * @module
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createLog, type Log } from './log.ts'
import type { GroundEvent, GroundQuestion } from './protocol.ts'

export interface Running {
  readonly child: ChildProcess
  readonly log: Log
  readonly port: number
}

/** Starts the process and waits until all its workers listen. */
export async function startProcess(
  core: string,
  folder: string,
  nodes: number,
  onEvent: (event: GroundEvent) => void,
): Promise<Running> {
  const child = fork(join(core, '..', 'bin', 'haraka'), ['-c', folder], {
    cwd: folder,
    env: { ...process.env, NODE_PATH: undefined, HARAKA: undefined, NODE_ENV: undefined, NODE_TEST_CONTEXT: undefined },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  if (child.stdout === null || child.stderr === null) throw new Error('no output')
  const log = createLog(child.stdout, child.stderr)
  let missing = Math.max(nodes, 1)
  let timer: NodeJS.Timeout | undefined
  const port = await new Promise<number>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`Haraka ${why}:\n${log.tail()}`))
    timer = setTimeout(() => fail('does not start'), 60_000)
    child.once('error', reject)
    child.once('close', (code) => fail(`ended with ${code ?? 'a signal'}`))
    child.on('message', ({ ground }: { ground: GroundEvent }) => {
      onEvent(ground)
      if (ground.event === 'ready' && --missing === 0) resolve(ground.port)
    })
  })
    .catch(async (error: unknown) => {
      await end(child, 'SIGKILL')
      throw error
    })
    .finally(() => clearTimeout(timer))
  return { child, log, port }
}

/** Ends this child and no other process. */
export async function end(child: ChildProcess, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await once(child, 'exit')
  clearTimeout(timer)
}

export interface Talk {
  /** One answer of each worker. */
  readonly ask: (child: ChildProcess, question: GroundQuestion) => Promise<unknown[]>
  readonly heard: (event: GroundEvent) => void
}

/** @param patience - milliseconds until a question without answers fails */
export function createTalk(workers: number, patience: number): Talk {
  const answers = new Map<number, (value: unknown) => void>()
  let lastId = 0
  return {
    heard: (event) => {
      if (event.event === 'answer') answers.get(event.id)?.(event.value)
    },
    ask: (child, question) => {
      const id = ++lastId
      const values: unknown[] = []
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`Haraka does not answer: ${question.ask}`)), patience)
        answers.set(id, (value) => {
          if (values.push(value) < workers) return
          clearTimeout(timer)
          answers.delete(id)
          resolve(values)
        })
        child.send({ ground: { ...question, id } })
      })
    },
  }
}
