import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { engines, postgres } from '../../../support/engines.ts'
import { outcomesOf } from '../../../support/modules.ts'
import { assertCountedAfterKill, killWriters, startWriter } from './kill.ts'

for (const { name, skip, options, store } of engines)
  test(
    `in ${name}, what four writers have written is there after fifty SIGKILLs of each, and nothing is counted twice`,
    { skip },
    async (t) => {
      const outcomes = outcomesOf(store(t, (level, text) => t.diagnostic(`${level} ${text}`)))
      await killWriters(t, options(t), outcomes)
    },
  )

test(
  'in PostgreSQL, nobody waits for ever for a writer that is stopped in mid-transaction, and it does no harm later',
  {
    skip: postgres.skip,
  },
  async (t) => {
    const outcomes = outcomesOf(postgres.store(t))
    const [stopped, other] = ['stopped.test', 'other.test'].map((domain) => startWriter(t, domain, postgres.options(t)))
    assert.ok(stopped && other)
    await stopped.writes(1)
    await other.writes(1)
    /** Whether the store is locked by a process that does nothing. */
    const isHeld = async (): Promise<boolean> => {
      const before = other.last('written')
      await sleep(200)
      return other.last('written') === before
    }
    for (let tries = 0; ; tries++) {
      assert.ok(tries < 300, 'never stopped in mid-transaction')
      stopped.process.kill('SIGSTOP')
      if (await isHeld()) break
      stopped.process.kill('SIGCONT')
      await sleep(Math.random() * 20)
    }
    const atStop = stopped.last('recorded')
    await other.writes(other.last('written') + 300)
    stopped.process.kill('SIGCONT')
    await stopped.writes(atStop + 300)
    await assertCountedAfterKill(outcomes, stopped)
    await assertCountedAfterKill(outcomes, other)
  },
)
