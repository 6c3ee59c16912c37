/**
 * Entries that say the same become one, their counts added, in an order that depends on nothing but what they say.
 *
 * @module
 */

import type { FailureDetail, PolicyReport } from './report'

/** What tells one detail from another. */
export type DetailField = Exclude<keyof FailureDetail, 'failed-session-count'>

const IN_ORDER = [
  'result-type',
  'receiving-mx-hostname',
  'receiving-ip',
  'sending-mta-ip',
  'failure-reason-code',
  'receiving-mx-helo',
  'additional-information',
] as const satisfies readonly DetailField[]

/** The details by what they say, the fields in `ignored` left out of account. */
export function groupDetails(
  details: readonly FailureDetail[],
  ignored: readonly DetailField[] = [],
): readonly (readonly [FailureDetail, ...FailureDetail[]])[] {
  const fields = IN_ORDER.filter((field) => !ignored.includes(field))
  return groupBy(details, (detail) => fields.map((field) => detail[field] ?? null))
}

/** Details without repetitions. */
export function mergeDetails(details: readonly FailureDetail[]): readonly FailureDetail[] {
  return groupDetails(details).map((group) => ({ ...group[0], 'failed-session-count': sessionCountOf(group) }))
}

/** Policies without repetitions, and their details without repetitions. */
export function mergePolicies(policies: readonly PolicyReport[]): readonly PolicyReport[] {
  return groupBy(policies, ({ policy }) => [
    policy['policy-domain'],
    policy['policy-type'],
    policy['policy-string'] ?? null,
    policy['mx-host'] ?? null,
  ]).map((group) => ({
    policy: group[0].policy,
    summary: {
      'total-successful-session-count': sum(group, ({ summary }) => summary['total-successful-session-count']),
      'total-failure-session-count': sum(group, ({ summary }) => summary['total-failure-session-count']),
    },
    'failure-details': mergeDetails(group.flatMap((policy) => policy['failure-details'])),
  }))
}

/** The sessions that details stand for together. */
export function sessionCountOf(details: readonly FailureDetail[]): number {
  return sum(details, (detail) => detail['failed-session-count'])
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}

/** Groups in the order of their keys, which are compared by UTF-16 code units: no locale has a say. */
function groupBy<Item>(items: readonly Item[], key: (item: Item) => unknown): readonly [Item, ...Item[]][] {
  const groups = new Map<string, [Item, ...Item[]]>()
  for (const item of items) {
    const name = JSON.stringify(key(item))
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
