/**
 * What the page and /metrics take where the stores are as full as they get, and how long they keep the event loop, which delivers mail
 * besides: 100,000 destinations, a million aggregates, two hundred thousand reports of ours, five thousand of others and as many policies.
 *
 * The page is in a process of its own, asked from this one: each address once for the first time, which nobody has asked for yet, and then
 * again and again. The event loop's delay is that of all of this.
 *
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { ask } from '../test/e2e/http.ts'
import { format, median, type Row } from './row.ts'
import { domainOf } from './status/fill.ts'

const INSIDE = join(import.meta.dirname, 'status', 'inside.ts')
const ROUNDS = 15
const CHRT = '/usr/bin/chrt'

/** It opens three databases, and nothing of the program has been run before. */
const FIRST = 'the first answer of a process'

const PAGES: Readonly<Record<string, string>> = {
  [FIRST]: '/tls',
  'at a glance': '/tls',
  'at a glance, 30 days': '/tls?span=30d',
  destinations: '/tls/destinations',
  'a search for one of them': `/tls/destinations?search=${domainOf(77_777)}`,
  'a search for none of them': '/tls/destinations?search=nothing',
  'one destination': `/tls/destinations/${domainOf(51)}`,
  policies: '/tls/policies',
  'reports sent': '/tls/reports',
  'reports given up': '/tls/reports?state=given-up',
  'reports received': '/tls/received',
}

export async function benchStatus(): Promise<Row[]> {
  const kept = process.env.BENCH_STATUS_FOLDER // to fill it once takes minutes
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'bench-status-'))
  try {
    if (!existsSync(join(folder, 'outbound-tls.db')))
      await promisify(execFile)(process.execPath, [INSIDE, folder, 'fill'], { timeout: 3_600_000 })
    return await measure(folder)
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true })
  }
}

async function measure(folder: string): Promise<Row[]> {
  // where the event loop is measured, nobody else may take the processor from it
  const alone = process.getuid?.() === 0 && existsSync(CHRT) ? [CHRT, '--fifo', '1'] : []
  const [program, ...words] = [...alone, process.execPath, INSIDE, folder, 'serve']
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async <Answer>(): Promise<Answer> => JSON.parse(String((await lines.next()).value)) as Answer
  const { port } = await next<{ port: number }>()
  const rows: Row[] = []
  for (const [what, path] of Object.entries({ ...PAGES, '/metrics': '/metrics' })) {
    child.stdin.write('begin\n')
    const times: number[] = []
    for (let round = 0; round < (what === FIRST ? 1 : ROUNDS); round++) {
      const begin = performance.now()
      const { status, body } = await ask(`http://127.0.0.1:${port}`, path)
      if (status !== 200) throw new Error(`${path}: ${status} ${body}`)
      times.push(performance.now() - begin)
    }
    child.stdin.write('end\n')
    rows.push(rowOf(what, times, await next<{ p99: number; max: number }>()))
  }
  child.stdin.end()
  await once(child, 'exit')
  return rows
}

function rowOf(what: string, times: readonly number[], delay: { readonly p99: number; readonly max: number }): Row {
  const most = what === '/metrics' ? 50 : 200
  const longest = what === FIRST ? Infinity : 10
  const [first = NaN] = times
  const worst = Math.max(...times)
  return {
    what: `status: ${what}`,
    plugin: `${format(median(times))} ms, the first ${format(first)} ms`,
    plain: `event loop held up ${format(delay.max)} ms at most`,
    ratio: '',
    limit: longest === Infinity ? `${most} ms` : `${most} ms, event loop ${longest} ms`,
    holds: worst <= most && delay.max <= longest + 1, // the histogram's own resolution
  }
}
