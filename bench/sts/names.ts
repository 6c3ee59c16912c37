/**
 * What both sides of the comparison are asked, and by how many at once.
 *
 * @module
 */

/** Domains, each with a record, and a policy host with a certificate of its own. */
export const DOMAINS = Array.from({ length: 200 }, (_, index) => `d${index}.test`)

/** More of them, for what is not counted: compilers, caches and connections get their time. */
export const WARM_UP = Array.from({ length: 100 }, (_, index) => `w${index}.test`)

/** How many decisions are under way at any time. */
export const AT_ONCE = 20

/** The MX host whose name has to match the policy. */
export function mxOf(domain: string): string {
  return `mx7.mail.${domain}`
}

/** Calls `decide` for domain after domain, {@link AT_ONCE} at a time. @returns how many a second */
export async function rate(
  domains: Iterable<string>,
  decide: (domain: string, lane: number) => Promise<void>,
): Promise<number> {
  const left = domains[Symbol.iterator]()
  let count = 0
  const lane = async (number: number): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      await decide(next.value, number)
      count++
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => lane(number)))
  return (count * 1000) / (performance.now() - start)
}

/** All domains over and over, for some seconds. */
export function* forSeconds(seconds: number): Generator<string> {
  const end = performance.now() + seconds * 1000
  for (;;)
    for (const domain of DOMAINS) {
      if (performance.now() >= end) return
      yield domain
    }
}
