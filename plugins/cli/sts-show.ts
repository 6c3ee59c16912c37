/**
 * `outbound-tls sts show [DOMAIN]`: the MTA-STS policies in the cache.
 *
 * @module
 */

import type { FailedFetch, ListedPolicy, StsCache } from '../lib/mta-sts'
import { isoTime } from '../lib/time'
import { fetchFailureView, policyView } from '../views'
import type { Answer, Call, Command, Paint } from './command'
import { withDomain } from './domain'
import { unreadable } from './store'
import { failureText, paintMode, warning, WHAT, withCache } from './sts'
import { columns, fromNow, printable, span, wrap } from './text'

export const stsShow: Command = {
  name: ['sts', 'show'],
  operands: ['[DOMAIN]'],
  summary: 'the MTA-STS policies in the cache',
  description: [
    'Shows the policies that were fetched for the domains that mail goes to, or all about that of one domain. ' +
      'An expired policy is no longer applied; it is kept for a week to be seen here.',
    'Exits with 1 where there is no policy.',
  ],
  examples: [
    ['sts show', 'all policies, one line each'],
    ['sts show example.org', 'one of them in full'],
    ['sts show --json -c /etc/haraka', 'all of them for a program, of the instance in /etc/haraka'],
  ],
  run: (call) => (call.operands.length === 0 ? showAll(call) : withDomain(call, (domain) => showOne(call, domain))),
}

function showAll(call: Call): Promise<Answer> {
  const { now, paint } = call.world
  return look(call, async (cache) => {
    const listed = await cache.listPolicies()
    if (!listed.ok) return unreadable(WHAT, listed)
    const policies = listed.value
    return {
      code: policies.length === 0 ? 1 : 0,
      lines: policies.length === 0 ? ['The cache holds no policy.'] : table(policies, now(), paint),
      json: { schema: 1, policies: policies.map((entry) => policyView(entry, now())) },
    }
  })
}

function showOne(call: Call, domain: string): Promise<Answer> {
  const { now, paint } = call.world
  return look(call, async (cache) => {
    const listed = await cache.listPolicies(domain)
    if (!listed.ok) return unreadable(WHAT, listed)
    const failed = await cache.lastFailure(domain)
    if (!failed.ok) return unreadable(WHAT, failed)
    const [entry] = listed.value
    const json = { schema: 1, policies: listed.value.map((one) => policyView(one, now())) }
    return {
      code: entry ? 0 : 1,
      lines: entry ? page(entry, now(), paint) : nothing(domain, failed.value, now()),
      json: entry ? json : { ...json, lastFailure: fetchFailureView(failed.value) },
    }
  })
}

function look(call: Call, work: (cache: StsCache) => Promise<Answer>): Promise<Answer> {
  return withCache(call, work, true)
}

const MODE = 'enforce'.length
const EXPIRES = 'in 10 minutes'.length

function table(policies: readonly ListedPolicy[], now: number, paint: Paint): readonly string[] {
  const row = (mode: string, expires: string, domain: string) =>
    `${mode.padEnd(MODE)}  ${expires.padEnd(EXPIRES)}  ${domain}`
  return [
    paint('bold', row('MODE', 'EXPIRES', 'DOMAIN')),
    ...policies.flatMap((entry) => {
      const { policy, expiresAt, domain, failures } = entry
      const expires = expiresAt <= now ? 'expired' : fromNow(expiresAt, now)
      const mode = paintMode(paint, entry, now, policy.mode.padEnd(MODE))
      const line = mode + row('', expires, printable(domain)).slice(MODE)
      return failures === 0
        ? [line]
        : [line, ...warning(paint, refreshTrouble(entry), ' '.repeat(row('', '', '').length))]
    }),
  ]
}

function page(entry: ListedPolicy, now: number, paint: Paint): readonly string[] {
  const { domain, id, policy, fetchedAt, expiresAt, refreshAt, usedAt } = entry
  const rows: (readonly [string, string])[] = [
    ['mode', policy.mode],
    ...policy.mx.map((pattern, index) => [index === 0 ? 'mx' : '', printable(pattern)] as const),
    ['max_age', `${policy.maxAge} (${span(policy.maxAge * 1000)})`],
    ['id', printable(id)],
    ['fetched', `${isoTime(fetchedAt)}, ${fromNow(fetchedAt, now)}`],
    ['expires', `${isoTime(expiresAt)}, ${expiresAt <= now ? 'so it is not applied' : fromNow(expiresAt, now)}`],
    ['refresh', refreshText(refreshAt, now)],
    ['last used', isoTime(usedAt).slice(0, 10)],
    ...policy.notes.map((note) => ['note', printable(note)] as const),
  ]
  return [paint('bold', printable(domain)), ...columns(rows), ...trouble(entry, now, paint)]
}

function refreshText(refreshAt: number | undefined, now: number): string {
  if (refreshAt === undefined) return 'not in the background: it lives too short for that'
  return `${isoTime(refreshAt)}, ${refreshAt <= now ? 'due' : fromNow(refreshAt, now)}`
}

function trouble(entry: ListedPolicy, now: number, paint: Paint): readonly string[] {
  const { lastFailure } = entry
  if (!lastFailure) return []
  const when = `${isoTime(lastFailure.at)}, ${fromNow(lastFailure.at, now)}`
  const id = lastFailure.id === entry.id || lastFailure.id === '' ? '' : ` The record announced id ${lastFailure.id}.`
  const what = `The latest fetch failed (${when}): ${failureText(lastFailure)}.${printable(id)}`
  return ['', ...warning(paint, entry.failures === 0 ? what : `${refreshTrouble(entry)} ${what}`)]
}

function refreshTrouble({ failures, lastFailure }: ListedPolicy): string {
  const times = failures === 1 ? 'once' : `${failures} times in a row`
  const why = lastFailure === undefined ? '' : `: ${lastFailure.failure.type}`
  return `Could not be refreshed, ${times}${why}.`
}

function nothing(domain: string, failed: FailedFetch | undefined, now: number): readonly string[] {
  const none = `There is no policy of ${domain} in the cache.`
  if (!failed) return wrap(none)
  return wrap(`${none} The latest fetch failed ${fromNow(failed.at, now)}: ${failureText(failed)}.`)
}
