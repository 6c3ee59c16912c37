/**
 * What a reporter is told by the administrator (outbound-tls.report.ini).
 *
 * @module
 */

import type { Frequencies, Sending } from './timetable'

/** What a `[domain:…]` section may say. */
export interface DomainReporting {
  readonly send: Sending
  readonly when: 'always' | 'failures'
  /** bytes of a report as it is transmitted, see `fitReport` */
  readonly maxSize: number
}

export interface ReporterSettings extends DomainReporting {
  /** organization-name */
  readonly organization: string
  /** contact-info: a mail address */
  readonly contact: string
  /** the domain that report ids are of */
  readonly submitter: string
  /** reports of one period leave within this span, or a third of the period where that is shorter: milliseconds */
  readonly spread: number
  /** for how long after the first attempt a report is tried again: milliseconds */
  readonly retryFor: number
  /** domains, `*.` and domains, and mail addresses that get no report */
  readonly suppress: readonly string[]
  /** the `[domain:…]` sections, by domain in lower-case A-labels */
  readonly domains: ReadonlyMap<string, Partial<DomainReporting>>
}

/** How reports on one domain are to be sent. */
export function reportingOf({ send, when, maxSize, domains }: ReporterSettings, domain: string): DomainReporting {
  return { send, when, maxSize, ...domains.get(domain) }
}

/** How often they are. */
export function frequenciesOf(settings: ReporterSettings): Frequencies {
  const { send, domains } = settings
  return { send, domains: new Map([...domains].map(([domain, own]) => [domain, own.send ?? send])) }
}
