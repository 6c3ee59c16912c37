/**
 * One of the sides that are compared, in a process of its own: reads the same bytes as often as it is told, and prints what it took.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { readReport, readSignedMessage } from '../../dist/lib/tlsrpt/parsing/index.js'
import { keyServer } from '../../test/lib/tlsrpt/parsing/signing.ts'
import type { Taken, Task } from './task.ts'

const { side, file, rounds, keyRecord } = JSON.parse(process.argv[2] ?? '') as Task
const bytes = readFileSync(file)
const limits = { maxSize: 64 * 1024 * 1024, now: Date.now() }
const { lookup } = keyServer({ 'tlsrpt._domainkey.sender.example': [`v=DKIM1; ${keyRecord}`] })

const CHUNK = 64 * 1024
async function* chunks(): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += CHUNK) {
    await Promise.resolve()
    yield bytes.subarray(start, start + CHUNK)
  }
}

const sides: Readonly<Record<Task['side'], () => Promise<void>>> = {
  report: async () => {
    const reading = await readReport(chunks(), limits)
    if (!reading.ok) throw new Error(reading.refusal.text)
  },
  'JSON.parse': () => {
    JSON.parse(bytes.toString())
    return Promise.resolve()
  },
  message: async () => {
    const { reports } = await readSignedMessage(chunks(), lookup, limits)
    if (reports.length !== 1) throw new Error('no report')
  },
  'signed message': async () => {
    const { reports } = await readSignedMessage(chunks(), lookup, limits)
    if (reports[0]?.signedBy === undefined) throw new Error('no signature')
  },
}

const run = sides[side]
const warmUp = Math.max(1, Math.floor(rounds / 4))
for (let round = 0; round < warmUp; round++) await run()
globalThis.gc?.()
await sleep(100)
const idle = process.memoryUsage().rss
let peak = idle
const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5)
let isOver = false
const longest = longestTurn()
const start = performance.now()
for (let round = 0; round < rounds; round++) {
  await run()
  await nextTurn()
}
const seconds = (performance.now() - start) / 1000
isOver = true
clearInterval(sampling)
peak = Math.max(peak, process.memoryUsage().rss)
const taken: Taken = { seconds, longestTurn: await longest, memory: peak - idle }
console.log(JSON.stringify(taken))

/** Milliseconds of CPU time: on a busy machine, the delay of the event loop is mostly that of others. */
async function longestTurn(): Promise<number> {
  let longest = 0
  for (let before = process.threadCpuUsage(); !isOver;) {
    await nextTurn()
    const now = process.threadCpuUsage()
    longest = Math.max(longest, (now.user + now.system - before.user - before.system) / 1000)
    before = now
  }
  return longest
}
