/**
 * The answers of explain and probe for people.
 *
 * @module
 */

import type { PlannedHost, Session } from '../../lib/delivery'
import { isoTime } from '../../lib/time'
import type { Paint, Style } from '../command'
import { columns, fromNow, inAscii, printable, span, wrap } from '../text'
import type { Advice } from './advice'
import type { Evidence } from './gather'
import { hostLines } from './host-text'
import { ANY_SENDER } from './message'
import type { Level, Outlook } from './outlook'
import { settingRow, type Row } from './rows'
import { settingsShown } from './settings'
import { stsRecordOf } from './sts-view'

/** @param sessions - undefined: nothing was connected */
export function explanationLines(
  paint: Paint,
  evidence: Evidence,
  outlook: Outlook,
  advice: readonly Advice[],
  sessions?: readonly Session[],
): readonly string[] {
  const { plan, message, instance, settings } = evidence
  const hosts = plan.status === 'hosts' ? plan.hosts : []
  const heading = (text: string) => ['', paint('bold', text)]
  return [
    paint('bold', printable(message.facts.recipientDomain)),
    ...outlookLines(paint, outlook, evidence),
    ...heading('Message'),
    ...columns(messageRows(evidence)),
    ...heading(instance.folder === undefined ? 'Settings: the defaults' : `Settings of ${printable(instance.folder)}`),
    ...columns(settingsShown(settings, instance.settings).map(settingRow)),
    ...heading('Name servers'),
    ...columns(resolverRows(evidence)),
    ...heading('MX records'),
    ...columns(mxRows(evidence)),
    ...heading('MTA-STS'),
    ...columns(stsRows(evidence)),
    ...hosts.flatMap((host) => ['', ...hostLines(paint, evidence, host, sessions)]),
    ...(advice.length === 0 ? [] : [...heading('What would make it better'), ...adviceLines(advice)]),
  ]
}

const LEVEL_STYLE: Readonly<Record<Level, Style>> = {
  verified: 'green',
  trusted: 'green',
  untrusted: 'yellow',
  'clear-text': 'yellow',
}

function outlookLines(paint: Paint, outlook: Outlook, evidence: Evidence): readonly string[] {
  const inColour = (style: Style, text: string) => wrap(printable(inAscii(text))).map((line) => paint(style, line))
  if (outlook.action === 'try') return inColour(...attemptText(outlook.hosts, evidence))
  if (outlook.action === 'deliver') {
    const { level, session, text } = outlook
    const { host, address } = session.target
    const where = `The message would be handed to ${host.name}[${address}]:${host.port}.`
    return [where, `${text}.`].flatMap((line) => inColour(LEVEL_STYLE[level], line))
  }
  const fate = outlook.action === 'defer' ? 'be deferred' : 'bounce'
  const status = outlook.status === undefined ? '' : `, ${outlook.status}`
  const later = outlook.later === undefined ? [] : inColour('yellow', outlook.later)
  return [...inColour('red', `The message would ${fate}${status}: ${outlook.text}.`), ...later]
}

function attemptText(tried: readonly PlannedHost[], { plan }: Evidence): readonly [Style, string] {
  const [first, ...others] = tried.map(({ name }) => name)
  const then = others.length === 0 ? '' : `, then ${others.join(', ')}`
  const skipped = (plan.status === 'hosts' ? plan.hosts.length : 0) - tried.length
  const not = skipped === 0 ? '' : ` ${skipped === 1 ? 'One host' : `${skipped} hosts`} would not be tried.`
  return [skipped === 0 ? 'green' : 'yellow', `The message would be tried at ${first}${then}.${not}`]
}

const REQUEST = { requiretls: 'REQUIRETLS', 'tls-required-no': 'TLS-Required: No' } as const

function messageRows({ message: { facts, route, request }, at }: Evidence): readonly Row[] {
  const { sender, retryNumber, lastErrors } = facts
  const from =
    sender === ANY_SENDER ? 'one that no rule names' : sender === '' ? '<>, the null sender' : printable(sender)
  const errors = lastErrors.size === 0 ? '' : `, the last one failed because of ${[...lastErrors].join(', ')}`
  const attempts = retryNumber === 0 ? 'none, this is the first' : `${retryNumber}${errors}`
  const rows: Row[] = [
    ['sender', from],
    ['attempts before', attempts],
    ['looked at', isoTime(at)],
  ]
  if (request !== undefined) rows.push(['asks for', REQUEST[request]])
  if (route === undefined) return [...rows, ['route', 'by MX records']]
  const address = route.address === undefined ? '' : `[${route.address}]`
  const secret = route.credentials ? ', with credentials' : ''
  return [...rows, ['route', printable(`${route.name}${address}:${route.port}${secret}`)]]
}

function resolverRows({ health, nameServers }: Evidence): readonly Row[] {
  const { trustAd, because } = nameServers
  return [
    ...health.servers.map(({ text, validates, answered }): Row => {
      const verdict = validates ? 'validates DNSSEC' : answered ? 'does not validate DNSSEC' : 'did not answer the test'
      return ['server', printable(`${verdict}: ${text}`)]
    }),
    ['AD bit', printable(`${trustAd ? 'believed' : 'not believed'}: ${because}`)],
    ['DANE', health.secureAnswers ? 'possible' : 'not possible with these servers'],
  ]
}

function mxRows({ answers, message: { facts, route } }: Evidence): readonly Row[] {
  const answer = answers.get(facts.recipientDomain, 'MX')
  if (answer === undefined)
    return [['status', route === undefined ? 'not looked up' : 'not looked up: the route names the host']]
  if (answer.status === 'failed')
    return [['status', printable(`lookup failed (${answer.failure.class}): ${answer.failure.text}`)]]
  const { security, canonicalName } = answer
  const signed = security === 'secure' ? 'secure: signed and validated' : 'insecure: not signed, or not validated'
  const rows: Row[] = [['DNSSEC', signed]]
  if (canonicalName !== facts.recipientDomain) rows.push(['alias of', printable(canonicalName)])
  if (answer.status === 'absent') return [...rows, ['records', 'none, so the domain itself is the host (RFC 5321 5.1)']]
  const sorted = answer.records.toSorted((a, b) => a.preference - b.preference)
  const hosts = sorted.map(({ preference, exchange }): Row => [
    `${preference}`,
    exchange === '' ? '. (null MX)' : printable(exchange),
  ])
  return [...rows, ...hosts]
}

function stsRows(evidence: Evidence): readonly Row[] {
  const { sts, cached, at } = evidence
  if (sts === undefined) return [['status', 'not looked up']]
  const now = at.getTime()
  const rows: Row[] = [['record', recordText(evidence)]]
  if (!cached.ok) rows.push(['cache', printable(`cannot be read: ${cached.text}`)])
  const { policy, fetchedAt, expiresAt } = sts
  if (policy === undefined) return [...rows, ['policy', printable(sts.text)]]
  const source = sts.source === 'fetched' ? 'fetched just now, not from the cache' : printable(sts.text)
  rows.push(['policy', `mode ${policy.mode}`])
  rows.push(...policy.mx.map((pattern, index): Row => [index === 0 ? 'mx' : '', printable(pattern)]))
  rows.push(['max_age', `${policy.maxAge} (${span(policy.maxAge * 1000)})`], ['source', source])
  if (fetchedAt !== undefined && sts.source !== 'fetched') rows.push(['fetched', timeText(fetchedAt, now)])
  if (expiresAt !== undefined) rows.push(['expires', timeText(expiresAt, now)])
  const failures = cached.ok ? (cached.value?.failures ?? 0) : 0
  if (failures > 0) rows.push(['refresh', failures === 1 ? 'has failed once' : `has failed ${failures} times in a row`])
  return [...rows, ...policy.notes.map((note): Row => ['note', printable(note)])]
}

function recordText(evidence: Evidence): string {
  const record = stsRecordOf(evidence)
  if (record === undefined) return 'not looked up'
  const { name, status, id, texts } = record
  const found =
    status === 'found' ? `id ${id}` : status === 'none' ? 'none' : `${status}: ${texts.join(' | ').slice(0, 300)}`
  return printable(`${name}: ${found}`)
}

function timeText(time: Date, now: number): string {
  return `${isoTime(time)}, ${fromNow(time.getTime(), now)}`
}

function adviceLines(advice: readonly Advice[]): readonly string[] {
  return advice.flatMap(({ for: whose, about, text, source }) => {
    const who = whose === 'sender' ? `You, ${about}` : about
    return wrap(printable(inAscii(`${who}: ${text} (${source})`)), '  * ')
  })
}
