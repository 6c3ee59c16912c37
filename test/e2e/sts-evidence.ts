/**
 * What end-to-end tests of MTA-STS assert: what a TLS report would count, and how often a policy was asked for.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { PrivateInternet } from '../internet/index.ts'
import type { Outcome } from './outcome.ts'

/** Sends a message to somebody at the domain. */
export function mailTo(net: PrivateInternet, domain: string): Promise<Outcome> {
  return net.haraka.send({ to: `one@${domain}` })
}

/** All that has been recorded for a domain so far: "mx1: refused TLSv1.3; sts certificate-expired", the domain's own name left out. */
export function recordedFor(net: PrivateInternet, domain: string): string[] {
  const beginning = `outcome for ${domain} at `
  return net.haraka.log.lines
    .filter((line) => line.includes(beginning))
    .map((line) => line.slice(line.indexOf(beginning) + beginning.length))
    .map((text) => text.replaceAll(`.${domain}`, '').replaceAll(` ${domain}`, '').replaceAll(' TLSv1.3', ''))
}

/** Exactly this has been recorded for a domain. The log may be a moment behind. */
export async function assertRecorded(
  net: PrivateInternet,
  domain: string,
  ...expected: readonly string[]
): Promise<void> {
  for (let patience = 40; patience > 0 && !isDeepStrictEqual(recordedFor(net, domain), expected); patience--)
    await sleep(25)
  assert.deepEqual(recordedFor(net, domain), expected)
}

/** How often its policy host was looked for: once for each fetch, whatever came of it. */
export function fetchesOf(net: PrivateInternet, domain: string): number {
  return net.dns.asked(`mta-sts.${domain}`, 'A')
}

/** How often its STS record was looked up. */
export function discoveriesOf(net: PrivateInternet, domain: string): number {
  return net.dns.asked(`_mta-sts.${domain}`, 'TXT')
}
