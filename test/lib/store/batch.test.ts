import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBatcher, createTally, type Batcher, type NumberedBatch } from '../../../dist/lib/store/index.js'

interface World {
  readonly batcher: Batcher<string>
  /** what was written, in batches */
  readonly written: NumberedBatch<string>[]
  readonly log: string[]
  readonly counts: () => Record<string, number>
  /** 'lost': it was written, but nobody hears of it */
  answer: 'ok' | 'failed' | 'lost'
}

function world(
  options: { readonly mostKept?: number; readonly interval?: number; readonly atOnce?: boolean } = {},
): World {
  const seen = new Map<number, NumberedBatch<string>>()
  const log: string[] = []
  const write = (batch: NumberedBatch<string>) => {
    if (made.answer !== 'failed') seen.set(batch.number, batch)
    return made.answer === 'ok' ? ({ ok: true, value: undefined } as const) : ({ ok: false, text: 'away' } as const)
  }
  const made: World = {
    answer: 'ok',
    log,
    get written() {
      return [...seen.values()]
    },
    counts: () => {
      const all = [...seen.values()].flatMap(({ counts }) => counts)
      return Object.fromEntries(
        [...new Set(all.map(({ item }) => item))].map((name) => [
          name,
          all.filter(({ item }) => item === name).reduce((sum, { count }) => sum + count, 0),
        ]),
      )
    },
    batcher: createBatcher<string>({
      what: 'outcomes',
      write: (batch) => Promise.resolve(write(batch)),
      ...(options.atOnce === true && { writeNow: write }),
      log: (level, text) => log.push(`${level} ${text}`),
      interval: options.interval ?? 60_000,
      ...(options.mostKept !== undefined && { mostKept: options.mostKept }),
    }),
  }
  return made
}

function add({ batcher }: World, ...names: readonly string[]): void {
  for (const name of names) batcher.add(name, name)
}

describe('batches', () => {
  test('are kept while they cannot be written, and written once when they can', async () => {
    const store = world()
    store.answer = 'failed'
    add(store, 'a', 'b', 'a')
    await store.batcher.flush()
    assert.deepEqual(store.counts(), {})
    add(store, 'a', 'c')
    store.answer = 'ok'
    await store.batcher.flush()
    await store.batcher.flush()
    assert.deepEqual(store.counts(), { a: 3, b: 1, c: 1 })
    assert.deepEqual(store.log, [])
  })

  test('one of which nobody knows comes again under its number, and as it was', async () => {
    const store = world()
    store.answer = 'lost'
    add(store, 'a')
    await store.batcher.flush()
    add(store, 'a')
    store.answer = 'ok'
    await store.batcher.flush()
    assert.deepEqual(
      store.written.map(({ number, counts }) => [number, counts[0]?.count]),
      [
        [1, 1],
        [2, 1],
      ],
    )
  })

  test('the oldest are given up beyond the bound, and the log says how many, once a minute', async () => {
    const store = world({ mostKept: 10 })
    store.answer = 'failed'
    add(store, 'first', 'first', ...Array.from({ length: 12 }, (_, index) => `n${index}`))
    assert.deepEqual(store.log, ['error 2 outcomes are lost: they could not be written'])
    store.answer = 'ok'
    await store.batcher.flush()
    assert.equal(Object.keys(store.counts()).length, 10)
    assert.deepEqual(store.counts().n11, 1)
    assert.deepEqual(store.log[1], 'error 2 outcomes are lost: they could not be written')
  })

  test('at the end of the process what cannot be written at once is said to be lost', () => {
    const unable = world()
    add(unable, 'a', 'a', 'b')
    unable.batcher.flushNow()
    assert.deepEqual(unable.log, ['error 3 outcomes are lost: they could not be written'])

    const failing = world({ atOnce: true })
    failing.answer = 'failed'
    add(failing, 'a')
    failing.batcher.flushNow()
    failing.batcher.flushNow()
    assert.deepEqual(failing.log, ['error 1 outcomes are lost: they could not be written'])
  })

  test('at the end of the process all is written at once where the engine can', () => {
    const store = world({ atOnce: true })
    add(store, ...Array.from({ length: 120 }, (_, index) => `n${index % 110}`))
    store.batcher.flushNow()
    assert.equal(
      Object.values(store.counts()).reduce((sum, count) => sum + count, 0),
      120,
    )
    assert.deepEqual(store.log, [])
  })

  test('nobody has to ask for it: they are written after a moment, what is the same counted together', async () => {
    const store = world({ interval: 5 })
    add(store, 'a', 'a', 'a')
    while (store.written.length === 0) await sleep(1)
    add(store, 'a')
    while (store.written.length === 1) await sleep(1)
    assert.deepEqual(
      store.written.map(({ number, counts }) => [number, counts]),
      [
        [1, [{ item: 'a', count: 3 }]],
        [2, [{ item: 'a', count: 1 }]],
      ],
    )
  })

  test('are of a thousand at most: each is copied at once', async () => {
    const store = world()
    add(store, ...Array.from({ length: 2500 }, (_, index) => String(index)))
    await store.batcher.flush()
    assert.deepEqual(
      store.written.map(({ counts }) => counts.length),
      [1000, 1000, 500],
    )
  })

  test('flushes at the same time are one', async () => {
    const store = world()
    add(store, 'a', 'b')
    await Promise.all([store.batcher.flush(), store.batcher.flush(), store.batcher.flush()])
    assert.deepEqual(store.counts(), { a: 1, b: 1 })
  })
})

describe('a tally', () => {
  test('tells the first at once, then the sum once a minute, and at last the rest', () => {
    let clock = 0
    const told: number[] = []
    const tally = createTally(
      (count) => told.push(count),
      () => clock,
    )
    tally.add(1)
    for (clock = 1000; clock < 60_000; clock += 1000) tally.add(1)
    assert.deepEqual(told, [1])
    clock = 60_000
    tally.add(1)
    tally.add(5)
    tally.tellRest()
    tally.tellRest()
    assert.deepEqual(told, [1, 60, 5])
  })
})
