/**
 * A process that has the page, on stores that are full, and tells how its event loop does. It is told what to do by its standard input, a
 * line at a time, and answers in a line of JSON.
 *
 * @module
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { createService } from '../../dist/status/service.js'
import { openStores } from '../../test/real/page/stores.ts'
import { fillMonitor } from './fill.ts'
import { fillLedger, fillOutcomes, fillPolicies, fillReceived } from './fill-others.ts'

const [folder = '', work = ''] = process.argv.slice(2)

if (work === 'fill') {
  const stores = openStores(folder)
  const now = Date.now()
  await fillPolicies(stores, now)
  await fillReceived(stores, now)
  await fillLedger(stores, now)
  await fillOutcomes(stores, now)
  await fillMonitor(stores.monitor, { machine: hostname(), now })
  stores.close()
} else serve()

type Handler = (...request: [never, never, () => void]) => void

/** The plugin's own service, on a server of its own. */
function serve(): void {
  const log = (text: string): void => console.error(text)
  const plugin = {
    config: { root_path: `${folder}/config`, get: () => ({ main: {} }) },
    logwarn: log,
    logerror: log,
    logcrit: log,
    haraka_require: () => ({ cfg: { main: {}, enable_tls: true } }),
  }
  const service = createService(plugin as never)
  let handler: Handler = () => undefined
  service.serve({ use: (given: Handler) => (handler = given) })

  const server = createServer((request, response) => handler(request as never, response as never, () => response.end()))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))
  createInterface(process.stdin).on('line', (line) => {
    if (line === 'begin') {
      delay.reset()
      delay.enable()
    } else {
      delay.disable()
      const [p99, max] = [delay.percentile(99), delay.max].map((nanoseconds) => nanoseconds / 1e6)
      console.log(JSON.stringify({ p99, max }))
    }
  })
  process.stdin.on('end', () => process.exit(0))
}
