/** Settings and evidence for decisions: everything in order, but for what a test says. */
import type { TlsaEvidence } from '../../../dist/lib/dane/index.js'
import type { StsEvidence, StsMode, StsPolicy } from '../../../dist/lib/mta-sts/index.js'
import type {
  Attempt,
  AttemptVerdict,
  DomainEvidence,
  HostEvidence,
  HostQuestion,
} from '../../../dist/lib/policy/index.js'
import { decideHost } from '../../../dist/lib/policy/index.js'
import type { HostSettings, RuleKey, SetBy } from '../../../dist/lib/settings/index.js'

export const DOMAIN = 'example.test'
export const HOST = 'mx1.example.test'

const RULE_KEYS: readonly RuleKey[] = [
  'dane',
  'mtaSts',
  'starttls',
  'allowInvalidCerts',
  'relaxAfterTlsFailure',
  'audit',
  'daneAndMtaSts',
  'insecureMx',
  'plaintextFallback',
  'minTlsVersion',
  'ciphers',
  'caFile',
  'tlsTimeout',
]

function setByMain(): Record<RuleKey, SetBy> {
  const by: SetBy = { section: '[main]', key: 'any', explicit: false }
  return Object.fromEntries(RULE_KEYS.map((key) => [key, by])) as Record<RuleKey, SetBy>
}

/** The defaults of outbound-tls.ini. */
export function settings(changes: Partial<HostSettings> = {}): HostSettings {
  return {
    dane: 'optional',
    mtaSts: 'optional',
    starttls: 'optional',
    allowInvalidCerts: false,
    relaxAfterTlsFailure: true,
    audit: false,
    daneAndMtaSts: 'dane',
    insecureMx: 'dane',
    plaintextFallback: true,
    minTlsVersion: 'TLSv1.2',
    ciphers: undefined,
    caFile: undefined,
    tlsTimeout: 60_000,
    harakaTls: undefined,
    setBy: setByMain(),
    keptAgainstMxRules: [],
    ...changes,
  }
}

/** The same, with one key set by a rule. */
export function byRule(key: RuleKey, changes: Partial<HostSettings>, reason?: string): HostSettings {
  const by: SetBy = {
    section: '[rule:banks]',
    key: 'any',
    explicit: true,
    ...(reason === undefined ? {} : { reason }),
  }
  return settings({ ...changes, setBy: { ...setByMain(), [key]: by } })
}

export const RECORD = { usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32, 7) } as const
const PKIX_RECORD = { usage: 1, selector: 1, matchingType: 1, data: Buffer.alloc(32, 7) } as const

/** TLSA evidence of each kind, for a host without CNAME. */
export function tlsa(kind: 'none' | 'usable' | 'unusable' | 'failed' | 'bogus', name = HOST): TlsaEvidence {
  const queryName = `_25._tcp.${name}`
  const found = { status: 'found', baseDomain: name, queryName } as const
  switch (kind) {
    case 'none':
      return { status: 'none', why: 'absent' }
    case 'usable':
      return { ...found, records: [RECORD], usable: [RECORD], unusable: [] }
    case 'unusable':
      return {
        ...found,
        records: [PKIX_RECORD],
        usable: [],
        unusable: [{ record: PKIX_RECORD, why: 'usage 1 (PKIX-EE) is not for SMTP' }],
      }
    case 'failed':
    case 'bogus': {
      const failure = { class: kind === 'bogus' ? 'bogus' : 'server-failure', text: 'SERVFAIL' } as const
      return { status: 'failed', name: queryName, baseDomain: name, failure }
    }
  }
}

export function stsPolicy(mode: StsMode, mx: readonly string[] = [HOST]): StsPolicy {
  return { mode, mx, maxAge: 86_400, text: `version: STSv1\nmode: ${mode}\n`, notes: [] }
}

/** An STS policy that lists the host, or does not. */
export function sts(mode: StsMode, listed = true): StsEvidence {
  const policy = stsPolicy(mode, [listed ? HOST : 'other.example.test'])
  return { status: 'policy', policy, source: 'fetched', text: `mode ${mode}` }
}

export const NO_STS: StsEvidence = { status: 'none', why: 'no-record', text: 'no record' }
export const FAILED_STS: StsEvidence = { status: 'failed', why: 'cache-unreadable', text: 'the cache cannot be read' }

export function domain(changes: Partial<DomainEvidence> = {}): DomainEvidence {
  return {
    policyDomain: DOMAIN,
    route: 'mx',
    mxSecurity: 'secure',
    isImplicitMx: false,
    expandedNextHop: undefined,
    sts: NO_STS,
    ...changes,
  }
}

export function host(changes: Partial<HostEvidence> = {}): HostEvidence {
  return { name: HOST, addresses: { status: 'found', addresses: ['192.0.2.1'] }, tlsa: tlsa('none'), ...changes }
}

export interface Changes {
  readonly settings?: HostSettings
  readonly domain?: Partial<DomainEvidence>
  readonly host?: Partial<HostEvidence>
  readonly attempt?: Partial<Attempt>
}

export function question(changes: Changes = {}): HostQuestion {
  return {
    settings: changes.settings ?? settings(),
    domain: domain(changes.domain),
    host: host(changes.host),
    attempt: { credentials: false, mayRelax: false, ...changes.attempt },
  }
}

/** The verdict where it must be one to attempt. */
export function attempt(changes: Changes = {}): AttemptVerdict {
  const verdict = decideHost(question(changes))
  if (verdict.action !== 'attempt') throw new Error(`skipped: ${verdict.because.text}`)
  return verdict
}
