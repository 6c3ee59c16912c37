/** Targets and what surrounds them, for the tests of one connection. */
import type { HarakaMx } from '../../dist/runtime/haraka.js'
import type { Target } from '../../dist/enforce/candidates.js'
import type { PlannedHost } from '../../dist/lib/delivery/index.js'
import { decideHost, type AttemptVerdict, type HostQuestion } from '../../dist/lib/policy/index.js'
import { question, type Changes } from '../lib/policy/question.ts'

/** A host as it is planned, and its verdict. */
export function planned(changes: Changes = {}): { readonly host: PlannedHost; readonly question: HostQuestion } {
  const asked = question(changes)
  const { name, addresses } = asked.host
  const list = addresses.status === 'found' ? addresses.addresses : []
  return {
    host: {
      ...{ name, port: 25, addresses: list, evidence: asked.host },
      ...{ verdict: decideHost(asked), attempt: asked.attempt },
    },
    question: asked,
  }
}

/** One address of a host that may be tried. */
export function targetOf(changes: Changes = {}, address = '192.0.2.1', mx: Partial<HarakaMx> = {}): Target {
  const { host, question: asked } = planned(changes)
  if (host.verdict.action !== 'attempt') throw new Error(`skipped: ${host.verdict.because.text}`)
  const verdict: AttemptVerdict = host.verdict
  return { host, domain: asked.domain, verdict, address, mx: { exchange: address, ...mx }, afterFailure: undefined }
}
