/**
 * Where the guard goes: targets with what core connects by, and hosts that are left to core.
 *
 * @module
 */

import type { HarakaMx } from '../runtime/haraka'
import type * as course from '../lib/delivery'

/** One connection to be made. */
export interface Target extends course.Target {
  readonly mx: HarakaMx
}

/** LMTP on this machine: left alone. */
export interface Untouched {
  readonly mx: HarakaMx
}

export type Candidate = Target | course.Skipped | Untouched

/** One attempt, from its plan to its end. */
export type Delivery = course.Delivery<Candidate>
