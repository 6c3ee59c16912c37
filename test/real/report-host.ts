/**
 * A host that sends reports, as a process of its own: report-host.ts PORT NAME. What time it is it is told, and what it sends it tells
 * and then waits for what becomes of it.
 */
import { createRedisOutcomes } from '../../dist/lib/outcomes/index.js'
import { createRedisLedger, createReporter, type Transmission } from '../../dist/lib/reports/index.js'
import { openRedis } from '../../dist/lib/store/index.js'

/** What it is told. */
export type Told = { readonly look: number } | { readonly answer: Transmission; readonly domain: string }

/** What it tells. */
export type Said =
  | 'ready'
  | 'looked'
  | { readonly host: string; readonly domain: string; readonly reportId: string; readonly frozen: string }

const DAY = 86_400_000
const [port = '', host = ''] = process.argv.slice(2)
const say = (said: Said): void => void process.send?.(said)
const answers = new Map<string, (answer: Transmission) => void>()
let now = 0
let ids = 0

const open = () =>
  openRedis({
    endpoint: () => Promise.resolve({ host: '127.0.0.1', port: Number(port) }),
    purpose: 'tests',
    log: (level, text) => console.error(level, text),
    limit: 10_000,
  })
const reporter = createReporter({
  store: createRedisOutcomes({ redis: open(), retention: 30 * DAY }),
  ledger: createRedisLedger({ redis: open(), retention: 30 * DAY }),
  lookupTlsrpt: (domain) => Promise.resolve({ ok: true, value: [`v=TLSRPTv1; rua=mailto:tls@${domain}`] }),
  transmit: ({ domain, reportId, frozen }) => {
    say({ host, domain, reportId, frozen: Buffer.from(frozen).toString('base64') })
    return new Promise((resolve) => answers.set(domain, resolve))
  },
  settings: () => ({
    organization: 'Example',
    contact: 'tls@example.org',
    submitter: 'example.org',
    send: 'daily',
    when: 'always',
    maxSize: 1_000_000,
    spread: 0,
    retryFor: DAY,
    suppress: [],
    domains: new Map(),
  }),
  retention: () => 30 * DAY,
  holder: host,
  now: () => now,
  clock: () => now,
  random: Math.random,
  unique: () => `${host}${++ids}`,
  log: (level, text) => console.error(level, text),
})

process.on('message', (told: Told) => {
  if ('answer' in told) return answers.get(told.domain)?.(told.answer)
  now = told.look
  void reporter.look().then(() => say('looked'))
})
process.on('disconnect', () => process.exit())
say('ready')
