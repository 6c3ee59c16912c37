/**
 * Processes that record are killed again and again, at any moment, several of them at work on one store.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutcomeStore } from '../../../../dist/lib/tlsrpt/counting/index.js'
import type { StoreOptions } from '../../../../dist/lib/store/index.js'
import { value } from './ground.ts'

const KILLS = 50
const AT_ONCE = 5
const DAY = 86_400_000
const today = { start: Date.UTC(2027, 0, 31), end: Date.UTC(2027, 0, 31) + DAY }

/** @param options - of the store that the writers open, see killed-writer.ts */
export async function killWriters(t: TestContext, options: StoreOptions, store: OutcomeStore): Promise<void> {
  const lane = async (number: number): Promise<void> => {
    for (let kill = number; kill < KILLS; kill += AT_ONCE) {
      const domain = `k${kill}.test`
      const { recorded, written } = await killOne(t, [domain, JSON.stringify(options)])
      const facts = await value(store.policiesOf(domain, today))
      const counted = facts.reduce((sum, { successes }) => sum + successes, 0)
      assert.ok(counted >= written, `${domain}: ${written} were written, ${counted} are there`)
      assert.ok(counted <= recorded, `${domain}: ${recorded} were recorded, ${counted} are there`)
      const sessions = await value(store.sessionsOf({ period: today, domain }))
      assert.equal(
        sessions.reduce((sum, { count }) => sum + count, 0),
        counted, // a batch is there as a whole, or not at all
      )
      total += counted
    }
  }
  let total = 0
  await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => lane(number)))
  t.diagnostic(`${total} sessions are there of what ${KILLS} killed processes have recorded`)
}

async function killOne(t: TestContext, words: readonly string[]): Promise<{ recorded: number; written: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'killed-writer.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  while (!said.includes('written')) await once(child.stdout, 'data')
  await sleep(Math.random() * 20) // the moment is nobody's choice: any will do
  child.kill('SIGKILL')
  await once(child, 'close')
  const last = (what: string): number =>
    Number(
      said
        .match(new RegExp(`${what} \\d+(?=\n)`, 'g'))
        ?.at(-1)
        ?.split(' ')[1],
    )
  return { recorded: last('recorded'), written: last('written') }
}
