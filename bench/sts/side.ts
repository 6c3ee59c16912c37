/**
 * One of the two that are compared.
 *
 * @module
 */
export interface Side {
  /** Decides about mail for a domain; rejects unless a policy is to be enforced. @param lane - who of those at once asks */
  readonly decide: (domain: string, lane: number) => Promise<void>
  readonly stop: () => Promise<void>
}
