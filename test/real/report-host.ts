/**
 * A host that sends reports, as a process of its own: report-host.ts PLACES NAME AHEAD. It tells what it sends, and then waits to be
 * told the answer. Where it is told a time with a look, that is the time of the store; else it asks the store.
 */
import { createReporter, reportSql, type ReportLedger, type Transmission } from '../../dist/lib/tlsrpt/sending/index.js'
import { createStore } from '../../dist/lib/store/index.js'
import { outcomesOf } from '../support/modules.ts'
import type { Places } from '../lib/tlsrpt/sending/world.ts'

/** What it is told. */
export type Told = { readonly look: number | undefined } | { readonly answer: Transmission; readonly domain: string }

/** What it tells. */
export type Said =
  | 'ready'
  | 'looked'
  | { readonly host: string; readonly domain: string; readonly reportId: string; readonly frozen: string }

const DAY = 86_400_000
const [places = '', host = '', ahead = '0'] = process.argv.slice(2)
const say = (said: Said): void => void process.send?.(said)
const log = (level: string, text: string): void => console.error(level, text)
const answers = new Map<string, (answer: Transmission) => void>()
let time: number | undefined
let ids = 0

const realNow = Date.now.bind(Date)
Date.now = () => realNow() + Number(ahead) // this host's own clock

const { store: options } = JSON.parse(places) as Places
const store = createStore(options, log)
const ledger: ReportLedger = { ...store.module(reportSql), end: store.end }
const reporter = createReporter({
  store: outcomesOf(store),
  ledger: {
    ...ledger,
    now: () => (time === undefined ? ledger.now() : Promise.resolve({ ok: true, value: time })),
    takeLease: (holder, lasting) => ledger.takeLease(holder, lasting, time),
  },
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
  clock: () => time ?? performance.now(),
  random: Math.random,
  unique: () => `${host}${++ids}`,
  log,
})

process.on('message', (told: Told) => {
  if ('answer' in told) return answers.get(told.domain)?.(told.answer)
  time = told.look
  void reporter.look().then(() => say('looked'))
})
process.on('disconnect', () => process.exit())
say('ready')
