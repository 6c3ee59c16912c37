/**
 * What became of each recipient of a message, gathered from what Haraka's hooks report.
 *
 * @module
 */
import type { Bounced, Deferred, Delivered, MessageEvent, RecipientResult } from './protocol.ts'

/** One attempt. Each recipient is in exactly one of the three. */
export interface Outcome {
  readonly uuid: string
  readonly delivered: readonly Delivered[]
  readonly deferred: readonly Deferred[]
  readonly bounced: readonly Bounced[]
  /** every recipient with what Haraka keeps for the bounce, by address */
  readonly recipients: Readonly<Record<string, RecipientResult & { readonly fate: MessageEvent['event'] }>>
}

export interface Outcomes {
  readonly add: (event: MessageEvent) => void
  /**
   * What has been reported of a message, as soon as it covers all these recipients; it is forgotten then, so that the next attempt can be waited for.
   * Rejects after `patience` milliseconds.
   */
  readonly settled: (uuid: string, recipients: readonly string[], patience: number) => Promise<Outcome>
}

export function createOutcomes(): Outcomes {
  const events: MessageEvent[] = []
  const watchers = new Set<() => void>()
  const of = (uuid: string): MessageEvent[] => events.filter((event) => event.uuid.startsWith(uuid))

  return {
    add: (event) => {
      events.push(event)
      for (const watch of watchers) watch()
    },
    settled: (uuid, recipients, patience) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(timer)
          watchers.delete(watch)
        }
        const timer = setTimeout(() => {
          stop()
          const known = of(uuid).flatMap((event) => event.recipients.map(({ address }) => `${address} ${event.event}`))
          const list = known.join(', ') || 'nothing'
          reject(new Error(`after ${patience} ms, of ${recipients.join(', ')} this is known: ${list}`))
        }, patience)
        const watch = (): void => {
          const outcome = outcomeOf(uuid, of(uuid))
          if (!recipients.every((address) => address.toLowerCase() in outcome.recipients)) return
          stop()
          for (const event of of(uuid)) events.splice(events.indexOf(event), 1)
          resolve(outcome)
        }
        watchers.add(watch)
        watch()
      }),
  }
}

function outcomeOf(uuid: string, events: readonly MessageEvent[]): Outcome {
  const recipients = events.flatMap((event) =>
    event.recipients.map((result) => [result.address.toLowerCase(), { ...result, fate: event.event }] as const),
  )
  return {
    uuid,
    delivered: events.filter((event) => event.event === 'delivered'),
    deferred: events.filter((event) => event.event === 'deferred'),
    bounced: events.filter((event) => event.event === 'bounced'),
    recipients: Object.fromEntries(recipients),
  }
}
