/**
 * A cache that is only looked at: for the command, which finds out what a delivery would come to and must change nothing
 * for those that follow.
 *
 * @module
 */

import type { Done } from '../store'
import type { StsCache } from './cache'

const DONE: Done<void> = { ok: true, value: undefined }
const done = () => Promise.resolve(DONE)
const answer = <Value>(value: Value): Promise<Done<Value>> => Promise.resolve({ ok: true, value })

/**
 * What reads, reads; what would write does nothing and says that it has.
 *
 * @param cache - undefined: there is none; that is as an empty one, and so is one whose file or tables no worker has made yet
 */
export function readOnlyCache(cache: StsCache | undefined): StsCache {
  const readOr = async <Value>(empty: Value, reading: Promise<Done<Value>> | undefined): Promise<Done<Value>> => {
    const read = await reading
    return read === undefined || isMissing(read) ? { ok: true, value: empty } : read
  }
  return {
    read: (domain) => readOr(undefined, cache?.read(domain)),
    generation: () => readOr('', cache?.generation()),
    failedFetch: (domain, id) => readOr(undefined, cache?.failedFetch(domain, id)),
    listPolicies: (domain) => readOr([], cache?.listPolicies(domain)),
    policiesBehind: (after, limit) => readOr([], cache?.policiesBehind(after, limit)),
    census: (now) => readOr({ modes: { enforce: 0, testing: 0, none: 0 }, failing: 0 }, cache?.census(now)),
    lastFailure: (domain) => readOr(undefined, cache?.lastFailure(domain)),
    isRequested: (domain) => readOr(false, cache?.isRequested(domain)),
    due: () => answer([]),
    save: done,
    claim: () => answer(true),
    renewClaim: done,
    release: done,
    noteFailedFetch: done,
    noteFailedRefresh: () => answer(0),
    noteUses: done,
    removeOld: done,
    takeRequests: () => answer([]),
    requestRefetch: done,
    dropPolicy: () => answer(false),
    close: () => cache?.close(),
  }
}

function isMissing(done: Done<unknown>): boolean {
  return !done.ok && /: (?:no such file|there are no tables for sts yet)$/.test(done.text)
}
