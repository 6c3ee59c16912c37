/**
 * Asks a host that a remote party named: its addresses one after the other, within a time limit, and none in our own network.
 *
 * @module
 */

import { once } from 'node:events'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Lookup } from '../dns'
import { isPublicAddress } from './address'
import { connectTo, reasonOf, type Connected, type HttpsFailure, type HttpsTarget } from './connect'
import { exchange, type HttpAnswer, type HttpRequest } from './exchange'

export interface HttpsOptions {
  /** PEM certificates to trust besides the built-in roots */
  readonly extraRoots: readonly string[]
  /** for all of it: names, connections, handshakes, answer; milliseconds */
  readonly timeout: number
  /** false: see {@link isPublicAddress} */
  readonly allowPrivateAddresses: boolean
  readonly lookup: Lookup
}

export interface HttpsRequest extends HttpRequest {
  readonly host: string
  readonly port: number
}

/** `where` is the address that has answered, for people. */
export type HttpsResult =
  | { readonly ok: true; readonly answer: HttpAnswer; readonly where: string }
  | { readonly ok: false; readonly failure: HttpsFailure }

/** Asks a host once. Never rejects. It has a time limit of its own; `signal` may end it sooner. */
export type HttpsClient = (request: HttpsRequest, signal?: AbortSignal) => Promise<HttpsResult>

/** How many addresses of one host are tried. */
const MOST_ADDRESSES = 8
/** How long one address may take to connect while others wait: milliseconds. */
const CONNECT_TIMEOUT = 10_000

/**
 * Makes a client.
 *
 * @throws where `extraRoots` are no PEM certificates
 */
export function createHttpsClient(options: HttpsOptions): HttpsClient {
  const trust = trustedRoots(options.extraRoots)

  return async (request, signal) => {
    const limit = new AbortController()
    const timer = setTimeout(
      () => limit.abort(new Error(`not done within ${options.timeout / 1000} s`)),
      options.timeout,
    )
    const stop = signal ? AbortSignal.any([limit.signal, signal]) : limit.signal
    try {
      return await askHost(request, options, trust, stop)
    } finally {
      clearTimeout(timer)
    }
  }
}

async function askHost(
  request: HttpsRequest,
  options: HttpsOptions,
  trust: SecureContext,
  stop: AbortSignal,
): Promise<HttpsResult> {
  const { host, port } = request
  const deadline = performance.now() + options.timeout
  const found = await untilAborted(findAddresses(host, options), stop)
  if (!found.ok) return failed({ kind: 'other', text: `${host}: ${found.text}` })

  const failures: HttpsFailure[] = []
  for (const [index, address] of found.addresses.entries()) {
    const share = (deadline - performance.now()) / (found.addresses.length - index)
    const timeout = index === found.addresses.length - 1 ? share : Math.min(share, CONNECT_TIMEOUT)
    const { result, final } = await askAddress({ host, address, port, trust }, request, timeout, stop)
    if (result.ok || final || stop.aborted) return result
    failures.push(result.failure)
  }
  // with several addresses, a bad certificate at one of them says more than that another one cannot be reached
  const kind = failures.some((failure) => failure.kind === 'certificate') ? 'certificate' : 'other'
  return failed({ kind, text: failures.map(({ text }) => text).join('; ') })
}

/** `final`: the host has answered, so that its other addresses need not be asked. */
async function askAddress(
  target: HttpsTarget,
  request: HttpsRequest,
  timeout: number,
  stop: AbortSignal,
): Promise<{ readonly result: HttpsResult; readonly final: boolean }> {
  const where = `${target.host}[${target.address}]:${target.port}`
  const connected = await connectWithin(timeout, target, stop)
  if (!connected.ok) {
    const { kind, text } = connected.failure
    return { result: failed({ kind, text: `${where}: ${text}` }), final: false }
  }
  const done = await exchange(connected.socket, hostHeader(target), request, stop)
  if (done.ok) return { result: { ok: true, answer: done.answer, where }, final: true }
  return { result: failed({ kind: 'other', text: `${where}: ${done.text}` }), final: done.answered }
}

async function connectWithin(timeout: number, target: HttpsTarget, stop: AbortSignal): Promise<Connected> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new Error('no connection in time')), timeout)
  try {
    return await connectTo(target, AbortSignal.any([limit.signal, stop]))
  } finally {
    clearTimeout(timer)
  }
}

type Addresses =
  { readonly ok: true; readonly addresses: readonly string[] } | { readonly ok: false; readonly text: string }

/** The addresses of a host that may be connected to, IPv6 and IPv4 in turns. One family that fails does not matter. */
async function findAddresses(host: string, options: HttpsOptions): Promise<Addresses> {
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

function hostHeader({ host, port }: HttpsTarget): string {
  return port === 443 ? host : `${host}:${port}`
}

/** Built once: reading all roots takes some 30 ms. */
function trustedRoots(extra: readonly string[]): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2', // T29
    ...(extra.length > 0 ? { ca: [...getCACertificates('default'), ...extra] } : {}),
  })
}

function failed(failure: HttpsFailure): HttpsResult {
  return { ok: false, failure }
}
