/**
 * A ledger, counts and receivers that fail at one step of a worker's work, or that the worker does not survive.
 *
 * @module
 */
import type { ReporterOptions } from '../../../../dist/lib/tlsrpt/sending/index.js'

/**
 * What happens at the step:
 * - `refused`: it is not done, and the worker is told so
 * - `lost answer`: it is done, and the worker is told that it is not
 * - `dies before`, `dies after`: the worker ends there, and nothing more is heard of it
 */
export const FAULTS = ['refused', 'lost answer', 'dies before', 'dies after'] as const
export type Fault = (typeof FAULTS)[number]

export interface Steps {
  /** how many there have been */
  count: number
  /** what the step was that the fault happened at */
  at: string | undefined
  /** kept when the worker has died */
  readonly death: Promise<void>
}

type Parts = Pick<ReporterOptions, 'ledger' | 'store' | 'transmit'>

/** The parts of a worker, with a fault at the step of this number. */
export function withFault(
  parts: Parts,
  fault: Fault,
  number: number,
): { readonly parts: Parts; readonly steps: Steps } {
  const { promise: death, resolve: die } = Promise.withResolvers<undefined>()
  const steps: Steps = { count: 0, at: undefined, death }
  let isDead = false

  const step = async <Result>(name: string, failure: Result, work: () => Promise<Result>): Promise<Result> => {
    if (isDead) return new Promise<Result>(() => undefined)
    if (steps.count++ !== number) return work()
    steps.at = name
    if (fault === 'refused') return failure
    if (fault === 'lost answer' || fault === 'dies after') await work()
    if (fault === 'lost answer') return failure
    isDead = true
    die(undefined)
    return new Promise<Result>(() => undefined)
  }
  const faulty = <Target extends object>(target: Target, name: string): Target =>
    new Proxy(target, {
      get: (_, method) => {
        const original = Reflect.get(target, method) as (...args: unknown[]) => Promise<unknown>
        return (...args: unknown[]) =>
          step(`${name}.${String(method)}`, { ok: false, text: 'fault' }, () => original(...args))
      },
    })

  const transmit: Parts['transmit'] = (report, rua) =>
    step('transmit', { status: 'failed', isFinal: false, note: 'fault' }, () => parts.transmit(report, rua))
  return {
    parts: { ledger: faulty(parts.ledger, 'ledger'), store: faulty(parts.store, 'store'), transmit },
    steps,
  }
}
