import { test } from 'node:test'
import type { StsCache } from '../../../dist/lib/mta-sts/index.js'
import type { TestEngine } from '../../support/store.ts'
import { cacheOn, createWorld, type World } from './world.ts'

/** @param change - does something to the tables behind the back of the cache */
type Run = (world: World, open: () => StsCache, change: (sql: string) => Promise<void>) => Promise<void>

/** Makes tests that have a world on an engine, and as many openings of its store as they ask for, as other processes would have them. */
export function testsOn({ store, change }: TestEngine): (what: string, run: Run) => void {
  return (what, run) => {
    test(what, async (t) => {
      const world = createWorld(t, () => cacheOn(store(t)))
      await run(world, world.cache, (sql) => change(t, sql))
    })
  }
}
