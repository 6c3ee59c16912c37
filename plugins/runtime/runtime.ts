/**
 * What all plugins of a process share while it is configured alike: made for its first user, closed behind its last one. Where settings
 * change, the new user comes before the old one leaves, so that what stays the same goes on, with all that it has in its caches.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { createDnsResolver, describeNameServers, nameServersOf, type NameServers } from '../lib/delivery'
import type { Resolver } from '../lib/dns'
import type { DnsSettings } from '../lib/settings'
import type { Plugin } from './haraka'
import { monitoring } from './monitoring'

export interface Shared<Thing> {
  readonly thing: Thing
  /** This user needs it no more. To be called once. */
  readonly release: () => void
}

/** Gives what is made from a key, the same for equal keys. */
export type Share<Thing> = (key: unknown, make: () => Thing) => Shared<Thing>

/** @param close - called once, behind the last user */
export function createSharing<Thing>(close: (thing: Thing) => void): Share<Thing> {
  const all = new Set<{ readonly key: unknown; readonly thing: Thing; users: number }>()
  return (key, make) => {
    const entry = [...all].find((known) => isDeepStrictEqual(known.key, key)) ?? { key, thing: make(), users: 0 }
    all.add(entry)
    entry.users++
    return {
      thing: entry.thing,
      release: () => {
        if (--entry.users > 0) return
        all.delete(entry)
        close(entry.thing)
      },
    }
  }
}

/** What DNS settings come to. */
export interface Dns {
  readonly resolver: Resolver
  /** MX hosts whose lookups keep messages waiting */
  readonly givenUp: Set<string>
}

const shareDns = createSharing<Dns>(({ resolver }) => resolver.close())

/** The resolver of this process. */
export function useDns(plugin: Plugin, dns: DnsSettings): Shared<Dns> {
  return shareDns(dns, () => {
    const nameServers = nameServersHere(dns)
    const said = describeNameServers(nameServers)
    if (nameServers.trustAd) plugin.loginfo(said)
    else plugin.logwarn(said)
    const resolver = createDnsResolver(dns, nameServers, {
      onQuery: ({ type, result, milliseconds }) => monitoring.time('dnsQueries', { type, result }, milliseconds),
    })
    return { resolver, givenUp: new Set() }
  })
}

/** The name servers of the settings, or else of this machine. */
export function nameServersHere(dns: DnsSettings): NameServers {
  return nameServersOf(dns, resolvConf())
}

/** Empty where there is none, or none that may be read. */
function resolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch {
    return ''
  }
}
