/**
 * A real Haraka for end-to-end tests: its own process, its own instance, on loopback.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInstance, mergeIni, type ConfigFiles, type Ini } from './instance.ts'
import type { Log } from './log.ts'
import { createOutcomes, type Outcome } from './outcome.ts'
import { repository } from './package.ts'
import { createTalk, end, startProcess } from './process.ts'
import type { GroundQuestion, MessageEvent } from './protocol.ts'
import type { Routes } from './plugins/static-routes/index.ts'
import type { TroubleEntry } from './plugins/trouble/index.ts'
import { submit, type Submission, type Submitted } from './submission.ts'

export type HarakaVersion = '3.0' | '3.1' | '3.3'

/** Milliseconds within which an ended message leaves the queue folder. */
const QUEUE_PATIENCE = 10_000

export const harakaVersions: readonly HarakaVersion[] = ['3.0', '3.1', '3.3']

export interface HarakaOptions {
  /** default: the environment's HARAKA_VERSION, else 3.3 */
  readonly version?: HarakaVersion
  /** config/plugins, behind the one that reports to the test; default: outbound-tls alone */
  readonly plugins?: readonly string[]
  /** more files of the config folder */
  readonly config?: ConfigFiles
  readonly smtp?: Ini
  readonly outbound?: Ini
  /** workers; 0: one process for everything */
  readonly nodes?: number
  /** config/loglevel */
  readonly logLevel?: string
  /** DNS server of core itself, "127.0.0.1:5353" */
  readonly resolver?: string
  /** port of the hosts that core itself finds in DNS */
  readonly mxPort?: number
  /** its time is moved on by the test, see `moveClock` */
  readonly clock?: boolean
  /** milliseconds until a message that nothing becomes of fails the test */
  readonly patience?: number
  /** waited for before a message is handed over */
  readonly beforeSending?: () => Promise<unknown>
  /** waited for when a message has settled, before anybody hears of it */
  readonly afterSending?: () => Promise<unknown>
}

export interface Haraka {
  readonly version: HarakaVersion
  readonly port: number
  readonly pid: number
  /** the instance's folder */
  readonly folder: string
  readonly log: Log
  /** all that was ever reported of messages */
  readonly events: readonly MessageEvent[]
  /** Hands a message over; returns when Haraka has queued it. Rejects with a Refusal. */
  readonly submit: (
    submission: Submission,
  ) => Promise<Submitted & { readonly uuid: string; readonly to: readonly string[] }>
  /** Hands a message over and waits until every recipient was delivered to, deferred or bounced, once. */
  readonly send: (submission: Submission) => Promise<Outcome>
  /** Waits for all of a message that was handed over. */
  readonly settled: (message: { readonly uuid: string; readonly to: readonly string[] }) => Promise<Outcome>
  /** Tries what was deferred again, at once, and waits for it. */
  readonly retry: (outcome: Outcome) => Promise<Outcome>
  /** Tries all that waits for its next attempt, also what was queued before a restart. False: a worker found nothing in two seconds. */
  readonly flush: () => Promise<boolean>
  /** Core's "in progress/to deliver/waiting", of each worker. */
  readonly queue: () => Promise<readonly string[]>
  /** Resident memory of each worker in octets; without garbage under `--expose-gc`. */
  readonly memory: () => Promise<readonly number[]>
  /** The files of the queue. */
  readonly queueFiles: () => readonly string[]
  /** Waits until the queue is empty: Haraka removes a file after the hooks that tell how a message ended. */
  readonly queueIsEmpty: () => Promise<void>
  /** Sets the seconds between attempts; a message bounces when there are no more. */
  readonly setIntervals: (seconds: readonly number[]) => Promise<void>
  /** Writes a file of the config folder; the next start will read it. */
  readonly writeConfig: (name: string, content: string | object) => void
  /** Writes a file of the config folder and has Haraka read it now. False: nobody had asked for this file. */
  readonly reconfigure: (name: string, content: string | object) => Promise<boolean>
  /** Moves the clock on, in milliseconds since 1970; the time goes on from there. Not kept at a restart. */
  readonly moveClock: (at: number) => Promise<void>
  /** What the plugin static-routes answers, from now on. */
  readonly setRoutes: (routes: Routes) => void
  /** What the plugin trouble does, from now on. */
  readonly setTrouble: (...entries: readonly TroubleEntry[]) => void
  /** Stops Haraka with a signal and starts it again on what it left. */
  readonly restart: (signal?: 'SIGINT' | 'SIGKILL') => Promise<void>
  /** Stops it and removes the instance. */
  readonly stop: () => Promise<void>
}

const folders: Record<HarakaVersion, string> = { '3.0': 'haraka-3.0', '3.1': 'haraka-3.1', '3.3': 'Haraka' }

/** Starts Haraka. Rejects with the end of its log when it does not come up. */
export async function startHaraka(options: HarakaOptions = {}): Promise<Haraka> {
  const version = options.version ?? (process.env.HARAKA_VERSION as HarakaVersion | undefined) ?? '3.3'
  const core = join(repository, 'node_modules', folders[version], 'haraka.js')
  const { plugins = ['outbound-tls'], nodes = 0, resolver = '', mxPort, clock, patience = 20_000 } = options
  const instance = await createInstance(plugins, configOf(options), { core, resolver, mxPort, clock })
  const outcomes = createOutcomes()
  const events: MessageEvent[] = []
  const talk = createTalk(Math.max(nodes, 1), patience)
  const start = () =>
    startProcess(core, instance.folder, nodes, (event) => {
      if (event.event === 'answer') talk.heard(event)
      else if (event.event !== 'ready') {
        events.push(event)
        outcomes.add(event)
      }
    })
  let running = await start().catch((error: unknown) => {
    instance.remove()
    throw error
  })
  const ask = (question: GroundQuestion): Promise<unknown[]> => talk.ask(running.child, question)

  const queueFiles = () => readdirSync(join(instance.folder, 'queue'))
  const handOver: Haraka['submit'] = async (submission) => {
    await options.beforeSending?.()
    const submitted = await submit(running.port, submission)
    const uuid = /\(([0-9A-F-]{36}\.\d+)\)/i.exec(submitted.reply)?.[1] ?? submitted.reply
    return { ...submitted, uuid: `${uuid}.`, to: [submission.to].flat() }
  }
  const settled: Haraka['settled'] = async ({ uuid, to }) => {
    const outcome = await outcomes.settled(uuid, to, patience)
    await options.afterSending?.()
    return outcome
  }

  return {
    version,
    folder: instance.folder,
    events,
    get port() {
      return running.port
    },
    get pid() {
      return running.child.pid ?? 0
    },
    get log() {
      return running.log
    },
    submit: handOver,
    send: async (submission) => settled(await handOver(submission)),
    settled,
    retry: async ({ uuid, deferred }) => {
      const to = deferred.flatMap(({ recipients }) => recipients.map(({ address }) => address))
      await options.beforeSending?.()
      await ask({ ask: 'retry', uuid })
      return settled({ uuid, to })
    },
    flush: async () => (await ask({ ask: 'flush' })).every(Boolean),
    queue: async () => (await ask({ ask: 'queue' })) as string[],
    memory: async () => (await ask({ ask: 'memory' })) as number[],
    queueFiles,
    queueIsEmpty: async () => {
      for (const end = performance.now() + QUEUE_PATIENCE; performance.now() < end && queueFiles().length > 0; )
        await new Promise((resolve) => setTimeout(resolve, 20))
      assert.deepEqual(queueFiles(), [])
    },
    setIntervals: async (seconds) => {
      await ask({ ask: 'intervals', seconds })
    },
    writeConfig: instance.writeConfig,
    reconfigure: async (file, content) => {
      instance.writeConfig(file, content)
      return (await ask({ ask: 'reload', file })).every(Boolean)
    },
    moveClock: async (at) => {
      await ask({ ask: 'clock', at })
    },
    setRoutes: (routes) => instance.writeConfig('routes.json', routes),
    setTrouble: (...entries) => instance.writeConfig('trouble.json', entries),
    restart: async (signal = 'SIGINT') => {
      await end(running.child, signal)
      running = await start()
    },
    stop: async () => {
      await end(running.child, 'SIGINT')
      instance.remove()
    },
  }
}

function configOf({ smtp, outbound, nodes = 0, logLevel = 'INFO', config = {} }: HarakaOptions): ConfigFiles {
  const smtpIni: Ini = { main: { listen: '127.0.0.1:0', nodes } }
  const outboundIni: Ini = { main: { local_mx_ok: true, temp_fail_intervals: '1h*20' } }
  return {
    me: 'haraka.test\n',
    loglevel: `${logLevel}\n`,
    'smtp.ini': mergeIni(smtpIni, smtp),
    'outbound.ini': mergeIni(outboundIni, outbound),
    ...config,
  }
}

/** Is there anything to test? */
export function isBuilt(): boolean {
  return existsSync(join(repository, 'dist', 'enforce', 'index.js'))
}
