/**
 * A Haraka with the page and the analysis of received reports, whose store may be a server; and what its page, its metrics and its
 * command say.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { DestinationData, DestinationsData } from '../../dist/status/data/destinations.js'
import type { OverviewData } from '../../dist/status/data/overview.js'
import type { ReceivedData, ReceivedReportData } from '../../dist/status/data/received.js'
import type { ReportData, ReportsData } from '../../dist/status/data/reports.js'
import type { ReceivedView } from '../../dist/views/index.js'
import { realCommand } from '../cli/ground.ts'
import type { Haraka } from '../e2e/haraka.ts'
import { ask, type Asked, type Got } from '../e2e/http.ts'
import type { Ini } from '../e2e/instance.ts'
import { analysisIni } from '../e2e/received-reports.ts'
import { freePort } from '../internet/index.ts'

/** What the page has as JSON; a slash stands before the name of one of them. */
interface Views {
  readonly overview: OverviewData
  readonly destinations: DestinationsData
  readonly 'destinations/': DestinationData
  readonly received: ReceivedData
  readonly 'received/': ReceivedReportData
  readonly reports: ReportsData
  readonly 'reports/': ReportData
}

/** What `outbound-tls analysis` has as JSON. */
interface Said {
  readonly list: { readonly reports: readonly ReceivedView[] }
  readonly summary: {
    readonly reports: number
    readonly domains: readonly { readonly policies: readonly { readonly failures: number }[] }[]
  }
}

/** What every answer has. */
interface Stamp {
  readonly schema: number
  readonly at: string
}

export interface PageHost {
  readonly haraka: Haraka
  readonly ask: (path: string, asked?: Asked) => Promise<Got>
  /** A view, which must be there. */
  readonly json: <Name extends keyof Views>(view: Name, rest?: string) => Promise<Stamp & Views[Name]>
  /** One of the metrics; undefined: it is not there. */
  readonly metric: (series: string) => Promise<number | undefined>
  readonly analysis: <Name extends keyof Said>(name: Name, ...words: string[]) => Promise<Said[Name]>
}

/** All that such a Haraka needs. */
export async function pageOptions(analysis: Ini[string] = {}) {
  const address = `127.0.0.1:${await freePort()}`
  const config = {
    'http.ini': { main: { listen: address } },
    'outbound-tls.analysis.ini': analysisIni({ https: true, ...analysis }),
  }
  const ours = ['outbound-tls/plugins/analysis', 'outbound-tls/plugins/status', 'outbound-tls']
  return { plugins: ['marking', 'mailbox', 'who-answers', ...ours], config }
}

/** @param options - those that it was started with */
export function pageHost(haraka: Haraka, { config }: Awaited<ReturnType<typeof pageOptions>>): PageHost {
  const askHost: PageHost['ask'] = (path, asked) => ask(`http://${config['http.ini'].main.listen}`, path, asked)
  return {
    haraka,
    ask: askHost,
    json: async (view, rest = '') => {
      const { status, body } = await askHost(`/tls/api/${view}${rest}`)
      assert.equal(status, 200, body)
      return JSON.parse(body) as Stamp & Views[typeof view]
    },
    metric: async (series) => {
      const { body } = await askHost('/metrics')
      const line = body.split('\n').find((text) => text.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length))
    },
    analysis: async (name, ...words) => {
      const { out, err } = await realCommand(['analysis', name, ...words, '--json'], { cwd: haraka.folder })
      assert.equal(err, '')
      return JSON.parse(out) as Said[typeof name]
    },
  }
}

/** Waits until something is as it must be; fails with what it is instead. */
export async function becomes(look: () => Promise<unknown>, wanted: unknown): Promise<void> {
  let seen = await look()
  for (let patience = 100; patience > 0 && !isDeepStrictEqual(seen, wanted); patience--) {
    await sleep(100)
    seen = await look()
  }
  assert.deepEqual(seen, wanted)
}
