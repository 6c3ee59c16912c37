/**
 * A small private internet on loopback: names, mail servers, policy hosts, and a Haraka that sends mail into it.
 *
 * ```ts
 * const net = await privateInternet(t)
 * net.domain('example.test', { mx: ['mx1', 'mx2'], signed: true })
 * net.server('mx1.example.test', { certificate: 'other', tlsa: '3 1 1 of leaf' })
 * await net.haraka.send({ to: 'someone@example.test' })
 * net.server('mx1.example.test').commands
 * ```
 *
 * Every mail server has an address of its own in 127.0.0.0/8, all have the same port. TTLs are 0: what a test changes holds at once.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { after, afterEach, before, type TestContext } from 'node:test'
import { startHaraka, type Haraka, type HarakaOptions } from '../e2e/haraka.ts'
import { mergeIni, type Ini } from '../e2e/instance.ts'
import { clientIdentity, createCertificates, type CertificateWorld } from './certificates.ts'
import { startDns, type DnsServer } from './dns.ts'
import { createDomains, type Domains } from './domains.ts'
import { createMailServers, type MailServers } from './mail-servers.ts'
import { startPolicyHosts, type PolicyHosts } from './policy-host.ts'

export { assertNothingInClear } from './mail-server.ts'
export * from './reply.ts'

/** The options of Haraka, where they differ in the private internet. */
export interface InternetHarakaOptions extends Omit<HarakaOptions, 'mxPort'> {
  /** core itself delivers to our servers; needed where the plugin under test does not find the hosts */
  readonly mxPort?: 'smtp'
  /** clients are offered STARTTLS: core's plugin tls, with a certificate for haraka.test */
  readonly tls?: boolean
}

export interface InternetOptions {
  /** false: no Haraka, only the net */
  readonly haraka?: InternetHarakaOptions | false
  /** outbound-tls.ini, over what the private internet needs there */
  readonly settings?: Ini
}

export interface PrivateInternet extends Domains, Pick<MailServers, 'server' | 'tlsaName' | 'ready'> {
  readonly dns: DnsServer
  readonly certificates: CertificateWorld
  readonly policyHosts: PolicyHosts
  readonly smtpPort: number
  readonly haraka: Haraka
  /** Starts another Haraka in here, as another host would have one. Whoever asks for it stops it. */
  readonly anotherHaraka: (options?: InternetHarakaOptions) => Promise<Haraka>
  /** outbound-tls.ini of this internet, with changes: for `haraka.reconfigure`, or for another client of its DNS */
  readonly settings: (changes?: Ini) => Ini
  readonly stop: () => Promise<void>
}

/** Makes a private internet. With a test's context it goes away with the test, and Haraka's log is printed where the test failed. */
export async function privateInternet(t?: TestContext, options: InternetOptions = {}): Promise<PrivateInternet> {
  const internet = await createInternet(options)
  t?.after(async () => {
    if (failed(t) && options.haraka !== false) console.error(internet.haraka.log.tail())
    await internet.stop()
  })
  return internet
}

/**
 * One private internet for all tests of a suite, to be called within `describe`; it is there when the first test begins.
 * Tests use domains of their own, or declare one anew.
 */
export function sharedInternet(options: InternetOptions = {}): PrivateInternet {
  let internet: PrivateInternet | undefined
  let seen = 0
  before(async () => {
    internet = await createInternet(options)
  })
  afterEach((t) => {
    if (internet === undefined || options.haraka === false) return
    const { lines } = internet.haraka.log
    if (failed(t)) console.error(lines.slice(seen).slice(-200).join('\n'))
    seen = lines.length
  })
  after(() => internet?.stop())
  return new Proxy({} as PrivateInternet, {
    get(_, key) {
      if (internet === undefined) throw new Error('the shared internet is there only while tests run')
      return internet[key as keyof PrivateInternet]
    },
  })
}

function failed(t: object): boolean {
  return (t as { passed?: boolean }).passed === false // @types/node does not know it
}

async function createInternet(options: InternetOptions): Promise<PrivateInternet> {
  const net = await createNet(options.settings)
  if (options.haraka === false) return withoutHaraka(net)
  try {
    const haraka = await startInside(net, options.haraka ?? {})
    const stop = async (): Promise<void> => {
      await haraka.stop()
      await net.stop()
    }
    return { ...net, haraka, anotherHaraka: (others) => startInside(net, { ...options.haraka, ...others }), stop }
  } catch (error) {
    await net.stop()
    throw error
  }
}

function withoutHaraka(net: Net): PrivateInternet {
  return {
    ...net,
    get haraka(): never {
      throw new Error('this internet was made without Haraka')
    },
    anotherHaraka: (options) => startInside(net, options ?? {}),
  }
}

type Net = Omit<PrivateInternet, 'haraka' | 'anotherHaraka'> & Pick<MailServers, 'quiet'>

async function createNet(own?: Ini): Promise<Net> {
  const certificates = createCertificates()
  const dns = await startDns()
  const network = `127.${randomInt(2, 250)}`
  const policyHosts = await startPolicyHosts(`${network}.255`)
  const smtpPort = await freePort()
  const mailServers = createMailServers(dns, certificates, network, smtpPort)
  dns.declare('signed.test', { security: 'secure' })
  return {
    dns,
    certificates,
    policyHosts,
    smtpPort,
    ...mailServers,
    ...createDomains(dns, certificates, policyHosts, mailServers),
    settings: (changes) => mergeIni(mergeIni(groundSettings(dns, policyHosts, smtpPort), own), changes),
    stop: async () => {
      await Promise.all([dns.stop(), policyHosts.stop(), mailServers.stop()])
    },
  }
}

function startInside(net: Net, { mxPort, tls = false, ...given }: InternetHarakaOptions): Promise<Haraka> {
  const identity = clientIdentity(net.certificates, 'haraka.test')
  const config = {
    'outbound-tls.ini': net.settings(),
    'private-root.pem': net.certificates.caPem,
    'tls_key.pem': identity.key,
    'tls_cert.pem': identity.cert,
    ...given.config,
  }
  return startHaraka({
    resolver: net.dns.endpoint,
    beforeSending: net.ready,
    afterSending: net.quiet,
    ...given,
    ...(mxPort && { mxPort: net.smtpPort }),
    plugins: [...(tls ? ['tls'] : []), ...(given.plugins ?? ['outbound-tls'])],
    config,
  })
}

function groundSettings(dns: DnsServer, policyHosts: PolicyHosts, smtpPort: number): Ini {
  return {
    main: { 'smtp-port': smtpPort, 'ca-file': '{config}/private-root.pem' },
    dns: { resolver: [dns.endpoint], 'self-test': ['signed.test'], timeout: '1s', attempts: 2 },
    'mta-sts': { port: policyHosts.port, 'allow-private-addresses': true },
  }
}

/** A port that is free on all addresses, below those that the system gives to clients. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000)
    const probe = createServer()
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false)).listen(port, '0.0.0.0', () => resolve(true))
    })
    if (!free) continue
    await new Promise((done) => probe.close(done))
    return port
  }
}
