/**
 * The demo, `npm start`: a private internet with every kind of mail server, a real Haraka with this plugin, and what becomes of a message to each of them.
 *
 * @module
 */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Ini } from '../e2e/instance.ts'
import { privateInternet, type PrivateInternet } from '../internet/index.ts'
import { reportOn, showReport } from './reports.ts'
import { chapters } from './scenarios.ts'
import { chapterHeading, heading, layoutFor, meetsExpectations, scenarioRows } from './table.ts'
import { declare, optionsFor, run } from './world.ts'

const usage = `npm start                            show what happens, then stay up until Ctrl-C
npm start -- --once                  end with exit code 0, or 1 where something was not as expected
npm start -- --set KEY=VALUE         with another setting in [main] of outbound-tls.ini, as dane=disable`

const scenarios = chapters.flatMap((chapter) => chapter.scenarios)
/** The destination whose report is shown. */
const TOLD = 'dane-second.test'
const layout = layoutFor(process.stdout)
const { paint } = layout

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 2
})

async function main(): Promise<number> {
  const { once, help, set } = readArguments()
  if (help) {
    console.log(usage)
    return 0
  }
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'))
  })
  const began = performance.now()
  progress(`Starting DNS, ${scenarios.length} destinations and Haraka …`)
  const net = await startInternet(set)
  try {
    const differing = await Promise.race([showAll(net), interrupted])
    if (differing === 'interrupted') return 130
    console.log(summary(differing, performance.now() - began))
    if (once) return differing === 0 ? 0 : 1
    console.log(lookAround(net))
    await Promise.race([interrupted, followLog(net)])
    return 0
  } finally {
    progress('')
    await net.stop()
  }
}

function readArguments(): { once: boolean; help: boolean; set: Ini[string] } {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      set: { type: 'string', multiple: true, default: [] },
    },
  })
  const { once, help, set } = values
  return { once, help, set: Object.fromEntries(set.map((text) => text.split(/=(.*)/, 2) as [string, string])) }
}

async function startInternet(main: Ini[string]): Promise<PrivateInternet> {
  const net = await privateInternet(undefined, optionsFor(scenarios, main))
  const file = createWriteStream(logFile(net))
  net.haraka.log.follow((line) => void file.write(`${line}\n`))
  await declare(net, scenarios)
  return net
}

function logFile(net: PrivateInternet): string {
  return join(net.haraka.folder, 'haraka.log')
}

/** Shows row by row what becomes of the messages. Resolves with how many were not as expected. */
async function showAll(net: PrivateInternet): Promise<number> {
  let differing = 0
  progress('')
  console.log(heading(layout))
  for (const { title, scenarios } of chapters) {
    console.log(chapterHeading(layout, title))
    for (const scenario of scenarios) {
      progress(`   a message to you@${scenario.domain} …`)
      const attempts = await run(net, scenario)
      progress('')
      console.log(scenarioRows(layout, scenario, attempts))
      if (!meetsExpectations(scenario, attempts)) differing += 1
    }
  }
  console.log(chapterHeading(layout, `TLS reports (RFC 8460): what ${TOLD} will be told tomorrow`))
  for (const line of await reportOn(net, TOLD)) console.log(`     ${paint('dim', line)}`.trimEnd())
  return differing
}

/** Says what is being waited for, in a line that the next one replaces. Where nobody watches it says nothing. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${paint('dim', text)}`)
}

function summary(differing: number, milliseconds: number): string {
  const all = `\n${scenarios.length} destinations in ${(milliseconds / 1000).toFixed(1)} s`
  if (differing === 0) return paint('green', `${all}, all as expected.`)
  return paint('red', `${all}, ${differing} not as expected.`)
}

function lookAround(net: PrivateInternet): string {
  const { haraka, dns, smtpPort } = net
  const [address = '', port = ''] = dns.endpoint.split(':')
  const hints = {
    'Send a message, of README.md for instance:': `curl --crlf smtp://127.0.0.1:${haraka.port} --mail-rcpt you@dane.test -T README.md`,
    'Ask the DNS:': `dig @${address} -p ${port} +dnssec MX dane.test`,
    'Talk to a host:': `openssl s_client -starttls smtp -connect ${net.server('mx1.dane.test').address}:${smtpPort}`,
    'See what a destination will be told:': `${process.execPath} ${showReport(net, 'dane-wrong.test').join(' ')}`,
    "Read Haraka's log:": logFile(net),
    'Change a setting; it holds some seconds after it is saved:': join(haraka.folder, 'config', 'outbound-tls.ini'),
  }
  return [
    '\nAll this stays up until Ctrl-C. What the log says of further messages will follow here.\n',
    ...Object.entries(hints).map(([what, how]) => `  ${what}\n    ${paint('bold', how)}`),
    '',
  ].join('\n')
}

/** Shows what the log says of deliveries from now on. Never resolves. */
function followLog(net: PrivateInternet): Promise<never> {
  const said = net.haraka.log.lines.length
  let line = 0
  net.haraka.log.follow((text) => {
    line += 1
    if (line > said && /\[outbound(-tls)?\].*(connection to|refused|deferred|delivered|outcome|DNS|ini)/.test(text))
      console.log(text)
  })
  return new Promise(() => undefined)
}
