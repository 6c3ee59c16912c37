/**
 * A report that is too large to be taken says less about each failure, never less failures (RFC 8460 §5.2).
 *
 * @module
 */

import { promisify } from 'node:util'
import { gzip, gzipSync } from 'node:zlib'
import { sessionCountOf, groupDetails, mergeDetails, mergePolicies, type DetailField } from './merge'
import { reportText, type FailureDetail, type PolicyReport, type Report } from './report'

/** How a folded detail says that it stands for several: as its failure-reason-code, or behind the one that they have in common. */
export const FOLDED = 'other-details-folded'

export interface FittedReport {
  readonly report: Report
  readonly text: string
  /** gzip of the text (R17) */
  readonly compressed: Uint8Array
  /** what had to be folded; `policies`: also the policies, which lose their strings then */
  readonly folded: 'nothing' | 'details' | 'policies'
  /** false: it is too large even so */
  readonly fits: boolean
}

/**
 * What details lose, one field after the other, until the report fits: first what hardly anyone needs, then what there can be the
 * most of and others can make more of at will, last the reason. The result type stays.
 */
const GIVEN_UP = [
  'additional-information',
  'receiving-mx-helo',
  'receiving-ip',
  'sending-mta-ip',
  'receiving-mx-hostname',
  'failure-reason-code',
] as const satisfies readonly DetailField[]

const compressElsewhere = promisify(gzip)
/** Characters of a report that is compressed in place. Most are: another thread has more to do with handing it over, and keeps memory. */
const SHORT = 10_000

async function compress(text: string): Promise<Uint8Array> {
  return text.length > SHORT ? compressElsewhere(text) : gzipSync(text, { chunkSize: 1024 })
}

/**
 * Folds a report until it fits. All counts keep their sums, for each policy and each of its result types.
 *
 * @param maxBytes - of the report as it is transmitted
 * @param measure - the bytes that a report takes when it is transmitted
 */
export async function fitReport(
  report: Report,
  maxBytes: number,
  measure: (compressed: Uint8Array, text: string) => number = transmittedSize,
): Promise<FittedReport> {
  let last: FittedReport | undefined
  for (const { report: candidate, folded } of smallerAndSmaller(report)) {
    const text = reportText(candidate)
    const compressed = await compress(text)
    last = { report: candidate, text, compressed, folded, fits: measure(compressed, text) <= maxBytes }
    if (last.fits) return last
  }
  if (last === undefined) throw new Error('a report can always be tried as it is')
  return last
}

/** The size of a compressed report in a mail: base64 in lines of 76 characters with CRLF (R17). */
export function transmittedSize(compressed: Uint8Array): number {
  const characters = Math.ceil(compressed.length / 3) * 4
  return characters + Math.ceil(characters / 76) * 2
}

function* smallerAndSmaller(report: Report): Generator<Pick<FittedReport, 'report' | 'folded'>, void, undefined> {
  yield { report, folded: 'nothing' }
  for (const [index] of GIVEN_UP.entries()) yield { report: withLess(report, index + 1), folded: 'details' }
  yield { report: withFewerPolicies(report), folded: 'policies' }
}

function withLess(report: Report, givenUp: number): Report {
  return { ...report, policies: report.policies.map((policy) => foldPolicy(policy, GIVEN_UP.slice(0, givenUp))) }
}

/** The policies of one type and domain become one, without the strings that made them differ. */
function withFewerPolicies(report: Report): Report {
  const bare = report.policies.map(({ policy, ...rest }) => ({
    policy: { 'policy-type': policy['policy-type'], 'policy-domain': policy['policy-domain'] },
    ...rest,
  }))
  return { ...report, policies: mergePolicies(bare).map((policy) => foldPolicy(policy, GIVEN_UP)) }
}

function foldPolicy(policy: PolicyReport, givenUp: readonly DetailField[]): PolicyReport {
  const folded = groupDetails(policy['failure-details'], givenUp).map((group) => foldGroup(group, givenUp))
  return { ...policy, 'failure-details': mergeDetails(folded) }
}

/** One detail for several that differ in nothing but what is given up. Who is alone has nothing to lose. */
function foldGroup(
  group: readonly [FailureDetail, ...FailureDetail[]],
  givenUp: readonly DetailField[],
): FailureDetail {
  const [first, ...others] = group
  if (others.length === 0) return first
  const kept = Object.fromEntries(
    Object.entries(first).filter(([field]) => !givenUp.some((given) => given === field)),
  ) as unknown as FailureDetail
  return {
    ...kept,
    'failed-session-count': sessionCountOf(group),
    'failure-reason-code': marked(kept['failure-reason-code']),
  }
}

function marked(reason: string | undefined): string {
  if (reason === undefined) return FOLDED
  return reason.endsWith(FOLDED) ? reason : `${reason}; ${FOLDED}` // it may have been folded where it was counted
}
