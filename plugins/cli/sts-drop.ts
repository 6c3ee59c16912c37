/**
 * `outbound-tls sts drop DOMAIN`: a policy leaves the cache, and workers forget it within a second.
 *
 * @module
 */

import type { Command } from './command'
import { withDomain } from './domain'
import { unreadable } from './store'
import { WHAT, withCache } from './sts'
import { wrap } from './text'

export const stsDrop: Command = {
  name: ['sts', 'drop'],
  operands: ['DOMAIN'],
  summary: 'forget the policy of a domain',
  description: [
    'Removes the policy of a domain from the cache, with what is remembered of failed fetches. Running workers follow ' +
      'within a second. The next delivery to the domain looks its policy up as if for the first time.',
    'A cached policy is what protects mail while someone keeps a new one from being fetched. So drop one only where it ' +
      'is wrong, and the domain cannot announce another one; otherwise use sts refresh, which keeps the old policy ' +
      'until there is a new one.',
    'Exits with 1 where there was no policy.',
  ],
  examples: [['sts drop example.org', 'forget what is cached of example.org']],
  run: (call) =>
    withDomain(call, (domain) =>
      withCache(call, async (cache) => {
        const dropped = await cache.dropPolicy(domain)
        if (!dropped.ok) return unreadable(WHAT, dropped)
        const said = dropped.value
          ? `Dropped the policy of ${domain}. The next delivery looks it up anew.`
          : `There is no policy of ${domain} in the cache.`
        return {
          code: dropped.value ? 0 : 1,
          lines: wrap(said),
          json: { schema: 1, domain, dropped: dropped.value },
        }
      }),
    ),
}
