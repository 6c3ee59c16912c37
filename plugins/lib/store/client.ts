/**
 * The side of the store that deliveries see: calls of modules' methods, which are carried out in a thread of their own. A call always
 * comes to an end, within a time limit, and never rejects.
 *
 * @module
 */

import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { errorText } from '../error-text'
import type { Database, StoreModule } from './database'
import type { CallResult, CallMessage, StoreOptions, ThreadMessage } from './messages'
import type { Done, Log } from './done'
import { createTrouble } from './trouble'

/** The methods of a module as they are called: without the database, with a result that says whether they were carried out. */
export type Calls<Methods> = {
  readonly [Name in keyof Methods]: Methods[Name] extends (
    database: Database,
    ...values: infer Values
  ) => Promise<infer Value>
    ? (...values: Values) => Promise<Done<Value>>
    : never
}

/** The same for the end of the process, when nothing can be waited for any more. */
export type CallsNow<Methods> = {
  readonly [Name in keyof Calls<Methods>]: Calls<Methods>[Name] extends (
    ...values: infer Values
  ) => Promise<infer Result>
    ? (...values: Values) => Result
    : never
}

export interface Store {
  /** @param limit - how long a call may take, in milliseconds; {@link CALL_LIMIT} unless it adds up weeks */
  readonly module: <Methods extends object>(module: StoreModule<Methods>, limit?: number) => Calls<Methods>
  /** Everything stands still until such a call has ended: all of them together a second at most ({@link LAST_LIMIT}). */
  readonly moduleNow: <Methods extends object>(module: StoreModule<Methods>) => CallsNow<Methods>
  /** Ends the thread when it has carried out what it was asked before. */
  readonly end: () => void
}

/** Longer than another writer is waited for, and than a server is given to answer. */
const CALL_LIMIT = 10_000
/** For the last calls at the end of the process, all together: milliseconds. */
const LAST_LIMIT = 1000
/** Calls that wait: those beyond are refused, so that a store that is slow does not take the memory of the process. */
const MOST_CALLS = 1000
/**
 * After a call in whose time nothing was answered, calls that would wait no longer are refused, so that deliveries do not wait one after
 * the other: milliseconds.
 */
const SILENCE_PAUSE = 5000
/** After the thread has died, the next one: milliseconds, twice as long each time, up to a bound. */
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000
/** For what is under way when the store is ended: milliseconds. */
const CLOSE_LIMIT = 5000

interface State {
  readonly options: StoreOptions
  readonly log: Log
  readonly trouble: ReturnType<typeof createTrouble>
  readonly calls: Map<number, (answer: CallResult) => void>
  thread: Worker | undefined
  lastId: number
  pause: number
  /** when calls of which limit may be made again, when a thread may be started again, and when anything was answered last */
  callAt: number
  silentLimit: number
  startAt: number
  answeredAt: number
  /** when the last calls must have ended */
  lastMoment: number | undefined
  ended: boolean
}

/** Makes a store. Its thread is started with the first call, and keeps no process alive: the time limit of a call does. */
export function createStore(options: StoreOptions, log: Log): Store {
  const state: State = {
    ...{ options, log, trouble: createTrouble(log), calls: new Map(), thread: undefined },
    ...{
      lastId: 0,
      pause: FIRST_PAUSE,
      callAt: -Infinity,
      silentLimit: 0,
      startAt: -Infinity,
      answeredAt: -Infinity,
      lastMoment: undefined,
      ended: false,
    },
  }
  return {
    module: ({ file, methods }, limit = CALL_LIMIT) =>
      callsOf(methods, (method, values) => call(state, { file, method, values }, limit)) as Calls<typeof methods>,
    moduleNow: ({ file, methods }) =>
      callsOf(methods, (method, values) => callNow(state, { file, method, values })) as CallsNow<typeof methods>,
    end: () => end(state),
  }
}

function callsOf(methods: object, call: (method: string, values: readonly unknown[]) => unknown): object {
  const calls = Object.keys(methods).map((method) => [method, (...values: readonly unknown[]) => call(method, values)])
  return Object.fromEntries(calls) as object
}

type Call = Omit<CallMessage, 'id' | 'waiting'>

function call(state: State, wanted: Call, limit: number): Promise<Done<unknown>> {
  const { promise, resolve } = Promise.withResolvers<Done<unknown>>()
  const finish = (answer: CallResult): void => {
    state.trouble.note(wanted, answer)
    resolve(answer.ok ? { ok: true, value: answer.value } : { ok: false, text: answer.text })
  }
  const refusal = post(state, wanted, limit, finish)
  if (refusal !== undefined) finish(refusal)
  return promise
}

/** @returns why the thread could not be asked */
function post(state: State, wanted: Call, limit: number, finish: (answer: CallResult) => void): CallResult | undefined {
  const { calls } = state
  if (calls.size >= MOST_CALLS) return unavailable(`${MOST_CALLS} calls of the store are under way`)
  const begun = performance.now()
  if (begun < state.callAt && limit <= state.silentLimit) return unavailable('the store does not answer')
  const thread = threadOf(state)
  if (!(thread instanceof Worker)) return thread
  const id = ++state.lastId
  try {
    thread.postMessage({ id, ...wanted } satisfies CallMessage)
  } catch (error) {
    return { ok: false, text: errorText(error) }
  }
  const giveUp = (): void => {
    if (!calls.has(id)) return
    if (state.answeredAt < begun) {
      state.callAt = performance.now() + SILENCE_PAUSE
      state.silentLimit = limit
    }
    settle(unavailable(`no answer from the store within ${limit / 1000} s`))
  }
  // where this thread was held up, the answer may be there already, and has not been read yet
  const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), limit)
  const settle = (answer: CallResult): void => {
    clearTimeout(timer)
    calls.delete(id)
    finish(answer)
  }
  calls.set(id, settle)
  return undefined
}

function callNow(state: State, wanted: Call): Done<unknown> {
  const thread = threadOf(state)
  if (!(thread instanceof Worker)) return thread
  const { port1, port2 } = new MessageChannel()
  const flag = new Int32Array(new SharedArrayBuffer(4))
  try {
    thread.postMessage({ id: ++state.lastId, ...wanted, waiting: { port: port2, flag } } satisfies CallMessage, [port2])
    const now = performance.now()
    state.lastMoment ??= now + LAST_LIMIT
    Atomics.wait(flag, 0, 0, Math.max(0, state.lastMoment - now))
    const received = receiveMessageOnPort(port1) as { readonly message: Done<unknown> } | undefined
    return received?.message ?? { ok: false, text: 'no answer from the store at the end of the process' }
  } catch (error) {
    return { ok: false, text: errorText(error) }
  } finally {
    port1.close()
  }
}

function unavailable(text: string): CallResult & { readonly ok: false } {
  return { ok: false, text, isUnavailable: true }
}

/** The thread; started, or started anew, where that is needed and not too early. */
function threadOf(state: State): Worker | (CallResult & { readonly ok: false }) {
  if (state.ended) return { ok: false, text: 'the store is closed' }
  if (state.thread !== undefined) return state.thread
  if (performance.now() < state.startAt)
    return unavailable('the thread of the store has ended, and is started anew soon')
  try {
    return startThread(state)
  } catch (error) {
    delayNext(state)
    return unavailable(`the thread of the store cannot be started: ${errorText(error)}`)
  }
}

function startThread(state: State): Worker {
  const thread = new Worker(join(__dirname, 'thread.js'), { workerData: state.options, execArgv: [], stdin: false })
  let cause = ''
  thread.on('message', (message: ThreadMessage) => {
    if (message === 'closed') void thread.terminate()
    else if ('level' in message) state.log(message.level, message.text)
    else {
      state.pause = FIRST_PAUSE
      state.answeredAt = performance.now()
      state.callAt = -Infinity
      state.calls.get(message.id)?.(message.answer)
    }
  })
  thread.on('error', (error) => (cause = `: ${errorText(error)}`)) // it ends by that
  thread.on('exit', () => {
    if (state.thread === thread) state.thread = undefined
    if (!state.ended) delayNext(state)
    for (const settle of [...state.calls.values()]) settle(unavailable(`the thread of the store has ended${cause}`))
  })
  thread.unref() // last: to listen refers to it again
  state.thread = thread
  return thread
}

function delayNext(state: State): void {
  state.startAt = performance.now() + state.pause
  state.pause = Math.min(2 * state.pause, LONGEST_PAUSE)
}

function end(state: State): void {
  const { thread } = state
  state.ended = true
  if (thread === undefined) return
  thread.postMessage('close')
  setTimeout(() => void thread.terminate(), CLOSE_LIMIT).unref()
}
