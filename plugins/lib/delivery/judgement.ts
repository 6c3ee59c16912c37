/**
 * Judges a peer, and asks for its TLSA records once more before it is refused for them: a roll-over may be under way.
 *
 * @module
 */

import { findTlsa, sameRecords } from '../dane'
import type { Lookup } from '../dns'
import type { Target } from './course'
import { judgePeer, type PeerJudgement, type TlsPeer } from './peer'

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
  if (tlsa.status !== 'found' || tlsa.baseDomain !== verdict.applied.tlsa?.baseDomain) return judgement
  if (sameRecords(tlsa.usable, usable)) return judgement // no roll-over
  if (tlsa.usable.length === 0) return judgement // none of them could have matched: the first ones tell more
  return judgePeer(verdict, host.name, peer, tlsa.usable, new Date())
}
