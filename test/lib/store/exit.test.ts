/** The last batch of a process: handed over while everything else stands still, a second at most. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import type { Done } from '../../../dist/lib/store/index.js'
import { engines } from '../../support/engines.ts'
import { sqlite } from '../../support/store.ts'
import { child, says, start } from './child.ts'
import { sql } from './probe.ts'

async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

for (const { name, skip, options, store } of engines) {
  describe(`the end of a process, on ${name}`, { skip }, () => {
    test('takes no batch that was handed over', async (t) => {
      const { out } = await child(
        t,
        `await probe.now()
        process.on('exit', () => console.log(JSON.stringify(probeNow.addBatch('w', 1, ['a', 'b']))))`,
        options(t),
      )
      assert.equal(out, '{"ok":true,"value":true}\n')
      assert.deepEqual(await value(store(t).module(sql).all()), [
        { name: 'a', count: 1 },
        { name: 'b', count: 1 },
      ])
    })

    test('nor the first one, when the thread has not been needed before, and the process exits by itself', async (t) => {
      const { out, code } = await child(
        t,
        `console.log(probeNow.addBatch('w', 1, ['a']).ok); process.exit(3)`,
        options(t),
      )
      assert.deepEqual([code, out], [3, 'true\n'])
      assert.deepEqual(await value(store(t).module(sql).all()), [{ name: 'a', count: 1 }])
    })

    test('counts a batch once that was under way, and is handed over again', async (t) => {
      const { out } = await child(
        t,
        `await probe.now()
        void probe.addBatch('w', 1, ['a'])
        console.log(probeNow.addBatch('w', 1, ['a']).ok)
        process.exit()`,
        options(t),
      )
      assert.equal(out, 'true\n')
      assert.deepEqual(await value(store(t).module(sql).all()), [{ name: 'a', count: 1 }])
    })

    test('is not put off by a store that does not answer: what was not taken is told', async (t) => {
      const { out, code } = await child(
        t,
        `await probe.add('a')
        void probe.hold('a', 60_000)
        const begun = performance.now()
        const answers = [1, 2, 3, 4, 5].map((number) => probeNow.addBatch('w', number, ['a']))
        console.log(answers.map(({ ok }) => ok).join(), performance.now() - begun < 3000)
        process.exit()`,
        options(t),
      )
      assert.deepEqual([code, out], [0, 'false,false,false,false,false true\n'])
    })
  })
}

test('a process that is killed while it writes leaves no lock', async (t) => {
  const killed = start(
    t,
    `await probe.add('a'); void probe.hold('b', 60_000); setInterval(() => console.log('holds'), 300)`,
  )
  await says(killed, 'holds')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  const probe = sqlite.store(t).module(sql)
  assert.equal(await value(probe.add('a')), 1)
  assert.deepEqual(await value(probe.all()), [{ name: 'a', count: 2 }])
})
