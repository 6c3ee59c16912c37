import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receivedSql } from '../../../../dist/lib/tlsrpt/received/index.js'
import { engines } from '../../../support/engines.ts'
import { sqlite } from '../../../support/store.ts'
import { receivedContract } from './contract.ts'
import { kept, value } from './ground.ts'

for (const engine of engines) receivedContract(engine)

test('a report in which somebody has written something else is none, and ends nothing', async (t) => {
  const received = sqlite.store(t).module(receivedSql)
  const { entry } = kept('1')
  await value(received.add(kept('1')))
  await sqlite.change(t, "UPDATE received_report SET document = '{'")
  assert.equal(await value(received.read(entry.id)), undefined)
})
