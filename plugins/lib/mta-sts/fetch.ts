/**
 * Fetching a policy over HTTPS (RFC 8461 §3.3): by whom it is served, how long and how large it may be.
 *
 * @module
 */

import { once } from 'node:events'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Lookup } from '../dns'
import { isPublicAddress } from './address'
import { connectToPolicyHost, reasonOf, type Connected, type Target } from './connect'
import type { FetchFailure } from './failure'
import { httpGet } from './http-get'
import { readStsPolicy, type StsPolicy } from './policy'

export type Fetched =
  { readonly ok: true; readonly policy: StsPolicy } | { readonly ok: false; readonly failure: FetchFailure }

/** Fetches the policy of a domain. Never rejects. It has a time limit of its own; `signal` may end it sooner. */
export type FetchPolicy = (domain: string, signal?: AbortSignal) => Promise<Fetched>

export interface PolicyFetchOptions {
  /** of policy hosts; 443 */
  readonly port: number
  /** PEM certificates to trust besides the built-in roots */
  readonly extraRoots: readonly string[]
  /** for all of it: names, connections, handshakes, answer; milliseconds */
  readonly timeout: number
  /** false: see {@link isPublicAddress} */
  readonly allowPrivateAddresses: boolean
  readonly lookup: Lookup
}

const PATH = '/.well-known/mta-sts.txt'
/** How many addresses of one policy host are tried. */
const MOST_ADDRESSES = 8
/** How long one address may take to connect while others wait: milliseconds. */
const CONNECT_PATIENCE = 10_000

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
  const trust = trustedRoots(options.extraRoots)

  return async (domain, signal) => {
    const limit = new AbortController()
    const timer = setTimeout(
      () => limit.abort(new Error(`not done within ${options.timeout / 1000} s`)),
      options.timeout,
    )
    const stop = signal ? AbortSignal.any([limit.signal, signal]) : limit.signal
    try {
      return await fetchPolicy(policyHost(domain), options, trust, stop)
    } finally {
      clearTimeout(timer)
    }
  }
}

async function fetchPolicy(
  host: string,
  options: PolicyFetchOptions,
  trust: SecureContext,
  stop: AbortSignal,
): Promise<Fetched> {
  const deadline = performance.now() + options.timeout
  const found = await untilAborted(findAddresses(host, options), stop)
  if (!found.ok) return failed('sts-policy-fetch-error', `${host}: ${found.text}`)

  const failures: FetchFailure[] = []
  for (const [index, address] of found.addresses.entries()) {
    const share = (deadline - performance.now()) / (found.addresses.length - index)
    const patience = index === found.addresses.length - 1 ? share : Math.min(share, CONNECT_PATIENCE)
    const { result, final } = await askAddress({ host, address, port: options.port, trust }, patience, stop)
    if (result.ok || final || stop.aborted) return result
    failures.push(result.failure)
  }
  // with several addresses, a bad certificate at one of them says more than that another one cannot be reached
  const failure = failures.find(({ type }) => type === 'sts-webpki-invalid') ?? failures[0]
  return failed(failure?.type ?? 'sts-policy-fetch-error', failures.map(({ text }) => text).join('; '))
}

/** `final`: the host has answered, so that its other addresses need not be asked. */
async function askAddress(
  target: Target,
  patience: number,
  stop: AbortSignal,
): Promise<{ readonly result: Fetched; readonly final: boolean }> {
  const where = `${target.host}[${target.address}]:${target.port}`
  const connected = await connectWithin(patience, target, stop)
  if (!connected.ok) {
    return { result: failed(connected.failure.type, `${where}: ${connected.failure.text}`), final: false }
  }
  const got = await httpGet(connected.socket, hostHeader(target), PATH, stop)
  if (!got.ok) return { result: failed('sts-policy-fetch-error', `${where}: ${got.text}`), final: got.answered }
  return { result: readBody(got.body, where), final: true }
}

async function connectWithin(patience: number, target: Target, stop: AbortSignal): Promise<Connected> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new Error('no connection in time')), patience)
  try {
    return await connectToPolicyHost(target, AbortSignal.any([limit.signal, stop]))
  } finally {
    clearTimeout(timer)
  }
}

function readBody(body: Buffer, where: string): Fetched {
  const text = decodeUtf8(body)
  if (text === undefined) return failed('sts-policy-invalid', `${where}: not UTF-8`)
  const read = readStsPolicy(text)
  return read.ok ? read : failed(read.error.type, `${where}: ${read.error.text}`)
}

/** A byte order mark is kept, for it is no part of the grammar. */
function decodeUtf8(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined
  }
}

type Addresses =
  { readonly ok: true; readonly addresses: readonly string[] } | { readonly ok: false; readonly text: string }

/** The addresses of a policy host that may be connected to, IPv6 and IPv4 in turns. One family that fails does not matter. */
async function findAddresses(host: string, options: PolicyFetchOptions): Promise<Addresses> {
  const answers = await Promise.all([options.lookup(host, 'AAAA'), options.lookup(host, 'A')])
  const [ipv6, ipv4] = answers.map((answer) => (answer.status === 'found' ? answer.records : []))
  const all = interleave(ipv6 ?? [], ipv4 ?? [])
  if (all.length === 0) {
    const failure = answers.find((answer) => answer.status === 'failed')?.failure
    return { ok: false, text: failure ? `address lookup failed: ${failure.text}` : 'has no address' }
  }
  const allowed = options.allowPrivateAddresses ? all : all.filter(isPublicAddress)
  if (allowed.length > 0) return { ok: true, addresses: allowed.slice(0, MOST_ADDRESSES) }
  return { ok: false, text: `has no public address: ${all.slice(0, MOST_ADDRESSES).join(', ')}` }
}

function interleave(first: readonly string[], second: readonly string[]): readonly string[] {
  const length = Math.max(first.length, second.length)
  return Array.from({ length }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((address) => address !== undefined)
}

/** Lookups have time limits of their own, which may be longer than ours. */
async function untilAborted(addresses: Promise<Addresses>, stop: AbortSignal): Promise<Addresses> {
  const done = new AbortController()
  const aborted = once(stop, 'abort', { signal: done.signal }).then(
    (): Addresses => ({ ok: false, text: `address lookup ${reasonOf(stop)}` }),
    () => addresses,
  )
  try {
    return await Promise.race([addresses, aborted])
  } finally {
    done.abort()
  }
}

function hostHeader({ host, port }: Target): string {
  return port === 443 ? host : `${host}:${port}`
}

/** Built once: reading all roots takes some 30 ms. */
function trustedRoots(extra: readonly string[]): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2', // T29
    ...(extra.length > 0 ? { ca: [...getCACertificates('default'), ...extra] } : {}),
  })
}

function failed(type: FetchFailure['type'], text: string): Fetched {
  return { ok: false, failure: { type, text } }
}
