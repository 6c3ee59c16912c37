import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { createPolicyFetch, type Fetched, type PolicyFetchOptions } from '../../../dist/lib/mta-sts/index.js'
import type { Answer, Lookup, RecordType } from '../../../dist/lib/dns/index.js'
import {
  chainPem,
  createAuthority,
  issue,
  type Certificate,
  type CertificateOptions,
} from '../../support/certificates.ts'

export const authority = createAuthority('Example CA')
export const DOMAIN = 'example.test'
export const HOST = 'mta-sts.example.test'
export const POLICY = 'version: STSv1\nmode: enforce\nmx: *.example.test\nmax_age: 604800\n'

export const TEXT = { 'content-type': 'text/plain' }

export const certificateFor = (options: CertificateOptions = { dnsNames: [HOST] }): Certificate =>
  issue(authority, options)

export interface PolicyHost {
  readonly port: number
  /** what was asked for, as "GET path Host" */
  readonly requests: string[]
  /** the names in SNI */
  readonly serverNames: (string | false | null)[]
}

/** A policy host on loopback that answers HTTP as told. */
export function policyHost(
  t: TestContext,
  answer: RequestListener,
  certificate: Certificate = certificateFor(),
  address = '127.0.0.1',
): Promise<PolicyHost> {
  const requests: string[] = []
  const server = createServer(tlsOptions(certificate), (request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.host ?? ''}`)
    answer(request, response)
  })
  return listen(t, server, requests, address)
}

/** A policy host that says just these octets once it has been asked, and what `more` does then. */
export function rawPolicyHost(t: TestContext, head: string, more?: (socket: TLSSocket) => void): Promise<PolicyHost> {
  const requests: string[] = []
  const server = createTlsServer(tlsOptions(certificateFor()), (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data: Buffer) => {
      requests.push(data.toString())
      socket.write(head)
      more?.(socket)
    })
  })
  return listen(t, server, requests, '127.0.0.1')
}

function tlsOptions(certificate: Certificate): { key: string; cert: string } {
  return { key: certificate.keyPem, cert: chainPem(certificate, authority) }
}

async function listen(t: TestContext, server: Server, requests: string[], address: string): Promise<PolicyHost> {
  const sockets = new Set<Socket>()
  const serverNames: (string | false | null)[] = []
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.on('secureConnection', (socket: TLSSocket) => serverNames.push(socket.servername))
  server.listen(0, address)
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests, serverNames }
}

/** Names and what they are, as "A mta-sts.example.test"; everything else does not exist, and a text is a failure. */
export function lookupIn(zone: Readonly<Record<string, readonly string[] | string>>): Lookup {
  return <Type extends RecordType>(name: string, type: Type): Promise<Answer<Type>> => {
    const data = zone[`${type} ${name}`]
    if (typeof data === 'string') {
      return Promise.resolve({ status: 'failed', name, failure: { class: 'server-failure', text: data } })
    }
    const answered = { name, canonicalName: name, aliases: [], security: 'insecure', ttl: 1000 } as const
    if (!data) return Promise.resolve({ ...answered, status: 'absent', why: 'nxdomain' })
    return Promise.resolve({ ...answered, status: 'found', records: data } as unknown as Answer<Type>)
  }
}

export function fetcher(port: number, options: Partial<PolicyFetchOptions> = {}): ReturnType<typeof createPolicyFetch> {
  return createPolicyFetch({
    port,
    extraRoots: [authority.pem],
    timeout: 2000,
    allowPrivateAddresses: true,
    lookup: lookupIn({ [`A ${HOST}`]: ['127.0.0.1'] }),
    ...options,
  })
}

export function fetchFrom(host: PolicyHost, options?: Partial<PolicyFetchOptions>): Promise<Fetched> {
  return fetcher(host.port, options)(DOMAIN)
}

export function assertFailure(fetched: Fetched, type: string, text: RegExp): void {
  assert.ok(!fetched.ok)
  assert.equal(fetched.failure.type, type)
  assert.match(fetched.failure.text, text)
}
