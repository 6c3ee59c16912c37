/**
 * What end-to-end tests assert about a delivery: at the mail servers, in what Haraka keeps about each recipient, and in the log.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Message } from '../internet/mail-session.ts'
import { assertNothingInClear, type PrivateInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import type { Outcome } from './outcome.ts'

/** Names of domains that no other test of the file has. */
export function domainNames(prefix: string): () => string {
  let last = 0
  return () => `${prefix}${++last}.test`
}

/** A signed domain with two hosts: mx1 as told, and a spare that is as it should be, with DANE. */
export function declareWithSpare(net: PrivateInternet, domain: string, first: ServerOptions): void {
  net.domain(domain, { mx: ['mx1', 'mx2'], signed: true })
  net.server(`mx1.${domain}`, first)
  net.server(`mx2.${domain}`, { tlsa: '3 1 1' })
}

/** "delivered", "deferred 4.7.5" or "bounced 5.1.10", by recipient. */
export function fatesOf({ recipients }: Outcome): Readonly<Record<string, string>> {
  const fates = Object.values(recipients).map(({ address, fate, status }) => [
    address,
    fate === 'delivered' ? fate : `${fate} ${status ?? 'without a status'}`,
  ])
  return Object.fromEntries(fates) as Record<string, string>
}

/** The whole message went to this host, over TLS, and the host heard nothing in clear. */
export async function assertDeliveredOverTls(net: PrivateInternet, outcome: Outcome, host: string): Promise<Message> {
  const message = await assertDelivered(net, outcome, host)
  assert.equal(message.tls, true, `${host} got the message over TLS`)
  assert.equal(outcome.delivered[0]?.secured, true)
  assertNothingInClear(net.server(host))
  return message
}

/** The whole message went to this host, in clear text: STARTTLS was no option, and nothing asked for it. */
export async function assertDeliveredInClear(net: PrivateInternet, outcome: Outcome, host: string): Promise<Message> {
  const message = await assertDelivered(net, outcome, host)
  assert.equal(message.tls, false, `${host} got the message in clear text`)
  assert.equal(outcome.delivered[0]?.secured, false)
  return message
}

async function assertDelivered(net: PrivateInternet, outcome: Outcome, host: string): Promise<Message> {
  const where = outcome.delivered.map(({ ip }) => ip) // the name is not the same in all versions of core
  const fates = `${JSON.stringify(fatesOf(outcome))} ${errorsOf(outcome)}`
  assert.deepEqual(where, [net.server(host).address], `delivered to ${host}: ${fates}`)
  assert.deepEqual([...outcome.deferred, ...outcome.bounced], [])
  return net.server(host).nextMessage()
}

/** All recipients are deferred with this status and a text that matches; the hosts got no mail, and heard nothing in clear. */
export function assertDeferred(outcome: Outcome, status: string, text: RegExp): void {
  for (const [address, fate] of Object.entries(fatesOf(outcome)))
    assert.equal(fate, `deferred ${status}`, `${address} ${errorsOf(outcome)}`)
  for (const { message = '' } of Object.values(outcome.recipients)) assert.match(message, text)
  for (const { error } of outcome.deferred) assert.match(error, text)
}

function errorsOf({ deferred, bounced }: Outcome): string {
  return [...deferred, ...bounced].map(({ error }) => error).join(', ')
}

/** The hosts got no mail, and heard nothing in clear but what comes before TLS. */
export function assertNoMail(net: PrivateInternet, ...hosts: readonly string[]): void {
  for (const host of hosts) {
    assertNothingInClear(net.server(host))
    assert.deepEqual(net.server(host).messages, [], `${host} got no mail`)
  }
}

/** Nobody ever connected to the hosts. */
export function assertNotConnected(net: PrivateInternet, ...hosts: readonly string[]): void {
  for (const host of hosts) assert.equal(net.server(host).connections.length, 0, `nobody connected to ${host}`)
}

/** A line of Haraka's log that holds all of these texts. */
export function assertLogged(net: PrivateInternet, ...texts: readonly string[]): Promise<string> {
  const escaped = texts.map((text) => `(?=.*${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')})`)
  return net.haraka.log.waitFor(new RegExp(`^${escaped.join('')}`), { patience: 2000 })
}

/** Milliseconds that something took. */
export async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; took: number }> {
  const began = performance.now()
  return { result: await work(), took: performance.now() - began }
}
