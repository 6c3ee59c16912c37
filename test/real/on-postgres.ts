/**
 * A Haraka whose store is a PostgreSQL server: what must hold while the server does not.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStore } from '../../dist/lib/store/index.js'
import { assertDeliveredOverTls, timed } from '../e2e/far-end.ts'
import type { Ini } from '../e2e/instance.ts'
import { mailTo } from '../e2e/sts-evidence.ts'
import type { PrivateInternet } from '../internet/index.ts'
import { outcomesOf } from '../support/modules.ts'

const DAY = 86_400_000
/** What a delivery may take where the server does not answer: its own time, and one time limit. */
const AT_ONCE = 10_000

/** What an acknowledged transaction needs to be there after a SIGKILL. */
export const DURABLE = ['synchronous_commit=on']

export function onPostgres(url: string): Ini {
  return { store: { engine: 'postgres', url } }
}

export async function assertDeliversAtOnce(net: PrivateInternet, domain: string): Promise<void> {
  const { result, took } = await timed(() => mailTo(net, domain))
  await assertDeliveredOverTls(net, result, `mx1.${domain}`)
  assert.ok(took < AT_ONCE, `${took} ms`)
}

/** To a new domain, with a policy of its own. */
export async function assertDeliversTo(net: PrivateInternet, ...domains: readonly string[]): Promise<void> {
  for (const domain of domains) {
    net.domain(domain, { sts: { id: '1' } })
    await assertDeliversAtOnce(net, domain)
  }
}

/** Sessions of some domains. */
export async function sessionsIn(url: string, domains: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const outcomes = outcomesOf(createStore({ engine: 'postgres', url }, () => undefined))
  const [start, end] = [Math.floor(Date.now() / DAY - 1) * DAY, Math.floor(Date.now() / DAY + 2) * DAY]
  const counted: Record<string, number> = {}
  for (const domain of domains) {
    const facts = await outcomes.policiesOf(domain, { start, end })
    counted[domain] = facts.ok ? facts.value.reduce((sum, { successes }) => sum + successes, 0) : NaN
  }
  outcomes.end()
  return counted
}

/** Waits until so many sessions of each domain are counted, those that there were while the server was away too; no more come. */
export async function assertCounted(url: string, expected: Readonly<Record<string, number>>): Promise<void> {
  const look = () => sessionsIn(url, Object.keys(expected))
  let seen = await look()
  for (let tries = 0; tries < 100 && JSON.stringify(seen) !== JSON.stringify(expected); tries++) {
    await sleep(200)
    seen = await look()
  }
  assert.deepEqual(seen, expected)
}
