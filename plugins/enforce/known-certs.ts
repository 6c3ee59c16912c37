/**
 * Certificates that are not valid, and are known since a retry accepted them: so that messages to such a host go at once.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { isDeepStrictEqual } from 'node:util'
import { invalidCertificate, type FindKnown } from '../lib/delivery'
import type { Settings } from '../lib/settings'
import { HOUR, isoTime } from '../lib/time'
import type { EventOf, Subscriber } from '../runtime/events'
import type { Plugin } from '../runtime/haraka'
import { createKnownCerts, storeContextOf, type KnownCerts } from '../runtime/stores'

export interface KnownCertsKeeper {
  readonly find: FindKnown
  /** Subscribes to events: a session that is open tells of its host's certificate. */
  readonly note: Subscriber
  /** Keeps them as these settings say from now on. */
  readonly use: (settings: Settings) => void
  readonly close: () => void
}

interface Current {
  readonly store: Settings['store']
  readonly certs: KnownCerts
  /** milliseconds */
  lasts: number
}

/** What a session tells is written once an hour for each host and key: as many are remembered. */
const MOST_NOTED = 10_000

export function createKnownCertsKeeper(plugin: Plugin): KnownCertsKeeper {
  const noted = new LRUCache<string, true>({ max: MOST_NOTED, ttl: HOUR })
  let current: Current | undefined

  const note = async ({ message, target, verdict, opening }: EventOf<'opened'>): Promise<void> => {
    const { starttls } = opening
    if (current === undefined || starttls.status !== 'done' || target.domain.route === 'static') return
    const { judgement, peer } = starttls
    const { name } = target.host
    const isValid = judgement.pkix.status === 'valid'
    const accepted = isAccepted(verdict, judgement) ? invalidCertificate(name, peer, judgement) : undefined
    const key = isValid ? name : `${name} ${accepted?.spki}`
    if ((!isValid && accepted === undefined) || noted.has(key)) return
    noted.set(key, true)
    if (accepted !== undefined) {
      noted.delete(name)
      const kept = await current.certs.keep(accepted, target.domain.policyDomain, current.lasts)
      if (!kept.ok) noted.delete(key)
      return
    }
    const known = await current.certs.forget(name)
    if (!known.ok || known.value === undefined) return
    const since = isoTime(known.value)
    message.hmail.lognotice(
      `${name} presents a valid certificate: the invalid one known since ${since} is not accepted any more`,
    )
  }

  return {
    find: async (host) => {
      const found = await current?.certs.find(host, current.lasts)
      return found?.ok === true ? found.value : undefined
    },
    note: (event) => {
      if (event.type === 'opened' && !event.isReplyForCore && !event.message.isReport) void note(event)
    },
    use: ({ store, main }) => {
      const before = current
      if (before !== undefined && main.knownCerts > 0 && isDeepStrictEqual(before.store, store)) {
        before.lasts = main.knownCerts
        return
      }
      const certs = main.knownCerts > 0 ? createKnownCerts(store, storeContextOf(plugin)) : undefined
      current = certs && { store, certs, lasts: main.knownCerts }
      noted.clear()
      before?.certs.end()
    },
    close: () => {
      current?.certs.end()
      current = undefined
    },
  }
}

/** Whether a certificate passed for this leniency alone: not under an audit, nor since a rule or a sender lets all of them pass. */
function isAccepted(
  { audit, leniency }: EventOf<'opened'>['verdict'],
  { known, refusal }: { readonly known?: unknown; readonly refusal: unknown },
): boolean {
  if (audit || refusal !== undefined) return false
  return leniency === 'relax-after-tls-failure' || known !== undefined
}
