/**
 * What the benchmarks stand on: names with long TTLs, one mail server, and two Harakas, one of them without the plugin.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHaraka, type Haraka } from '../test/e2e/haraka.ts'
import { createCertificates } from '../test/internet/certificates.ts'
import { startDns, type DnsServer } from '../test/internet/dns.ts'
import { freePort } from '../test/internet/index.ts'
import { startSink, type Sink } from './sink.ts'

export interface Ground {
  readonly dns: DnsServer
  readonly sink: Sink
  /** with the plugin */
  readonly plugin: Haraka
  /** core alone, with its opportunistic TLS */
  readonly plain: Haraka
  /** Publishes a domain whose mail goes to the one mail server, by this name of its. All is signed, and has TLSA records. */
  readonly declare: (domain: string, host?: string) => void
  readonly stop: () => Promise<void>
}

const HOST = 'mx.sink.test'
const TTL = 3600

/** @param concurrency - deliveries at a time, of each Haraka */
export async function startGround(concurrency = 20): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const certificates = createCertificates()
  // both find the chain valid, without a trust store of their own
  process.env.NODE_EXTRA_CA_CERTS = join(folder, 'root.pem')
  writeFileSync(process.env.NODE_EXTRA_CA_CERTS, certificates.caPem)

  const address = `127.${randomInt(2, 250)}.1.1`
  const port = await freePort()
  const dns = await startDns()
  const identity = certificates.identity(HOST, 'leaf')
  const behaviour = { name: HOST, identity, capabilities: ['PIPELINING', 'ENHANCEDSTATUSCODES', 'SIZE 50000000'] }
  const sink = await startSink({ address, port, behaviour })

  dns.declare('test', { security: 'secure', ttl: TTL })
  const declare: Ground['declare'] = (domain, host = HOST) => {
    dns.declare(domain, { MX: [`10 ${host}`], ttl: TTL })
    dns.declare(host, { A: [address], ttl: TTL })
    dns.declare(`_${port}._tcp.${host}`, { TLSA: [certificates.tlsa(HOST, '3 1 1', 'leaf')], ttl: TTL })
  }

  const common = { resolver: dns.endpoint, patience: 120_000, outbound: { main: { concurrency_max: concurrency } } }
  const settings = { main: { 'smtp-port': port }, dns: { resolver: [dns.endpoint], 'self-test': ['sink.test'] } }
  const plugin = await startHaraka({
    ...common,
    plugins: ['outbound-tls'],
    config: { 'outbound-tls.ini': settings },
  })
  const plain = await startHaraka({ ...common, plugins: [], mxPort: port })

  return {
    dns,
    sink,
    plugin,
    plain,
    declare,
    stop: async () => {
      await Promise.all([plugin.stop(), plain.stop(), dns.stop()])
      sink.stop()
      rmSync(folder, { recursive: true })
    },
  }
}
