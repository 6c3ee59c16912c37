/**
 * `outbound-tls sts refresh DOMAIN`: a worker fetches a policy again, now. The command only asks for it, and waits.
 *
 * @module
 */

import type { FailedFetch, ListedPolicy, StsCache } from '../lib/mta-sts'
import type { Settings } from '../lib/settings'
import type { Done } from '../lib/store'
import { fetchFailureView, policyView } from '../views'
import type { Answer, Call, Command } from './command'
import { withDomain } from './domain'
import { unreadable } from './store'
import { failureText, WHAT, withCache } from './sts'
import { fromNow, printable, wrap } from './text'

/** How often the store is looked at, and how long until a worker must have taken the request: milliseconds. */
const LOOK_EVERY = 200
const TAKEN_WITHIN = 15_000
/** What a fetch may take beside its own time limit, for DNS and for another one that is under way: milliseconds. */
const SLACK = 30_000

export const stsRefresh: Command = {
  name: ['sts', 'refresh'],
  operands: ['DOMAIN'],
  summary: 'fetch the policy of a domain again, now',
  description: [
    'Has a worker of the running Haraka look up the record of a domain and fetch its policy, whatever the cache says, ' +
      'also where a fetch failed just before. Waits until that is done. Until there is a new policy, and also where ' +
      'the fetch fails, the old one goes on applying.',
    'Exits with 1 where no policy could be fetched, or no worker has taken the request within 15 seconds. It is then ' +
      'left in the store, and taken by the next worker that starts.',
  ],
  examples: [
    ['sts refresh example.org', 'fetch what example.org has just published'],
    ['sts refresh --no-wait example.org', 'leave the request, and do not wait'],
  ],
  options: { 'no-wait': { type: 'boolean', help: 'do not wait for the result' } },
  run: (call) =>
    withDomain(call, (domain) => withCache(call, (cache, settings) => refresh(call, cache, settings, domain))),
}

/** `requested`: left in the store; `unknown`: taken by a worker that has not said what came of it. */
type Result = 'requested' | 'fetched' | 'failed' | 'not-taken' | 'unknown'

/** What the cache has of a domain. */
interface Seen {
  readonly policy: ListedPolicy | undefined
  readonly failed: FailedFetch | undefined
}

async function refresh(call: Call, cache: StsCache, settings: Settings, domain: string): Promise<Answer> {
  const { now } = call.world
  const before = await look(cache, domain)
  if (!before.ok) return unreadable(WHAT, before)
  const requested = await cache.requestRefetch(domain)
  if (!requested.ok) return unreadable(WHAT, requested)
  if (call.options['no-wait'] === true) return answer('requested', domain, before.value, now())

  call.world.complain(`Waiting for a worker to fetch the policy of ${domain} ...`)
  const result = await watch(call, cache, settings.main.mtaStsTimeout, domain, before.value)
  if (!result.ok) return unreadable(WHAT, result)
  const after = await look(cache, domain)
  return after.ok ? answer(result.value, domain, after.value, now()) : unreadable(WHAT, after)
}

async function look(cache: StsCache, domain: string): Promise<Done<Seen>> {
  const listed = await cache.listPolicies(domain)
  if (!listed.ok) return listed
  const failed = await cache.lastFailure(domain)
  return failed.ok ? { ok: true, value: { policy: listed.value[0], failed: failed.value } } : failed
}

async function watch(
  { world: { clock, sleep } }: Call,
  cache: StsCache,
  timeout: number,
  domain: string,
  before: Seen,
): Promise<Done<Result>> {
  const start = clock()
  for (;;) {
    await sleep(LOOK_EVERY)
    const seen = await look(cache, domain)
    if (!seen.ok) return seen
    const { policy, failed } = seen.value
    if (policy !== undefined && policy.fetchedAt !== before.policy?.fetchedAt) return { ok: true, value: 'fetched' }
    if (failed !== undefined && failed.at !== before.failed?.at) return { ok: true, value: 'failed' }

    const requested = await cache.isRequested(domain)
    if (!requested.ok) return requested
    if (requested.value && clock() - start > TAKEN_WITHIN) return { ok: true, value: 'not-taken' }
    if (clock() - start > TAKEN_WITHIN + timeout + SLACK) return { ok: true, value: 'unknown' }
  }
}

function answer(result: Result, domain: string, seen: Seen, now: number): Answer {
  return {
    code: result === 'fetched' || result === 'requested' ? 0 : 1,
    lines: wrap(text(result, domain, seen, now)),
    json: {
      schema: 1,
      domain,
      result,
      policy: seen.policy ? policyView(seen.policy, now) : null,
      lastFailure: fetchFailureView(seen.failed),
    },
  }
}

function text(result: Result, domain: string, { policy, failed }: Seen, now: number): string {
  switch (result) {
    case 'requested':
      return `A worker will fetch the policy of ${domain} within seconds.`
    case 'fetched':
      return `Fetched the policy of ${domain}: ${policy ? described(policy, now) : 'it is not to be cached'}.`
    case 'failed':
      return `No policy of ${domain} could be fetched: ${failed ? failureText(failed) : ''}. ${remaining(policy, now)}`
    case 'not-taken':
      return (
        `No worker has taken the request. Is Haraka running, and mta-sts not disabled? ` +
        'It is left in the store, and taken by the next worker that starts.'
      )
    case 'unknown':
      return `A worker has begun to fetch the policy of ${domain} and not come to an end; see Haraka's log.`
  }
}

function described({ policy, id, expiresAt }: ListedPolicy, now: number): string {
  const life = expiresAt <= now ? 'not to be cached (max_age 0)' : `expires ${fromNow(expiresAt, now)}`
  return `mode ${policy.mode}, id ${printable(id)}, ${life}`
}

function remaining(policy: ListedPolicy | undefined, now: number): string {
  if (!policy || policy.expiresAt <= now) return 'None is cached.'
  return `The cached one goes on applying: ${described(policy, now)}.`
}
