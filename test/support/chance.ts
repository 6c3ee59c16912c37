/**
 * Chance that is the same each time.
 *
 * @module
 */
import { createHash } from 'node:crypto'

export interface Chance {
  /** 0 to below `limit` */
  readonly upTo: (limit: number) => number
  readonly of: <Value>(values: readonly Value[]) => Value
  /** in any order */
  readonly shuffled: <Value>(values: readonly Value[]) => Value[]
}

/** @param seed - the same seed, the same chance */
export function chance(seed: string): Chance {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0)
  /** mulberry32 */
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const upTo = (limit: number): number => Math.floor(next() * limit)
  return {
    upTo,
    of: (values) => {
      const value = values[upTo(values.length)]
      if (value === undefined) throw new Error('nothing to choose from')
      return value
    },
    shuffled: (values) => {
      const all = [...values]
      for (let left = all.length; left > 1; left--) {
        const [other, last] = [upTo(left), left - 1]
        ;[all[other], all[last]] = [all[last] as never, all[other] as never]
      }
      return all
    },
  }
}
