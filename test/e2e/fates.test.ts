/**
 * Whole deliveries to servers that say anything at all.
 *
 * A message is tried three times; recipients that wait while others do not are a message of their own. Each attempt
 * gives each of its recipients one of three fates, by the hook that core runs: delivered, deferred or bounced. A
 * recipient's last fate is delivered or bounced; all before it are deferred, and nothing comes behind it. Where the server hangs up behind the final dot, nobody can know whether it has the
 * message: it is deferred, and may come twice (RFC 1047), but the recipient still has one last fate.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { freePort, privateInternet, type PrivateInternet } from '../internet/index.ts'
import { chance } from '../support/chance.ts'
import { runs } from '../support/runs.ts'
import { MARK, startRandomServer, type RandomServer, type RandomSession } from './random-server.ts'

const SEED = Number(process.env.FUZZ_SEED ?? 20261201)
const MESSAGES = runs(150, 1000)
const RETRIES = 2
const PATIENCE = 1000
/** Messages handed over at the same time. */
const AT_ONCE = 20
/** Nothing happens for this time, in milliseconds: whatever is left is lost. */
const STANDSTILL = 15_000
const SINK = 'sink.test'

interface Sent {
  readonly number: number
  readonly domain: string
  readonly addresses: readonly string[]
  readonly from: string
  readonly to: readonly string[]
}

test(`each recipient of ${MESSAGES} messages ends with exactly one fate`, { timeout: 540_000 }, async (t) => {
  const port = await freePort()
  const net = await privateInternet(t, {
    settings: { main: { 'smtp-port': port, 'allow-invalid-certs': true } },
    haraka: { outbound: { main: { connect_timeout: PATIENCE / 1000 } } },
  })
  const identity = net.certificates.identity('random.test', 'leaf')
  const polite = addressOf(0)
  const terms = { port, identity, seed: SEED, patience: PATIENCE, polite: (address: string) => address === polite }
  const server = await startRandomServer(terms)
  t.after(() => server.stop())
  declare(net, SINK, [polite])
  await net.haraka.setIntervals(Array.from({ length: RETRIES }, () => 1))

  const messages = Array.from({ length: MESSAGES }, (_, index) => messageOf(index + 1))
  const waiting = [...messages]
  const sendAll = async (): Promise<void> => {
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) await hand(net, message)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sendAll))
  await standstill(net, server)

  const fates = fatesIn(net)
  const faults = messages.flatMap((message) => faultsOf(message, fates, server))
  const explained = faults.slice(0, 5).join('\n\n')
  assert.equal(faults.length, 0, `FUZZ_SEED=${SEED}: ${faults.length} faults\n${explained}`)
  assert.deepEqual(
    bouncesSent(messages, fates),
    bouncesTaken(server),
    'a bounce for each part of a message that bounces',
  )
  await net.haraka.queueIsEmpty()

  const ends = [...fates.values()].map((events) => events.at(-1))
  t.diagnostic(`${server.sessions.length} connections; ${JSON.stringify(Object.groupBy(ends, String), lengths)}`)
  for (const end of ['delivered', 'bounced']) assert.ok(ends.includes(end), `${end} is among them`)
})

function lengths(_: string, value: unknown): unknown {
  return Array.isArray(value) ? value.length : value
}

function messageOf(number: number): Sent {
  const dice = chance(`${SEED} message ${number}`)
  const domain = `m${number}.test`
  const to = Array.from({ length: 1 + dice.upTo(4) }, (_, user) => `r${user}@${domain}`)
  const from = dice.upTo(3) === 0 ? '' : `s${number}@${SINK}`
  return { number, domain, addresses: [addressOf(2 * number), addressOf(2 * number + 1)], from, to: dice.shuffled(to) }
}

/** One of the addresses that nobody else has. */
function addressOf(number: number): string {
  return `127.251.${number >> 8}.${number & 255}`
}

function declare({ dns }: PrivateInternet, domain: string, addresses: readonly string[]): void {
  const hosts = addresses.map((_, index) => `mx${index}.${domain}`)
  dns.declare(domain, { MX: hosts.map((host, index) => `${index} ${host}`) })
  hosts.forEach((host, index) => dns.declare(host, { A: [addresses[index] ?? ''] }))
}

async function hand(net: PrivateInternet, { number, domain, addresses, from, to }: Sent): Promise<void> {
  declare(net, domain, addresses)
  const lines = number % 20 === 0 ? 5000 : 1
  await net.haraka.submit({ from, to, data: `Subject: ${number}\n\n${`${MARK}\n`.repeat(lines)}` })
}

/** Waits until nothing is left, or nothing happens any more. */
async function standstill({ haraka }: PrivateInternet, { sessions }: RandomServer): Promise<void> {
  let last = ''
  for (let since = performance.now(); performance.now() - since < STANDSTILL; await sleep(200)) {
    const now = `${haraka.events.length} ${sessions.length}`
    if (now !== last) since = performance.now()
    last = now
    if (haraka.queueFiles().length === 0) break
  }
  await sleep(1500) // for what comes behind the end
}

/** What became of each recipient, in order. */
function fatesIn({ haraka }: PrivateInternet): Map<string, string[]> {
  const fates = new Map<string, string[]>()
  for (const { event, recipients } of haraka.events)
    for (const { address } of recipients) fates.set(address, [...(fates.get(address) ?? []), event])
  return fates
}

function faultsOf(message: Sent, fates: ReadonlyMap<string, readonly string[]>, { sessions }: RandomServer): string[] {
  const ours = sessions.filter(({ address }) => message.addresses.includes(address))
  const story = ours.map(({ address, said }) => `  ${address}\n    ${said.join('\n    ')}`).join('\n')
  const faults = message.to.flatMap((recipient) => {
    const fault = faultIn(recipient, fates.get(recipient) ?? [], ours)
    return fault === undefined ? [] : [`${recipient}: ${fault}\n${story}`]
  })
  return ours.some(({ isSmuggled }) => isSmuggled)
    ? [`${message.domain}: a message became commands\n${story}`, ...faults]
    : faults
}

function faultIn(recipient: string, events: readonly string[], sessions: readonly RandomSession[]): string | undefined {
  const list = `${events.join()}: `
  const [last] = events.slice(-1)
  if (last !== 'delivered' && last !== 'bounced') return `${list}no last fate`
  if (!events.slice(0, -1).every((event) => event === 'deferred')) return `${list}more than one last fate`
  const surely = sessions.filter(({ surelyTook }) => surelyTook.includes(recipient))
  if (last === 'delivered' && !sessions.some(({ took }) => took.includes(recipient))) return `${list}no server took it`
  if (last === 'bounced' && surely.length > 0) return `${list}a server took it`
  if (surely.length > 1) return `${list}it was sent again after it was taken`
  return undefined
}

/** Recipients of bounces, once for each: one for all recipients that bounce in the same attempt, for the same reason. */
function bouncesSent(messages: readonly Sent[], fates: ReadonlyMap<string, readonly string[]>): string[] {
  const senders = messages.filter(({ from }) => from !== '').map(({ from }) => from)
  return senders.flatMap((sender) => (fates.get(sender) ?? []).map(() => sender)).sort()
}

function bouncesTaken({ sessions }: RandomServer): string[] {
  return sessions.flatMap(({ took }) => took.filter((address) => address.endsWith(`@${SINK}`))).sort()
}
