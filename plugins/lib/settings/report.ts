/**
 * outbound-tls.report.ini as haraka-config gives it → typed settings, or all that is wrong with it.
 *
 * @module
 */

import { HOUR } from '../time'
import { configurationError, type ConfigurationError } from './errors'
import { defaultsOf, isSection, key, listKey, optionalKey, pick, readSection, type KeysOf } from './keys'
import * as kind from './kinds'
import { checkLines } from './lines'
import { readDomainName } from './names'
import type { ReportRules, ReportSettings, SignatureSettings } from './report-settings'
import { sectionErrors } from './sections'

export type ReportSettingsResult =
  | { readonly ok: true; readonly settings: ReportSettings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly ConfigurationError[] }

/** What `[domain:…]` may set. */
export const REPORT_RULE_KEYS: KeysOf<ReportRules> = {
  send: key('send', kind.oneOf('hourly', 'daily', 'weekly', 'never'), 'daily'),
  when: key('when', kind.oneOf('always', 'failures'), 'always'),
  maxSize: key('max-size', kind.size('10kb', '1gb'), 26_214_400),
}

interface ReportMain extends Omit<ReportSettings, 'rules' | 'domains' | 'signatures' | 'suppress'>, ReportRules {
  readonly sign: readonly string[] | undefined
  readonly suppress: readonly string[] | undefined
}

/** `[main]` of outbound-tls.report.ini. */
export const REPORT_KEYS: KeysOf<ReportMain> = {
  ...REPORT_RULE_KEYS,
  fromName: key('from-name', kind.NAME, 'TLS Report'),
  fromAddress: optionalKey('from-address', kind.ADDRESS),
  orgName: optionalKey('org-name', kind.NAME),
  contactInfo: optionalKey('contact-info', kind.ADDRESS),
  submitter: optionalKey('submitter', kind.MAIL_DOMAIN),
  sign: listKey('sign[]', kind.NAME),
  spread: key('spread', kind.duration('0s', '7d'), 4 * HOUR),
  retryFor: key('retry-for', kind.duration('1m', '7d'), 24 * HOUR),
  suppress: listKey('suppress[]', kind.ADDRESS_OR_DOMAIN_PATTERN),
  allowPrivateAddresses: key('allow-private-addresses', kind.FLAG, false),
}

type SignatureValues = {
  readonly [Field in Exclude<keyof SignatureSettings, 'name'>]: SignatureSettings[Field] | undefined
}

/** `[signature:NAME]`: all of them are needed. */
export const SIGNATURE_KEYS: KeysOf<SignatureValues> = {
  domain: optionalKey('domain', kind.MAIL_DOMAIN),
  selector: optionalKey('selector', kind.DOMAIN),
  privateKey: optionalKey('private-key', kind.PATH),
}

const SECTIONS = '[main], [domain:DOMAIN], [signature:NAME]'

/**
 * Reads outbound-tls.report.ini. Total: whatever is passed in, the result says what is wrong with it, all of it at once.
 *
 * @param ini - what haraka-config's `get` gives, without declared booleans
 * @param text - the administrator's file as it is on disk
 */
export function readReportSettings(ini: unknown, text: string, file = 'outbound-tls.report.ini'): ReportSettingsResult {
  const sections = isSection(ini) ? ini : { main: ini }
  const names = Object.keys(sections)
  const main = readSection(REPORT_KEYS, sections.main, { file, section: '[main]' })
  const domains = names
    .filter((name) => name.startsWith('domain:'))
    .map((name) => readDomain(file, name, sections[name]))
  const signatures = names
    .filter((name) => name.startsWith('signature:'))
    .map((name) => readSignature(file, name, sections[name]))

  const wanted = main.values.sign?.map((name) => signatures.find(({ signature }) => signature.name === name)?.signature)
  const errors = [
    ...checkLines(file, text, sections),
    ...sectionErrors(file, sections, (name) => /^main$|^domain:|^signature:/.test(name), SECTIONS),
    ...[main, ...domains, ...signatures].flatMap((reading) => reading.errors),
    ...repeatedDomains(file, domains),
    ...unknownSignatures(file, main.values.sign ?? [], signatures),
  ]
  if (errors.length > 0) return { ok: false, errors }

  const { sign, suppress = [], ...values } = { ...defaultsOf(REPORT_KEYS), ...main.values }
  const rules = pick(values, ['send', 'when', 'maxSize'])
  const contactDomain = values.contactInfo?.slice(values.contactInfo.lastIndexOf('@') + 1)
  const settings: ReportSettings = {
    ...values,
    rules,
    domains: new Map(domains.map(({ domain, set }) => [domain, { ...rules, ...set }])),
    submitter: values.submitter ?? contactDomain,
    signatures: sign === undefined ? undefined : (wanted ?? []).filter((signature) => signature !== undefined),
    suppress,
  }
  return { ok: true, settings, warnings: warningsOf(file, settings, contactDomain, signatures) }
}

/** How one domain is reported to. */
export function reportRulesFor({ rules, domains }: ReportSettings, domain: string): ReportRules {
  return domains.get(domain) ?? rules
}

/** Whether there is a domain that reports are sent to. */
export function sendsReports({ rules, domains }: ReportSettings): boolean {
  return [rules, ...domains.values()].some(({ send }) => send !== 'never')
}

/** A pattern as `suppress[]` takes it, in the form in which it is compared; undefined: it is none. */
export function readSuppressPattern(text: string): string | undefined {
  return kind.ADDRESS_OR_DOMAIN_PATTERN.read(text)
}

/** The keys that have no default and are needed to send reports. */
export function missingForReports(settings: ReportSettings): readonly string[] {
  return (['fromAddress', 'orgName', 'contactInfo'] as const)
    .filter((field) => settings[field] === undefined)
    .map((field) => REPORT_KEYS[field].name)
}

interface DomainReading {
  readonly heading: string
  readonly domain: string
  readonly set: Partial<ReportRules>
  readonly errors: readonly ConfigurationError[]
}

function readDomain(file: string, heading: string, section: unknown): DomainReading {
  const place = { file, section: `[${heading.slice(0, 120)}]` }
  const { values, errors } = readSection(REPORT_RULE_KEYS, section, place)
  const domain = readDomainName(heading.slice('domain:'.length))
  const unnamed = configurationError(place, undefined, undefined, 'accepted: [domain:DOMAIN] with one domain name')
  return { heading, domain: domain ?? '', set: values, errors: domain === undefined ? [unnamed, ...errors] : errors }
}

/** One domain in two spellings. */
function repeatedDomains(file: string, domains: readonly DomainReading[]): readonly ConfigurationError[] {
  return domains
    .filter(({ domain }, index) => domains.findIndex((other) => other.domain === domain) < index)
    .map(({ heading }) =>
      configurationError(
        { file, section: `[${heading.slice(0, 120)}]` },
        undefined,
        undefined,
        'the domain has a section above',
      ),
    )
}

function readSignature(
  file: string,
  heading: string,
  section: unknown,
): { readonly signature: SignatureSettings; readonly errors: readonly ConfigurationError[] } {
  const place = { file, section: `[${heading.slice(0, 120)}]` }
  const { values, errors } = readSection(SIGNATURE_KEYS, section, place)
  const { domain = '', selector = '', privateKey = '' } = values
  const missing = Object.values(SIGNATURE_KEYS)
    .filter(({ name }) => !isSection(section) || section[name] === undefined || section[name] === '')
    .map(({ name, accepted }) => configurationError(place, name, undefined, `is missing, ${accepted}`))
  const name = heading.slice('signature:'.length)
  return { signature: { name, domain, selector, privateKey }, errors: [...errors, ...missing] }
}

function unknownSignatures(
  file: string,
  names: readonly string[],
  signatures: readonly { readonly signature: SignatureSettings }[],
): readonly ConfigurationError[] {
  return names
    .filter((name) => !signatures.some(({ signature }) => signature.name === name))
    .map((name) =>
      configurationError({ file, section: '[main]' }, 'sign[]', name, 'there is no such section [signature:NAME]'),
    )
}

function warningsOf(
  file: string,
  { submitter, signatures = [] }: ReportSettings,
  contactDomain: string | undefined,
  sections: readonly { readonly signature: SignatureSettings }[],
): readonly string[] {
  const warnings: string[] = []
  if (contactDomain !== undefined && submitter !== contactDomain) {
    const why = 'RFC 8460 5.3 demands the domain of contact-info, receivers may refuse the reports'
    warnings.push(`${file} [main] submitter = ${submitter}: ${why} (${contactDomain})`)
  }
  const idle = sections
    .filter(({ signature }) => !signatures.includes(signature))
    .map(({ signature }) => signature.name)
  if (idle.length > 0)
    warnings.push(`${file} ${idle.map((name) => `[signature:${name}]`).join(', ')}: no effect, sign[] does not name it`)
  if (
    signatures.length > 0 &&
    submitter !== undefined &&
    !signatures.some(({ domain }) => isAligned(domain, submitter))
  ) {
    const why = 'receivers ignore reports without a signature of the domain that reports (RFC 8460 3)'
    warnings.push(`${file} [main] sign[]: none of the signatures is by ${submitter}: ${why}`)
  }
  return warnings
}

/** Whether a signature of one domain speaks for the other: the same domain, or one is below the other. */
export function isAligned(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`)
}
