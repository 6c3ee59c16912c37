/** Every question that settings and evidence can make, one after the other. */
import type { TlsaEvidence } from '../../../dist/lib/dane/index.js'
import type { StsEvidence } from '../../../dist/lib/mta-sts/index.js'
import type { DomainEvidence, HostQuestion } from '../../../dist/lib/policy/index.js'
import type { HostSettings } from '../../../dist/lib/settings/index.js'
import { byRule, domain, FAILED_STS, host, NO_STS, settings, sts, tlsa } from './question.ts'

export const TLSA: readonly TlsaEvidence[] = [tlsa('none'), tlsa('usable'), tlsa('unusable'), tlsa('failed')]

const STS: readonly StsEvidence[] = [
  NO_STS,
  FAILED_STS,
  sts('none'),
  sts('testing'),
  sts('testing', false),
  sts('enforce'),
  sts('enforce', false),
]

/** Where the host's name came from, and what is known of the domain; for a static route of the relay, if it may have a policy. */
export const DOMAINS: readonly DomainEvidence[] = [
  ...STS.map((evidence) => domain({ mxSecurity: 'secure', sts: evidence })),
  ...STS.map((evidence) => domain({ mxSecurity: 'insecure', sts: evidence })),
  domain({ mxSecurity: 'not-looked-up', sts: undefined, route: 'static' }),
  ...STS.map((evidence) => domain({ mxSecurity: 'not-looked-up', sts: evidence, route: 'static' })),
  domain({ mxSecurity: 'not-looked-up', sts: undefined, route: 'mx' }),
]

const booleans = [false, true] as const
const levels = ['disable', 'optional', 'require'] as const

export const STARTTLS: readonly HostSettings[] = [
  settings({ starttls: 'disable' }),
  byRule('starttls', { starttls: 'disable' }),
  settings({ starttls: 'optional' }),
  settings({ starttls: 'require' }),
]

function* everySettings(): Generator<HostSettings> {
  for (const { starttls, setBy } of STARTTLS)
    for (const dane of levels)
      for (const mtaSts of levels)
        for (const insecureMx of ['dane', 'encrypt', 'may'] as const)
          for (const daneAndMtaSts of ['dane', 'both'] as const)
            for (const allowInvalidCerts of booleans)
              for (const harakaTls of ['none', undefined] as const)
                for (const plaintextFallback of booleans)
                  yield settings({
                    ...{ starttls, setBy, dane, mtaSts, insecureMx, daneAndMtaSts },
                    ...{ allowInvalidCerts, harakaTls, plaintextFallback },
                  })
}

/** More than a hundred thousand. Audits and attempts are added by `variants`. */
export function* everyQuestion(): Generator<HostQuestion> {
  const hosts = TLSA.map((evidence) => host({ tlsa: evidence }))
  for (const one of everySettings())
    for (const evidence of DOMAINS)
      for (const tried of hosts)
        for (const credentials of booleans)
          yield {
            settings: one,
            domain: evidence,
            host: tried,
            attempt: { credentials, mayRelax: one.plaintextFallback },
          }
}

export function underAudit(question: HostQuestion): HostQuestion {
  return { ...question, settings: { ...question.settings, audit: true } }
}

/** For the message of an assertion that failed. */
export function describe({ settings: s, domain: d, host: h, attempt }: HostQuestion): string {
  const tls = h.tlsa.status === 'found' ? (h.tlsa.usable.length > 0 ? 'usable' : 'unusable') : h.tlsa.status
  const policy = d.sts?.policy
  const { starttls, dane, mtaSts, insecureMx, daneAndMtaSts, allowInvalidCerts, harakaTls, audit } = s
  const by = s.setBy.starttls.section
  const listed = policy === undefined ? (d.sts?.status ?? 'no sts') : `${policy.mode} ${policy.mx.join()}`
  return JSON.stringify({
    ...{ tlsa: tls, mx: d.mxSecurity, sts: listed, route: d.route, starttls, by, dane, mtaSts, insecureMx },
    ...{ daneAndMtaSts, allowInvalidCerts, harakaTls, audit, attempt },
  })
}
