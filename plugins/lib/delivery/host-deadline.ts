/**
 * How long a message waits for hosts whose name servers keep silent: one resolver time-out for all of them.
 *
 * @module
 */

import type { HostEvidence } from '../policy'

/**
 * Waits for the evidence about hosts. Once it is there for one of them, the others have what is left of the time-out,
 * counted from the beginning; those without evidence by then count as failed (D8). As long as there is none for any, our
 * own name servers may be what is slow, and each lookup ends by its own limits.
 *
 * @param names - of all hosts, in the order in which their evidence is returned
 * @param gathering - lookups under way, which go on behind the back of a message that gave up on them
 * @param timeout - milliseconds: one resolver time-out
 * @param givenUp - the hosts that messages gave up on and whose lookups are still under way: no other message waits for
 *   them once there is a host to go to
 */
export async function awaitHosts(
  names: readonly string[],
  gathering: readonly Promise<HostEvidence>[],
  timeout: number,
  givenUp: Set<string>,
): Promise<HostEvidence[]> {
  let timer: NodeJS.Timeout | undefined
  const timeIsUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeout)))
  const over = Promise.all([timeIsUp, Promise.race(gathering)])
  const another = Promise.any(gathering.map(onlyUsable))
  another.catch(() => undefined) // there is none: each is waited for
  try {
    return await Promise.all(
      gathering.map((evidence, index) => {
        const name = names[index] ?? ''
        const giveUp = (): HostEvidence => {
          givenUp.add(name)
          void evidence.finally(() => givenUp.delete(name))
          return silent(name)
        }
        const limit = givenUp.has(name) ? Promise.any([over, another]) : over
        return Promise.race([evidence, limit.then(giveUp)])
      }),
    )
  } finally {
    clearTimeout(timer)
  }
}

async function onlyUsable(evidence: Promise<HostEvidence>): Promise<void> {
  const { addresses, tlsa } = await evidence
  if (addresses.status !== 'found' || tlsa.status === 'failed') throw new Error('not a host to go to')
}

function silent(name: string): HostEvidence {
  return {
    name,
    addresses: { status: 'failed', text: 'its name servers have not answered in time', bogus: false },
    tlsa: { status: 'none', why: 'not-looked-up' },
  }
}
