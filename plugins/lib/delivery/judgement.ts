/**
 * Judges a peer, and asks for its TLSA records once more before it is refused for them: a roll-over may be under way.
 *
 * @module
 */

import { findTlsa, sameRecords } from '../dane'
import type { Answer, Lookup } from '../dns'
import type { AttemptVerdict } from '../policy'
import type { Target } from './course'
import { judgePeer, type PeerJudgement, type TlsPeer } from './peer'

/** Only a denial that is signed, behind addresses that are, is one (RFC 7672 §2.2.2): a forged one must not open the host. */
async function isDenied(lookup: Lookup, { applied }: AttemptVerdict, addresses: readonly Answer[]): Promise<boolean> {
  const isSecure = addresses.every((answer) => answer.status !== 'failed' && answer.security === 'secure')
  if (!isSecure || applied.tlsa === undefined) return false
  const denial = await lookup(applied.tlsa.queryName, 'TLSA') // just looked up: it is in the cache
  return denial.status === 'absent' && denial.security === 'secure'
}

/** Judges a peer by the TLSA records of its verdict, and where none of them matches by those that there are now. */
export async function judgeTarget(
  lookup: Lookup,
  { host, verdict }: Pick<Target, 'host' | 'verdict'>,
  peer: TlsPeer,
): Promise<PeerJudgement> {
  const usable = verdict.applied.tlsa?.usable ?? []
  const judgement = judgePeer(verdict, host.name, peer, usable, new Date())
  if (judgement.refusal?.code !== 'dane-no-match') return judgement

  const fresh = { fresh: true }
  const [a, aaaa] = await Promise.all([lookup(host.name, 'A', fresh), lookup(host.name, 'AAAA', fresh)])
  const tlsa = await findTlsa(lookup, host.name, host.port, { a, aaaa }, fresh)
  if (tlsa.status === 'none' && (await isDenied(lookup, verdict, [a, aaaa])))
    return { ...judgement, tlsaWithdrawn: true }
  if (tlsa.status !== 'found' || tlsa.baseDomain !== verdict.applied.tlsa?.baseDomain) return judgement
  if (sameRecords(tlsa.usable, usable)) return judgement // no roll-over
  if (tlsa.usable.length === 0) return judgement // none of them could have matched: the first ones tell more
  return judgePeer(verdict, host.name, peer, tlsa.usable, new Date())
}
