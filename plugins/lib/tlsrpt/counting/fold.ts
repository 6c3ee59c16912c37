/**
 * How much is told apart. Others choose their records, addresses and certificates, and could have us keep new ones for ever: what is
 * beyond these bounds within one UTC hour of one recipient domain is still counted, but with less detail.
 *
 * @module
 */

import { FOLDED, type AppliedPolicy, type FailureFacts, type PolicyFacts } from '../format'

/** Policies, before others are folded. */
export const MOST_POLICIES = 30
/** A policy, all its strings together, in characters. Published ones have some hundred; who publishes more is not quoted. */
export const LONGEST_POLICY = 10_000
/** Details of failures, of all policies together, before others are folded. */
export const MOST_DETAILS = 200
/**
 * Policies of a domain that are quoted in one report, those with the most sessions; the others lose their strings. A domain that has a new one
 * for each session would otherwise have us read and compose tens of megabytes, with deliveries waiting: the bounds of an hour allow
 * thousands of them in a week.
 */
export const MOST_QUOTED_POLICIES = 100
/**
 * Details in one report that are told, those with the most sessions; the others are folded for the same reason.
 */
export const MOST_QUOTED_DETAILS = 2000
/** Kinds of sessions that differ in host, level or TLS version. Sessions beyond them are counted without a host. */
export const MOST_SESSION_KINDS = 200

/** A policy that is one too many: one without its strings, under the recipient domain, stands for all of its type. */
export function foldedPolicy(domain: string, { type }: Pick<AppliedPolicy, 'type'>): AppliedPolicy {
  return { type, domain }
}

/** A detail that is one too many: the result type stays, and so do the sums of each. */
export function foldedFailure({ type }: Pick<FailureFacts, 'type'>): Omit<FailureFacts, 'count'> {
  return { type, reason: FOLDED }
}

/** Folds the details of a domain that are too many for a report; sums stay. */
export function boundDetails(policies: readonly PolicyFacts[]): readonly PolicyFacts[] {
  let count = 0
  for (const { details } of policies) count += details.length
  if (count <= MOST_QUOTED_DETAILS) return policies
  const all = policies.flatMap(({ details }) => details)
  const told = new Set(all.sort((a, b) => b.count - a.count).slice(0, MOST_QUOTED_DETAILS))
  return policies.map((facts) => {
    const others = facts.details.filter((detail) => !told.has(detail))
    const folded = Array.from(
      Map.groupBy(others, ({ type }) => type),
      ([type, those]) => ({ ...foldedFailure({ type }), count: sumOf(those) }),
    )
    return { ...facts, details: [...facts.details.filter((detail) => told.has(detail)), ...folded] }
  })
}

function sumOf(details: readonly FailureFacts[]): number {
  return details.reduce((sum, { count }) => sum + count, 0)
}
