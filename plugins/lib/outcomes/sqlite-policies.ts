/**
 * What reports are made of: the sums of a period, for each policy and detail of a domain.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { Connection, Done, SharedDatabase } from '../store'
import type { AppliedPolicy, FailureFacts, Period, PolicyFacts } from '../tlsrpt'
import { partsOf, sumLine, type DayPart } from './day-counts'
import { boundDetails, foldedFailure, foldedPolicy, MOST_QUOTED_POLICIES } from './fold'
import { NO_POLICY } from './sqlite-tables'
import { isOfAnyDomain, lengthen, readNumbered, textsOf } from './sqlite-texts'
import { readFailure, readIfSound, readPolicy, readPolicyType, type Failure } from './written'

/** The counts of one day, for each of the domains. */
interface DayOfEach {
  readonly part: DayPart
  /** by the place of the domain, see day-counts.ts */
  readonly lines: ReadonlyMap<number, string>
}

/** The sessions of one policy, by its number. */
interface Sum {
  readonly policy: number
  successes: number
  failures: number
  /** failures by the number of their detail, if there are any */
  details?: Map<number, number>
}

/** Characters of counts that are added up in one go: some milliseconds. Most domains have ten. */
const PIECE = 10_000
/** Texts that are read in one go. */
const MOST_TEXTS = 500
/** How much of a policy tells its type: characters. */
const BEGINNING = 30

/** Each of the domains in its turn, with all policies that it has sessions for. Deliveries go on in between. */
export async function policiesOfEach(
  run: SharedDatabase['run'],
  domains: readonly string[],
  period: Period,
): Promise<Done<readonly (readonly PolicyFacts[])[]>> {
  const days = await run((connection) => partsOf(period).map((part) => readDayOfEach(connection, domains, part)))
  if (!days.ok) return days
  const facts: (readonly PolicyFacts[])[] = []
  for (let from = 0; from < domains.length; from = facts.length) {
    if (from > 0) await setImmediate()
    const piece = await readPiece(run, days.value, domains, from)
    if (!piece.ok) return piece
    facts.push(...piece.value)
  }
  return { ok: true, value: facts }
}

function readDayOfEach({ prepare }: Connection, domains: readonly string[], part: DayPart): DayOfEach {
  const found = prepare(
    `SELECT group_concat(key || ' ' || policies, char(10)) AS lines
     FROM json_each(?) AS wanted CROSS JOIN day ON day = ? AND domain = wanted.value`,
  ).get(JSON.stringify(domains), part.day)
  return { part, lines: readNumbered(found?.lines) }
}

/** Some of the domains, from one on. */
async function readPiece(
  run: SharedDatabase['run'],
  days: readonly DayOfEach[],
  domains: readonly string[],
  from: number,
): Promise<Done<readonly (readonly PolicyFacts[])[]>> {
  const sums = addUpFrom(days, domains.length, from)
  const quoted = new Set<number>()
  const folded = new Set<number>()
  for (const those of sums) {
    for (const [rank, { policy, details }] of those.entries()) {
      if (policy !== NO_POLICY) (rank < MOST_QUOTED_POLICIES ? quoted : folded).add(policy)
      if (details !== undefined) for (const detail of details.keys()) quoted.add(detail)
    }
  }
  const texts = await readTexts(run, quoted, Infinity)
  if (!texts.ok) return texts
  const beginnings = await readTexts(run, folded, BEGINNING)
  if (!beginnings.ok) return beginnings

  const textOf = (id: number, domain: string): string | undefined => lengthen(domain, texts.value.get(id))
  const shared = new Map<number, AppliedPolicy>()
  const quote = (policy: number, domain: string): AppliedPolicy => {
    const known = shared.get(policy)
    if (known !== undefined) return known
    const read = readIfSound(readPolicy, textOf(policy, domain)) ?? { type: 'no-policy-found', domain }
    if (isOfAnyDomain(texts.value.get(policy))) shared.set(policy, read)
    return read
  }
  const policyOf = (policy: number, rank: number, domain: string): AppliedPolicy => {
    if (policy === NO_POLICY) return { type: 'no-policy-found', domain }
    if (rank < MOST_QUOTED_POLICIES) return quote(policy, domain)
    return foldedPolicy(domain, { type: readPolicyType(lengthen(domain, beginnings.value.get(policy)) ?? '') })
  }
  const detailOf = (detail: number, domain: string): Failure =>
    readIfSound(readFailure, textOf(detail, domain)) ?? foldedFailure({ type: 'validation-failure' })
  const detailsOf = (details: ReadonlyMap<number, number>, domain: string): readonly FailureFacts[] =>
    Array.from(details, ([detail, count]) => ({ ...detailOf(detail, domain), count }))
  const factsOf = ({ policy, successes, failures, details }: Sum, rank: number, domain: string): PolicyFacts => ({
    policy: policyOf(policy, rank, domain),
    successes,
    failures,
    details: details === undefined ? [] : detailsOf(details, domain),
  })
  const value = sums.map((those, index) =>
    boundDetails(those.map((sum, rank) => factsOf(sum, rank, domains[from + index] ?? ''))),
  )
  return { ok: true, value }
}

/** The sums of at least one domain. */
function addUpFrom(days: readonly DayOfEach[], count: number, from: number): readonly (readonly Sum[])[] {
  const sums: (readonly Sum[])[] = []
  for (let index = from, size = 0; index < count && size < PIECE; index++) {
    const those: Sum[] = []
    for (const { part, lines } of days) {
      const line = lines.get(index)
      if (line === undefined) continue
      addUp(those, line, part)
      size += line.length
    }
    sums.push(mostFirst(those))
  }
  return sums
}

function addUp(sums: Sum[], line: string, part: DayPart): void {
  sumLine(line, part, (policy, detail, count) => {
    const sum = sumOf(sums, policy)
    if (detail === undefined) {
      sum.successes += count
      return
    }
    sum.failures += count
    sum.details ??= new Map<number, number>()
    sum.details.set(detail, (sum.details.get(detail) ?? 0) + count)
  })
}

/** There is one, mostly, or it is the last one. */
function sumOf(sums: Sum[], policy: number): Sum {
  for (let index = sums.length - 1; index >= 0; index--) {
    const sum = sums[index]
    if (sum?.policy === policy) return sum
  }
  const sum: Sum = { policy, successes: 0, failures: 0 }
  sums.push(sum)
  return sum
}

function mostFirst(sums: Sum[]): readonly Sum[] {
  if (sums.length < 2) return sums
  return sums.sort((a, b) => b.successes + b.failures - a.successes - a.failures)
}

async function readTexts(
  run: SharedDatabase['run'],
  ids: ReadonlySet<number>,
  longest: number,
): Promise<Done<ReadonlyMap<number, string>>> {
  const texts = new Map<number, string>()
  const all = [...ids]
  for (let from = 0; from < all.length; from += MOST_TEXTS) {
    if (from > 0) await setImmediate()
    const some = all.slice(from, from + MOST_TEXTS)
    const read = await run((connection) => textsOf(connection, some, longest))
    if (!read.ok) return read
    for (const [id, text] of read.value) texts.set(id, text)
  }
  return { ok: true, value: texts }
}
