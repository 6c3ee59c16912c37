/**
 * Certificates that are not valid, and are known since a retry accepted them: so that messages to such a host go at once.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { isDeepStrictEqual } from 'node:util'
import type { SeenCertificate } from '../lib/certificates'
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

/** What a session tells is written once an hour for each host and key: as many hosts are remembered. */
const MOST_NOTED = 10_000

/** What the store has of a host, as far as this process knows: the public keys that are known. None: a valid certificate ended them. */
type Noted = ReadonlySet<string>

export function createKnownCertsKeeper(plugin: Plugin): KnownCertsKeeper {
  const noted = new LRUCache<string, Noted>({ max: MOST_NOTED })
  let current: Current | undefined

  const keep = async ({ certs, lasts }: Current, accepted: SeenCertificate, domain: string): Promise<void> => {
    const { host, spki } = accepted
    const before = noted.get(host)
    if (before?.has(spki) === true) return
    const isFirst = before === undefined || before.size === 0
    // one limit for all keys of a host, at most half as long as they are kept; 0 would be no limit
    const ttl = isFirst ? Math.min(HOUR, lasts / 2) : Math.max(1, noted.getRemainingTTL(host))
    noted.set(host, new Set([...(before ?? []), spki]), { ttl })
    const kept = await certs.keep(accepted, domain, lasts)
    if (!kept.ok) noted.delete(host)
  }

  const note = async ({ message, target, verdict, opening }: EventOf<'opened'>): Promise<void> => {
    const { starttls } = opening
    if (current === undefined || starttls.status !== 'done' || target.domain.route === 'static') return
    const { judgement, peer } = starttls
    const { name } = target.host
    const isValid = judgement.pkix.status === 'valid'
    const accepted = isAccepted(verdict, judgement) ? invalidCertificate(name, peer, judgement) : undefined
    if (accepted !== undefined) return keep(current, accepted, target.domain.policyDomain)
    if (!isValid || noted.get(name)?.size === 0) return
    noted.set(name, new Set(), { ttl: HOUR })
    const known = await current.certs.forget(name)
    if (!known.ok) noted.delete(name)
    if (!known.ok || known.value === undefined) return
    const since = isoTime(known.value)
    message.hmail.lognotice(
      `${name} presents a valid certificate: the invalid one known since ${since} is not accepted any more`,
    )
  }

  return {
    find: async (host) => {
      const found = await current?.certs.find(host, current.lasts)
      if (found?.ok !== true) return undefined
      // another process has added or removed some: then what is noted here is out of date
      const isCurrent = [...(noted.get(host) ?? [])].every((key) => found.value.some(({ spki }) => spki === key))
      if (!isCurrent || (found.value.length > 0 && noted.get(host)?.size === 0)) noted.delete(host)
      return found.value
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
