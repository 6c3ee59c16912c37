import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addHour,
  anyHour,
  hoursOf,
  kindsOf,
  partsOf,
  readDay,
  sumLine,
  writeDay,
  type DayCounts,
} from '../../../dist/lib/outcomes/day-counts.js'
import { runs } from '../../support/runs.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface Count {
  readonly kind: string
  readonly hour: number
  readonly count: number
}

function random(most: number): number {
  return Math.floor(Math.random() * (most + 1))
}

function someCounts(): readonly Count[] {
  return Array.from({ length: random(60) }, () => ({
    kind: Math.random() < 0.5 ? String(random(30)) : `${random(30)}.${random(3000)}`,
    hour: random(23),
    count: Math.random() < 0.5 ? 1 : 1 + random(10 ** random(9)),
  }))
}

function sumBy(counts: readonly Count[], key: (one: Count) => string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const one of counts) sums.set(key(one), (sums.get(key(one)) ?? 0) + one.count)
  return sums
}

function inOrder(sums: Iterable<readonly [string, number]>): readonly string[] {
  return Array.from(sums, ([key, sum]) => `${key} ${sum}`).sort()
}

/** As a store does it: one batch after the other, each time from what is written. */
function written(counts: readonly Count[]): string {
  let line = ''
  for (let from = 0; from < counts.length; from += 7) {
    const day: DayCounts = readDay(line)
    for (const { kind, hour, count } of counts.slice(from, from + 7)) addHour(day, kind, hour, count)
    line = writeDay(day)
  }
  return line
}

describe('the counts of a day as a line', () => {
  test('are short: an hour takes a letter, and its count some digits if it is not one', () => {
    const day: DayCounts = new Map()
    addHour(day, '0', 2, 4)
    addHour(day, '17.42', 23, 1)
    addHour(day, '0', 13, 1)
    addHour(day, '0', 2, 8)
    addHour(day, '17.42', 0, 1)
    addHour(day, '17.42', 0, 1)
    assert.equal(writeDay(day), '0:c12n 17.42:xa2')
    assert.deepEqual(readDay('0:c12n 17.42:xa2'), day)
    assert.equal(writeDay(readDay('')), '')
  })

  test('lose nothing, whatever is added to whatever in whichever order', () => {
    for (let run = 0; run < runs(500, 20_000); run++) {
      const counts = someCounts()
      const line = written(counts)
      const read = [...readDay(line)].flatMap(([kind, hours]) =>
        hoursOf(hours).map(([hour, count]) => [`${kind} ${hour}`, count] as const),
      )
      assert.deepEqual(inOrder(read), inOrder(sumBy(counts, ({ kind, hour }) => `${kind} ${hour}`)), line)
      for (const hour of [0, 11, 23]) {
        const those = new Set(counts.filter((one) => one.hour === hour).map(({ kind }) => kind))
        assert.deepEqual(new Set(kindsOf(readDay(line), hour)), those, line)
      }
    }
  })

  test('add up for any part of the day, and a pattern finds the lines that have anything in it', () => {
    for (let run = 0; run < runs(500, 20_000); run++) {
      const counts = someCounts()
      const from = random(23)
      const part = { day: 0, from, to: from + 1 + random(23 - from) }
      const line = written(counts)
      const sums: [string, number][] = []
      sumLine(line, part, (first, second, sum) =>
        sums.push([second === undefined ? String(first) : `${first}.${second}`, sum]),
      )
      const inPart = counts.filter(({ hour }) => hour >= part.from && hour < part.to)
      assert.deepEqual(inOrder(sums), inOrder(sumBy(inPart, ({ kind }) => kind)), `${part.from} to ${part.to}: ${line}`)
      assert.equal(isLike(line, anyHour(part)), inPart.length > 0, `${anyHour(part)}: ${line}`)
    }
  })
})

/** SQLite's GLOB, as far as it is used. */
function isLike(line: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(line)
}

describe('the days of a period', () => {
  test('are whole ones, or parts of them in whole hours', () => {
    const midnight = Date.UTC(2027, 0, 31)
    const day = midnight / DAY
    assert.deepEqual(partsOf({ start: midnight, end: midnight + DAY }), [{ day, from: 0, to: 24 }])
    assert.deepEqual(partsOf({ start: midnight + 22 * HOUR, end: midnight + DAY + HOUR }), [
      { day, from: 22, to: 24 },
      { day: day + 1, from: 0, to: 1 },
    ])
    assert.equal(partsOf({ start: midnight, end: midnight + 7 * DAY }).length, 7)
    assert.deepEqual(partsOf({ start: midnight, end: midnight }), [])
  })
})
