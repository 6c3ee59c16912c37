/**
 * The typed settings of outbound-tls.report.ini.
 *
 * @module
 */

/** How often reports are sent; `never`: not at all. */
export type SendInterval = 'hourly' | 'daily' | 'weekly' | 'never'

/** What a `[domain:…]` section may set, and `[main]` sets for all other domains. */
export interface ReportRules {
  readonly send: SendInterval
  /** `failures`: no report on a period in which all went well */
  readonly when: 'always' | 'failures'
  /** of a report as it is transmitted, in bytes */
  readonly maxSize: number
}

/** A key to sign with. */
export interface SignatureSettings {
  /** of its section */
  readonly name: string
  readonly domain: string
  readonly selector: string
  /** the key's file, relative to the config directory */
  readonly privateKey: string
}

/** All of outbound-tls.report.ini. */
export interface ReportSettings {
  /** of the domains that have no section of their own */
  readonly rules: ReportRules
  /** by domain */
  readonly domains: ReadonlyMap<string, ReportRules>
  readonly fromName: string
  readonly fromAddress: string | undefined
  readonly orgName: string | undefined
  readonly contactInfo: string | undefined
  /** the domain that reports; undefined: there is no contact-info that it could be taken from */
  readonly submitter: string | undefined
  /** undefined: what config/dkim/ has for the domain of from-address */
  readonly signatures: readonly SignatureSettings[] | undefined
  /** the span of time within which the reports of one period leave, in milliseconds; never more than a third of the period */
  readonly spread: number
  /** in milliseconds */
  readonly retryFor: number
  /** domains, `*.` and domains, and mail addresses that get no report */
  readonly suppress: readonly string[]
  readonly allowPrivateAddresses: boolean
}
