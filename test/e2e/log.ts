/**
 * What a process says, line by line, to be searched and waited for.
 *
 * @module
 */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface Log {
  readonly lines: readonly string[]
  /** The lines that match. */
  readonly find: (pattern: RegExp) => string[]
  /** The first line that matches, from `since` on (an index of `lines`); rejects after `patience` milliseconds, with the end of the log. */
  readonly waitFor: (
    pattern: RegExp,
    options?: { readonly since?: number; readonly patience?: number },
  ) => Promise<string>
  /** Calls `listener` with every line: those that there are, now, and those to come. */
  readonly follow: (listener: (line: string) => void) => void
  /** The last lines, as one text. */
  readonly tail: (count?: number) => string
}

export function createLog(...streams: readonly Readable[]): Log {
  const lines: string[] = []
  const watchers = new Set<() => void>()
  const followers: ((line: string) => void)[] = []
  for (const stream of streams) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const watch of watchers) watch()
      for (const follower of followers) follower(line)
    })
  }
  const tail = (count = 200): string => lines.slice(-count).join('\n')

  return {
    lines,
    find: (pattern) => lines.filter((line) => pattern.test(line)),
    tail,
    follow: (listener) => {
      for (const line of lines) listener(line)
      followers.push(listener)
    },
    waitFor: (pattern, { since = 0, patience = 10_000 } = {}) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => finish(), patience)
        const finish = (line?: string): void => {
          clearTimeout(timer)
          watchers.delete(watch)
          if (line === undefined) reject(new Error(`no ${pattern.source} in the log:\n${tail(50)}`))
          else resolve(line)
        }
        let next = since
        const watch = (): void => {
          for (; next < lines.length; next++) {
            const line = lines[next] ?? ''
            if (!pattern.test(line)) continue
            finish(line)
            return
          }
        }
        watchers.add(watch)
        watch()
      }),
  }
}
