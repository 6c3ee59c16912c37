/**
 * How long a message waits for one host's dead name server while other hosts are known: one resolver time-out at
 * most, and the messages after it not at all.
 *
 * @module
 */

import type { HostEvidence } from '../policy'

/** How long a host is remembered as slow since it last was, in milliseconds. */
const MEMORY = 5 * 60_000
/** Hosts remembered; the oldest is forgotten first. */
const MAX_REMEMBERED = 10_000

export interface Patience {
  /**
   * The evidence about every host, in the order given. A host whose name servers keep silent counts as failed.
   *
   * @param gathering - lookups under way, which go on behind the back of a message that gave up on them
   */
  await(names: readonly string[], gathering: readonly Promise<HostEvidence>[]): Promise<readonly HostEvidence[]>
}

/**
 * @param limit - milliseconds: one resolver time-out
 * @param now - milliseconds of a clock that only goes forward
 */
export function createPatience(limit: number, now: () => number): Patience {
  const slowUntil = new Map<string, number>()

  const remember = (name: string) => {
    slowUntil.delete(name)
    slowUntil.set(name, now() + MEMORY)
    const [oldest] = slowUntil.keys()
    if (slowUntil.size > MAX_REMEMBERED && oldest !== undefined) slowUntil.delete(oldest)
  }
  const patienceFor = (name: string) => ((slowUntil.get(name) ?? 0) > now() ? 0 : limit)

  return {
    async await(names, gathering) {
      const oneIsKnown = Promise.any(gathering.map(onlyUsable))
      oneIsKnown.catch(() => undefined) // none may ever be: then each is waited for to its end

      return Promise.all(
        names.map(async (name, index) => {
          const evidence = gathering[index]
          if (evidence === undefined) return silent(name)
          void evidence.then((known) => (isUsable(known) ? slowUntil.delete(name) : undefined))
          return firstOf(evidence, oneIsKnown, patienceFor(name), () => {
            remember(name)
            return silent(name)
          })
        }),
      )
    },
  }
}

/** The evidence, or what `giveUp` says once another host is known and the patience for this one is over. */
function firstOf(
  evidence: Promise<HostEvidence>,
  oneIsKnown: Promise<HostEvidence>,
  patience: number,
  giveUp: () => HostEvidence,
): Promise<HostEvidence> {
  const started = performance.now()
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    let settled = false
    void evidence.then((known) => {
      settled = true
      clearTimeout(timer)
      resolve(known)
    })
    const startCounting = () => {
      if (settled) return
      const left = Math.max(0, patience - (performance.now() - started))
      timer = setTimeout(() => resolve(giveUp()), left)
    }
    oneIsKnown.then(startCounting, () => undefined)
  })
}

function isUsable({ addresses, tlsa }: HostEvidence): boolean {
  return addresses.status === 'found' && tlsa.status !== 'failed'
}

async function onlyUsable(evidence: Promise<HostEvidence>): Promise<HostEvidence> {
  const known = await evidence
  if (!isUsable(known)) throw new Error('of no use')
  return known
}

function silent(name: string): HostEvidence {
  return {
    name,
    addresses: { status: 'failed', text: 'its name servers have not answered in time', bogus: false },
    tlsa: { status: 'none', why: 'not-looked-up' },
  }
}
