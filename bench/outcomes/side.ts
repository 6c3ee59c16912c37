/**
 * One of the two that are compared.
 *
 * @module
 */
import type { SessionOutcome } from '../../dist/lib/tlsrpt/counting/index.js'
import type { PolicyFacts } from '../../dist/lib/tlsrpt/format/index.js'

export interface Side {
  /** Takes note of a session; it is written within 200 ms. */
  readonly record: (outcome: SessionOutcome) => void
  readonly flush: () => Promise<void>
  /** The domains that had sessions today, `limit` of them behind `after`. */
  readonly domains: (after: string, limit: number) => Promise<readonly string[]>
  /** What today's report on each of some domains is composed of. */
  readonly facts: (domains: readonly string[]) => Promise<readonly (readonly PolicyFacts[])[]>
  readonly close: () => void
}
