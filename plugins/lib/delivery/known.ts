/**
 * Known certificates in a delivery: a certificate that is refused only because this is a first attempt is accepted where an earlier
 * delivery has accepted its key.
 *
 * @module
 */

import { acquaintanceOf, seenCertificate, type KnownCertificate, type SeenCertificate } from '../certificates'
import type { Target } from './course'
import type { PeerJudgement, TlsPeer } from './peer'

/** The certificates that are known of a host. Undefined: they cannot be read, or none are kept. */
export type FindKnown = (host: string) => Promise<readonly KnownCertificate[] | undefined>

type Judged = Pick<Target, 'host' | 'domain' | 'verdict'>

/**
 * Lets a known certificate pass. It is a leniency, never a proof: the level stays Untrusted. Only what the next attempt would accept
 * anyway is asked about, and never for a static route, whose rule asks for a valid certificate by name.
 */
export async function acceptKnown(
  findKnown: FindKnown,
  { host, domain, verdict }: Judged,
  peer: TlsPeer,
  judgement: PeerJudgement,
): Promise<PeerJudgement> {
  if (judgement.refusal === undefined || !verdict.isWaivedNext || domain.route === 'static') return judgement
  const seen = invalidCertificate(host.name, peer, judgement)
  const known = seen && (await findKnown(host.name))
  const acquaintance = known && acquaintanceOf(seen, known)
  if (acquaintance === undefined) return judgement
  if (acquaintance.is !== 'known') return { ...judgement, known: acquaintance }
  return { ...judgement, refusal: undefined, known: acquaintance }
}

/** What is to be known of a certificate that is not valid. Undefined: there is none, or it is valid. */
export function invalidCertificate(
  host: string,
  { leaf }: TlsPeer,
  { pkix }: PeerJudgement,
): SeenCertificate | undefined {
  if (leaf === undefined || pkix.status !== 'invalid') return undefined
  return seenCertificate(host, leaf, pkix.flaw ?? pkix.why)
}
