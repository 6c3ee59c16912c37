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
 * @param cache - undefined: there is none yet, which is as an empty one
 */
export function readOnlyCache(cache: StsCache | undefined): StsCache {
  return {
    read: (domain) => cache?.read(domain) ?? answer(undefined),
    generation: () => cache?.generation() ?? answer(''),
    failedFetch: (domain, id) => cache?.failedFetch(domain, id) ?? answer(undefined),
    listPolicies: (domain) => cache?.listPolicies(domain) ?? answer([]),
    policiesBehind: (after, limit) => cache?.policiesBehind(after, limit) ?? answer([]),
    census: (now) => cache?.census(now) ?? answer({ modes: { enforce: 0, testing: 0, none: 0 }, failing: 0 }),
    lastFailure: (domain) => cache?.lastFailure(domain) ?? answer(undefined),
    isRequested: (domain) => cache?.isRequested(domain) ?? answer(false),
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
