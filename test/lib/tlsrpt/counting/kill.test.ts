import { test } from 'node:test'
import { engines } from '../../../support/engines.ts'
import { outcomesOf } from '../../../support/modules.ts'
import { killWriters } from './kill.ts'

for (const { name, skip, options, store } of engines)
  test(
    `in ${name}, what was written is there after a SIGKILL, fifty times, and nothing is counted twice`,
    { skip },
    async (t) => {
      const outcomes = outcomesOf(store(t, (level, text) => t.diagnostic(`${level} ${text}`)))
      await killWriters(t, options(t), outcomes)
    },
  )
