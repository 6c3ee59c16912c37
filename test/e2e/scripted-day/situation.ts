/**
 * One destination of the scripted day: what it is like, and what a report on it must say.
 *
 * @module
 */
import type { PolicyReport } from '../../../dist/lib/tlsrpt/format/index.js'
import type { DomainOptions } from '../../internet/domains.ts'
import type { PrivateInternet } from '../../internet/index.ts'
import type { ServerOptions } from '../../internet/mail-servers.ts'
import type { Ini } from '../instance.ts'

export interface Situation {
  /** the recipient domain */
  readonly domain: string
  readonly is?: DomainOptions
  /** its hosts, by name below the domain, where they are not as they should be */
  readonly hosts?: Readonly<Record<string, ServerOptions>>
  /** what a rule for the domain sets */
  readonly rule?: Ini[string]
  readonly header?: Readonly<Record<string, string>>
  /** each message is tried once more */
  readonly isRetried?: boolean
  /** what changes behind the first message of the day */
  readonly then?: (net: PrivateInternet) => void
  /** so many messages, in the last round only: in the background, more would be counted between rounds */
  readonly late?: number
  /** whom the report is on; default: the recipient domain */
  readonly about?: string
  /** what the report says; undefined: there is none */
  readonly expect?: (told: Telling) => readonly PolicyReport[]
}

export interface Telling {
  readonly net: PrivateInternet
  /** messages */
  readonly count: number
  /** rounds of messages, hours apart */
  readonly rounds: number
}
