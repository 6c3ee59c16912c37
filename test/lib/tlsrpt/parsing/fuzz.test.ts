import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { runs } from '../../../support/runs.ts'
import type { FuzzTask } from './fuzz.ts'

/** Fails where the property does not hold, with the case that shows it. */
async function check(property: FuzzTask['property'], numRuns: number): Promise<void> {
  const workerData: FuzzTask = { property, numRuns }
  const worker = new Worker(new URL('fuzz.ts', import.meta.url), { workerData })
  const [code] = (await once(worker, 'exit')) as [number] // rejects with what the thread has thrown
  if (code !== 0) throw new Error(`the thread ended with ${code}`)
}

/** In CI they are a hundred thousand, all together. */
describe('V6, V7: any input gives a report or a typed error', () => {
  test('what is JSON is never called anything else, and does not depend on the chunks it comes in', () =>
    check('well-formed', runs(1000, 12_000)))

  test('what is no JSON is called so, wherever it is wrong', () => check('malformed', runs(1000, 75_000)))

  test('gzip, whole and damaged, in any chunks', () => check('gzip', runs(500, 10_000)))

  test('messages, whole and damaged, in any chunks', () => check('messages', runs(200, 3000)))
})
