/**
 * Fetching a policy over HTTPS (RFC 8461 §3.3): by whom it is served, how long and how large it may be.
 *
 * @module
 */

import { quote } from '../dns'
import { createHttpsClient, type HttpAnswer, type HttpsOptions } from '../https'
import type { FetchFailure } from './failure'
import { readStsPolicy, type StsPolicy } from './policy'

export type Fetched =
  { readonly ok: true; readonly policy: StsPolicy } | { readonly ok: false; readonly failure: FetchFailure }

/** Fetches the policy of a domain. Never rejects. It has a time limit of its own; `signal` may end it sooner. */
export type FetchPolicy = (domain: string, signal?: AbortSignal) => Promise<Fetched>

export interface PolicyFetchOptions extends HttpsOptions {
  /** of policy hosts; 443 */
  readonly port: number
}

const PATH = '/.well-known/mta-sts.txt'
/** The largest policy: 64 KiB (T16). */
const LARGEST_POLICY = 65_536

/** The host that serves the policy of a domain (RFC 8461 §3.2). */
export function policyHost(domain: string): string {
  return `mta-sts.${domain}`
}

/**
 * Makes the function that fetches policies.
 *
 * @throws where `extraRoots` are no PEM certificates
 */
export function createPolicyFetch(options: PolicyFetchOptions): FetchPolicy {
  const ask = createHttpsClient(options)
  const request = {
    port: options.port,
    method: 'GET',
    path: PATH,
    headers: { accept: 'text/plain' },
    refuse,
    largestAnswer: LARGEST_POLICY,
  } as const

  return async (domain, signal) => {
    const got = await ask({ ...request, host: policyHost(domain) }, signal)
    if (got.ok) return readAnswer(got.answer, got.where)
    const { kind, text } = got.failure
    // RFC 8460 §4.3.2.2: sts-webpki-invalid is of certificates; versions that the host lacks are a failure to fetch
    return failed(kind === 'certificate' ? 'sts-webpki-invalid' : 'sts-policy-fetch-error', text)
  }
}

/** Only a 200 of type text/plain counts (T7, T14). */
function refuse(status: number, headers: HttpAnswer['headers']): string | undefined {
  if (status !== 200) return `HTTP status ${status}, not 200`
  const type = headers['content-type'] ?? ''
  if (!/^text\/plain[ \t]*(?:;|$)/i.test(type)) return `media type ${quote(type)}, not text/plain` // T7
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') return `content encoding ${quote(encoding)}, which was not asked for`
  return undefined
}

function readAnswer(answer: HttpAnswer, where: string): Fetched {
  if (mayBeCut(answer)) return failed('sts-policy-fetch-error', `${where}: the answer may be cut off: it has no length`)
  const text = decodeUtf8(answer.body)
  if (text === undefined) return failed('sts-policy-invalid', `${where}: not UTF-8`)
  const read = readStsPolicy(text)
  return read.ok ? read : failed(read.error.type, `${where}: ${read.error.text}`)
}

/**
 * A body that ends with the connection can be cut off by anyone on the way, for Node does not tell whether TLS was closed properly.
 * Whole lines may then be missing, which a policy's required fields reveal, but a "max_age: 604800" must not become a "max_age: 6".
 */
function mayBeCut({ headers, body }: HttpAnswer): boolean {
  const hasEnd = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  return !hasEnd && body.at(-1) !== 0x0a
}

/** A byte order mark is kept, for it is no part of the grammar. */
function decodeUtf8(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined
  }
}

function failed(type: FetchFailure['type'], text: string): Fetched {
  return { ok: false, failure: { type, text } }
}
