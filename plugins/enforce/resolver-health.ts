/**
 * What is said and noted of the resolver's self-test.
 *
 * @module
 */

import type { Plugin } from '../runtime/haraka'
import { describeServer, type ResolverHealth } from '../lib/dns'
import type { MainSettings } from '../lib/settings'
import { monitoring } from '../runtime/monitoring'

/** No MX record is validated then, and RFC 8689 §4.2.1 has no message wait for it. */
const REQUIRETLS_WITHOUT_DNSSEC =
  'requiretls = true without DNSSEC: messages that require TLS bounce, but where an enforced MTA-STS policy lists the host'

export function tellHealth(
  plugin: Plugin,
  health: ResolverHealth,
  { requiretls }: Pick<MainSettings, 'requiretls'>,
): void {
  const { at, trustAd, validates, secureAnswers, servers } = health
  monitoring.count('resolverTests', { result: sayHealth(plugin, health) })
  if (requiretls && !(trustAd && secureAnswers)) plugin.logwarn(REQUIRETLS_WITHOUT_DNSSEC)
  monitoring.tested({
    ...{ at: at.getTime(), trustAd, validates, secureAnswers },
    servers: servers.map(({ server, ...seen }) => ({ server: describeServer(server), ...seen })),
  })
}

function sayHealth(plugin: Plugin, { trustAd, validates, secureAnswers, servers }: ResolverHealth): string {
  const seen = servers.map(({ text }) => text).join(' | ')
  if (!trustAd) {
    plugin.logwarn(`DNS self-test: AD is not believed (trust-ad), so DANE is unavailable: ${seen}`)
    return 'not-trusted'
  }
  if (!secureAnswers) {
    plugin.logerror(`DNS self-test failed, DANE is unavailable until the resolver validates: ${seen}`)
    return 'failed'
  }
  if (!validates) {
    plugin.logwarn(`DNS self-test had no answer, which shows nothing: ${seen}`)
    return 'unanswered'
  }
  plugin.loginfo(`DNS self-test passed: ${seen}`)
  return 'passed'
}
