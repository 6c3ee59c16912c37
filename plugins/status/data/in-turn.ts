/**
 * Reading of several stores for one answer. Each read keeps the event loop for some milliseconds, all of them together too long.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'

/** Reads one after the other, with everything else getting its turn in between. */
export async function inTurn<Reads extends readonly (() => Promise<unknown>)[]>(
  ...reads: Reads
): Promise<{ readonly [Index in keyof Reads]: Awaited<ReturnType<Reads[Index]>> }> {
  const results: unknown[] = []
  for (const read of reads) {
    results.push(await read())
    await setImmediate()
  }
  return results as { readonly [Index in keyof Reads]: Awaited<ReturnType<Reads[Index]>> }
}
