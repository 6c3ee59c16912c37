/**
 * The answers of explain and probe for programs, as docs/explain.schema.json describes them.
 *
 * @module
 */

import type { PlannedHost, Session } from '../../lib/delivery'
import type { TlsaEvidence, TlsaRecord } from '../../lib/dane'
import type { Proof, Verdict } from '../../lib/policy'
import { isoTime } from '../../lib/time'
import { policyView } from '../../views'
import { resolverJson } from '../resolver'
import type { Advice } from './advice'
import { preferenceOf, securityOf } from './dns-view'
import type { Evidence } from './gather'
import { reasonJson, sessionJson } from './json-session'
import { ANY_SENDER } from './message'
import type { Outlook } from './outlook'
import { differingSettings, settingsShown, type ShownSetting } from './settings'
import { stsRecordOf } from './sts-view'

type Json = Readonly<Record<string, unknown>>

/** @param sessions - undefined: nothing was connected */
export function explanationJson(
  evidence: Evidence,
  outlook: Outlook,
  advice: readonly Advice[],
  sessions?: readonly Session[],
): Json {
  const { at, message, instance, settings, plan, health, nameServers } = evidence
  const hosts = plan.status === 'hosts' ? plan.hosts : []
  return {
    schema: 1,
    domain: message.facts.recipientDomain,
    at: isoTime(at),
    instance: instance.folder ?? null,
    message: messageJson(evidence),
    result: resultJson(outlook),
    settings: settingsJson(settingsShown(settings, instance.settings)),
    resolver: resolverJson(health, nameServers),
    mx: mxJson(evidence),
    mtaSts: stsJson(evidence),
    hosts: hosts.map((host) => hostJson(evidence, host, sessions)),
    advice: advice.map(({ code, for: whose, about, text, source }) => ({ code, for: whose, about, text, source })),
  }
}

function messageJson({ message: { facts, route, request } }: Evidence): Json {
  const { sender, retryNumber, lastErrors } = facts
  return {
    sender: sender === ANY_SENDER ? null : sender === '' ? '<>' : sender,
    retryNumber,
    lastErrors: [...lastErrors],
    asksFor: request ?? null,
    route: route === undefined ? null : { ...route, address: route.address ?? null },
  }
}

function resultJson(outlook: Outlook): Json {
  const nothing = { hosts: [], host: null, address: null, level: null, status: null, text: null, later: null }
  const { action } = outlook
  if (action === 'try') return { action, ...nothing, hosts: outlook.hosts.map(({ name }) => name) }
  if (action === 'deliver') {
    const { host, address } = outlook.session.target
    return { action, ...nothing, host: host.name, address, level: outlook.level, text: outlook.text }
  }
  return { action, ...nothing, status: outlook.status ?? null, text: outlook.text, later: outlook.later ?? null }
}

function settingsJson(shown: readonly ShownSetting[]): Json {
  const entries = shown.map(({ key, value, setBy, until }) => {
    const { section, explicit, reason } = setBy
    const day = until?.toISOString().slice(0, 10)
    return [key, { value: value ?? null, setBy: section, explicit, reason: reason ?? null, until: day ?? null }]
  })
  return Object.fromEntries(entries) as Json
}

function mxJson({ answers, message }: Evidence): Json {
  const answer = answers.get(message.facts.recipientDomain, 'MX')
  const nothing = { security: null, canonicalName: null, records: [], text: null }
  if (answer === undefined) return { status: 'not-looked-up', ...nothing }
  if (answer.status === 'failed') return { status: 'failed', ...nothing, text: answer.failure.text }
  const { status, security, canonicalName } = answer
  const records = status === 'found' ? answer.records : []
  return {
    status,
    security,
    canonicalName,
    records: records.map(({ preference, exchange }) => ({ preference, host: exchange })),
    text: null,
  }
}

function stsJson(evidence: Evidence): Json {
  const { sts, cached, at } = evidence
  const policy = sts?.policy
  return {
    status: sts?.status ?? 'not-looked-up',
    text: sts?.text ?? null,
    why: sts?.why ?? null,
    record: stsRecordOf(evidence) ?? null,
    policy: policy === undefined ? null : { ...policy },
    source: sts?.source ?? null,
    fetchedAt: sts?.fetchedAt === undefined ? null : isoTime(sts.fetchedAt),
    expiresAt: sts?.expiresAt === undefined ? null : isoTime(sts.expiresAt),
    cached: cached.ok && cached.value !== undefined ? policyView(cached.value, at.getTime()) : null,
    cacheProblem: cached.ok ? null : cached.text,
  }
}

function hostJson(evidence: Evidence, host: PlannedHost, sessions: readonly Session[] | undefined): Json {
  const { name, port, verdict } = host
  const { addresses, tlsa } = host.evidence
  const list = addresses.status === 'found' ? addresses.addresses : []
  return {
    name,
    port,
    preference: preferenceOf(evidence, name) ?? null,
    addresses: {
      status: addresses.status,
      list: list.map((address) => ({
        address,
        security: securityOf(evidence, name, address) ?? null,
        local: evidence.isLocal(address),
      })),
      text: addresses.status === 'found' ? null : addresses.text,
    },
    tlsa: tlsaJson(tlsa),
    settings: settingsJson(differingSettings(verdict.settings, evidence.settings, evidence.instance.settings)),
    verdict: verdictJson(verdict),
    knownCertificates: (evidence.known.get(name) ?? []).map(({ spki, flaw, firstSeen }) => ({
      ...{ publicKey: spki, flaw, since: isoTime(firstSeen) },
    })),
    sessions: sessions?.filter(({ target }) => target.host === host).map(sessionJson) ?? null,
  }
}

function tlsaJson(tlsa: TlsaEvidence): Json {
  const nothing = { why: null, name: null, baseDomain: null, records: [], text: null }
  if (tlsa.status === 'none') return { status: 'none', ...nothing, why: tlsa.why }
  const { baseDomain } = tlsa
  if (tlsa.status === 'failed') {
    const { name, failure } = tlsa
    return { status: 'failed', ...nothing, name, baseDomain, why: failure.class, text: failure.text }
  }
  const whyUnusable = new Map(tlsa.unusable.map(({ record, why }) => [record, why]))
  const recordJson = (record: TlsaRecord) => ({
    usage: record.usage,
    selector: record.selector,
    matchingType: record.matchingType,
    data: Buffer.from(record.data).toString('hex'),
    usable: !whyUnusable.has(record),
    why: whyUnusable.get(record) ?? null,
  })
  return { status: 'found', ...nothing, name: tlsa.queryName, baseDomain, records: tlsa.records.map(recordJson) }
}

/** One word for the set of proofs. */
function identityOf(proofs: readonly Proof[]): string {
  const [only] = proofs
  return proofs.length > 1 ? 'both' : (only ?? 'none')
}

function verdictJson(verdict: Verdict): Json {
  const because = reasonJson(verdict.because)
  if (verdict.action === 'skip') return { action: 'skip', because, terms: null }
  const { tls, proofs, leniency, clearTextWithoutStarttls, clearTextAfterFailure, serverName, proves } = verdict
  const { audit, warning, wouldSkip, isWaivedNext } = verdict
  return {
    action: 'attempt',
    because,
    terms: {
      ...{
        tls,
        identity: identityOf(proofs),
        leniency: leniency ?? null,
        retryAcceptsAny: isWaivedNext,
        clearTextWithoutStarttls,
        clearTextAfterFailure,
      },
      ...{ serverName: serverName ?? null, proves, audit, warning: warning ?? null },
      wouldSkip: wouldSkip === undefined ? null : reasonJson(wouldSkip),
    },
  }
}
