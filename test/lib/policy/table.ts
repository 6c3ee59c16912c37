/**
 * The decision as a table of rows that hold or do not, each with what it demands. Written from the contract, not from
 * the code: the strictest TLS of all rows counts, and every proof asked for must be given.
 *
 * @module
 */
import type { Proof, HostQuestion, ReasonCode } from '../../../dist/lib/policy/index.js'

export interface Demand {
  /** the host is refused for one of these reasons */
  readonly skip: readonly ReasonCode[]
  readonly tls: 'none' | 'opportunistic' | 'required'
  readonly proofs: readonly Proof[]
  readonly clearWithoutStarttls: boolean
  readonly clearAfterFailure: boolean
  /** a retry would not ask for the proof */
  readonly waivedNext: boolean
}

/** What the table demands of a host whose addresses are known, leaving audits aside. */
export function demandOf(question: HostQuestion): Demand {
  const facts = factsOf(question)
  const { settings, attempt } = question
  const skip = refusals(question, facts)
  const daneAsks = facts.usable && !facts.encryptOnly
  const pkixAsked = facts.stsAsks && !facts.daneDecides
  const policy = facts.secureTlsa || pkixAsked
  const plain: readonly Proof[] = attempt.credentials || !settings.allowInvalidCerts ? ['pkix'] : []

  // a retry gives up what nobody but allow-invalid-certs asks for
  const gives = settings.relaxAfterTlsFailure && settings.starttls === 'optional' && !attempt.credentials
  const lenient = {
    proofs: gives && attempt.mayRelax ? [] : plain,
    waivedNext: gives && !attempt.mayRelax && plain.length > 0,
  } as const

  const strict = { skip, tls: 'required', ...NO_CLEAR, waivedNext: false } as const
  if (daneAsks) return { ...strict, proofs: pkixAsked ? ['dane', 'pkix'] : ['dane'] }
  if (pkixAsked) return { ...strict, proofs: ['pkix'] }
  if (policy) return { ...strict, ...lenient }
  const inClear = { ...strict, tls: 'none', proofs: [], clearWithoutStarttls: true } as const
  if (settings.starttls === 'disable') return inClear
  if (attempt.credentials || settings.starttls === 'require') return { ...strict, proofs: plain }
  if (settings.harakaTls === 'none') return inClear
  return {
    skip,
    tls: 'opportunistic',
    ...lenient,
    clearWithoutStarttls: true,
    clearAfterFailure: settings.plaintextFallback,
  }
}

const NO_CLEAR = { clearWithoutStarttls: false, clearAfterFailure: false } as const

interface Facts {
  readonly insecureMx: boolean
  readonly tlsaFailed: boolean
  /** secure TLSA that counts, usable or not */
  readonly secureTlsa: boolean
  readonly usable: boolean
  readonly encryptOnly: boolean
  readonly stsAsks: boolean
  readonly stsLists: boolean
  readonly daneDecides: boolean
}

function factsOf({ settings, domain, host }: HostQuestion): Facts {
  const insecureMx = domain.mxSecurity === 'insecure'
  const looked = settings.dane !== 'disable'
  const secureTlsa = looked && host.tlsa.status === 'found' && !(insecureMx && settings.insecureMx === 'may')
  const usable = secureTlsa && host.tlsa.usable.length > 0
  const encryptOnly = usable && insecureMx && settings.insecureMx === 'encrypt'

  const policy = settings.mtaSts === 'disable' ? undefined : domain.sts?.policy
  const testingToo = settings.mtaSts === 'require'
  const stsAsks = policy?.mode === 'enforce' || (policy?.mode === 'testing' && testingToo)
  return {
    insecureMx,
    tlsaFailed: looked && host.tlsa.status === 'failed',
    secureTlsa,
    usable,
    encryptOnly,
    stsAsks,
    stsLists: policy?.mx.includes(host.name) === true,
    daneDecides:
      usable && !insecureMx && settings.daneAndMtaSts === 'dane' && settings.mtaSts !== 'require' && !encryptOnly,
  }
}

function refusals({ settings, domain, attempt }: HostQuestion, facts: Facts): ReasonCode[] {
  const asks = settings.mtaSts !== 'disable'
  const mode = domain.sts?.policy?.mode
  const applies = facts.secureTlsa || facts.stsAsks
  const byRule = settings.setBy.starttls.section.startsWith('[rule:')
  const rows: readonly (readonly [ReasonCode, boolean])[] = [
    ['tlsa-lookup-failed', facts.tlsaFailed],
    ['dane-required', settings.dane === 'require' && (facts.insecureMx || !facts.usable)],
    ['sts-unavailable', asks && domain.sts?.status === 'failed' && domain.route === 'mx'],
    ['sts-required', asks && settings.mtaSts === 'require' && (mode === undefined || mode === 'none')],
    ['sts-policy-mx-mismatch', facts.stsAsks && !facts.stsLists && !facts.daneDecides],
    ['starttls-disabled', settings.starttls === 'disable' && (applies || (attempt.credentials && !byRule))],
  ]
  return rows.filter(([, holds]) => holds).map(([code]) => code)
}
