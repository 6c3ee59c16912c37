/**
 * Processes that record are killed again and again, at any moment, several of them at work on one store.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutcomeStore } from '../../../../dist/lib/tlsrpt/counting/index.js'
import type { StoreOptions } from '../../../../dist/lib/store/index.js'
import { value } from './ground.ts'

const WRITERS = 4
/** of each writer */
const KILLS = 50
const DAY = 86_400_000
const today = { start: Date.UTC(2027, 0, 31), end: Date.UTC(2027, 0, 31) + DAY }

/** @param options - of the store that the writers open, see killed-writer.ts */
export async function killWriters(t: TestContext, options: StoreOptions, store: OutcomeStore): Promise<void> {
  let total = 0
  const killAgainAndAgain = async (writer: number): Promise<void> => {
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startWriter(t, `w${writer}k${kill}.test`, options)
      await child.writes(1)
      await sleep(Math.random() * 20) // the moment is nobody's choice: any will do
      total += await assertCountedAfterKill(store, child)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => killAgainAndAgain(writer)))
  t.diagnostic(`${total} sessions are there of what ${WRITERS * KILLS} killed processes have recorded`)
}

export interface Writer {
  readonly domain: string
  readonly process: ChildProcess
  /** what it has said last of itself */
  readonly last: (what: 'recorded' | 'written') => number
  /** when it has written so many sessions */
  readonly writes: (count: number) => Promise<void>
}

/** Starts killed-writer.ts. */
export function startWriter(t: TestContext, domain: string, options: StoreOptions): Writer {
  const program = join(import.meta.dirname, 'killed-writer.ts')
  const child = spawn(process.execPath, [program, domain, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const said = { recorded: 0, written: 0 }
  let rest = ''
  child.stdout.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [what, count] = line.split(' ')
      if (what === 'recorded' || what === 'written') said[what] = Number(count)
    }
  })
  return {
    domain,
    process: child,
    last: (what) => said[what],
    writes: async (count) => {
      while (said.written < count) await once(child.stdout, 'data')
    },
  }
}

/** Kills a writer. What it was told to be written must be there, and nothing that it has not recorded. @returns how many sessions */
export async function assertCountedAfterKill(store: OutcomeStore, { domain, process, last }: Writer): Promise<number> {
  process.kill('SIGKILL')
  await once(process, 'close')
  const [recorded, written] = [last('recorded'), last('written')]
  const facts = await value(store.policiesOf(domain, today))
  const counted = facts.reduce((sum, { successes }) => sum + successes, 0)
  assert.ok(counted >= written, `${domain}: ${written} were written, ${counted} are there`)
  assert.ok(counted <= recorded, `${domain}: ${recorded} were recorded, ${counted} are there`)
  const sessions = await value(store.sessionsOf({ period: today, domain }))
  assert.equal(
    sessions.reduce((sum, { count }) => sum + count, 0),
    counted, // a batch is there as a whole, or not at all
  )
  return counted
}
