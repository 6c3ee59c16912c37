/**
 * What the log says of what is recorded.
 *
 * @module
 */

import type { SessionOutcome } from '../lib/outcomes'

/** What one session counts as, for each policy that applied. */
export function outcomeLine({ domain, host, level, tlsVersion, results }: SessionOutcome): string {
  const judged = results.map(({ policy, failure }) => {
    const reason = failure?.reason === undefined ? '' : ` (${failure.reason})`
    return `${policy.type} ${policy.domain} ${failure === undefined ? 'success' : `${failure.type}${reason}`}`
  })
  return `outcome for ${domain} at ${host ?? 'no host'}: ${level}${tlsVersion === undefined ? '' : ` ${tlsVersion}`}; ${judged.join('; ')}`
}
