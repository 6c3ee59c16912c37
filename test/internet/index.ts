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
import { createHash, randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { after, afterEach, before, type TestContext } from 'node:test'
import { startHaraka, type Haraka, type HarakaOptions } from '../e2e/haraka.ts'
import { mergeIni, type Ini } from '../e2e/instance.ts'
import type { Behaviour } from './behaviour.ts'
import { clientIdentity, createCertificates, type CertificateWorld, type Presented } from './certificates.ts'
import { startDns, type DnsServer } from './dns.ts'
import { createMailServer, type MailServer } from './mail-server.ts'
import { startPolicyHosts, type PolicyAnswer, type PolicyHosts } from './policy-host.ts'
import type { NameData, Security } from './zone.ts'

export { assertNothingInClear } from './mail-server.ts'
export * from './reply.ts'

export interface DomainOptions {
  /** host names, "mx1" for mx1.<domain>, the most preferred first, or "10 mx1" with its preference. Default: mx1. An empty list: no MX record */
  readonly mx?: readonly string[]
  /** DNSSEC, for the domain and all below it: secure or, by default, insecure */
  readonly signed?: boolean
  readonly security?: Security
  readonly sts?: StsOptions
  /** `rua` of its TLS reports: publishes a TLSRPT record */
  readonly tlsrpt?: string
  /** what else DNS says, or fails to say, at the domain's name */
  readonly dns?: NameData
}

/** An STS record and a policy. What is left out is as it should be. */
export interface StsOptions extends Partial<PolicyAnswer> {
  /** default: enforce */
  readonly mode?: string
  /** default: the domain's MX hosts */
  readonly mx?: readonly string[]
  /** seconds; default: a day */
  readonly maxAge?: number
  /** of the record; default: changes with the policy */
  readonly id?: string
  /** what the policy host presents; default: leaf */
  readonly certificate?: Presented
  /** the TXT records; default: one that is as it should be */
  readonly records?: readonly string[]
}

/** How a mail server behaves, what it presents, and what DNS says of it. */
export interface ServerOptions extends Partial<Omit<Behaviour, 'name' | 'identity'>> {
  /** default: leaf */
  readonly certificate?: Presented
  /** "3 1 1" of what it presents, "2 0 1 of root", "3 1 1 of other", or whole records; default: none */
  readonly tlsa?: string | readonly (string | Buffer)[]
  /** DNSSEC; default: as the domain above says */
  readonly signed?: boolean
  readonly security?: Security
  /** what else DNS says, or fails to say, at the host's name, and at that of its TLSA records */
  readonly dns?: NameData
  readonly tlsaDns?: NameData
}

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

export interface PrivateInternet {
  readonly dns: DnsServer
  readonly certificates: CertificateWorld
  readonly policyHosts: PolicyHosts
  readonly smtpPort: number
  readonly haraka: Haraka
  /** outbound-tls.ini of this internet, with changes: for `haraka.reconfigure`, or another client of the plugin's */
  readonly settings: (changes?: Ini) => Ini
  /** Declares a domain and its MX hosts, from a clean slate: what was known of it and its hosts is forgotten. */
  readonly domain: (name: string, options?: DomainOptions) => void
  /** Publishes a policy, or another one. */
  readonly sts: (domain: string, options?: StsOptions) => void
  /** A mail server. With options it begins anew; without, it is returned as it is, or made. */
  readonly server: (name: string, options?: ServerOptions) => MailServer
  /** Where the TLSA records of a host are. */
  readonly tlsaName: (host: string) => string
  /** All servers listen. */
  readonly ready: () => Promise<void>
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
  const certificates = createCertificates()
  const dns = await startDns()
  const network = `127.${randomInt(2, 250)}`
  const policyHosts = await startPolicyHosts(`${network}.255.1`)
  const smtpPort = await freePort()
  const servers = new Map<string, MailServer>()
  dns.declare('signed.test', { security: 'secure' })

  const settings = (changes?: Ini): Ini =>
    mergeIni(groundSettings(dns, policyHosts, smtpPort), {
      ...options.settings,
      ...mergeIni(options.settings ?? {}, changes),
    })
  const ready = async (): Promise<void> => {
    await Promise.all([...servers.values()].map((server) => server.ready))
  }
  const quiet = (): Promise<unknown> => Promise.all([...servers.values()].map((server) => server.quiet(500)))
  const tlsaName = (host: string): string => `_${smtpPort}._tcp.${host}`

  const newServer = (name: string, behaviour: Behaviour): MailServer => {
    const number = servers.size + 1
    const address = `${network}.${number >> 8}.${number & 255}`
    const made = createMailServer({ address, port: smtpPort }, behaviour)
    servers.set(name, made)
    return made
  }

  const server = (name: string, given?: ServerOptions): MailServer => {
    const known = servers.get(name)
    if (known !== undefined && given === undefined) return known
    const { certificate = 'leaf', tlsa = [], signed, security, dns: more, tlsaDns, ...behaviour } = given ?? {}
    const whole = { name, identity: certificates.identity(name, certificate), ...behaviour }
    const mailServer = known ?? newServer(name, whole)
    mailServer.become(whole)
    mailServer.forget()
    const records = [tlsa]
      .flat()
      .map((wish) => (typeof wish === 'string' ? certificates.tlsa(name, wish, certificate) : wish))
    dns.forget(name)
    dns.declare(name, { A: [mailServer.address], ...securityOf(signed, security), ...more })
    if (records.length > 0 || tlsaDns !== undefined) dns.declare(tlsaName(name), { TLSA: records, ...tlsaDns })
    return mailServer
  }

  const mxOf = new Map<string, string[]>()
  const sts = (domain: string, given: StsOptions = {}): void => {
    const policyHost = `mta-sts.${domain}`
    const text = given.text ?? policyText(given, mxOf.get(domain) ?? [])
    const { id = createHash('sha256').update(text).digest('hex').slice(0, 32), certificate = 'leaf' } = given
    dns.declare(`_mta-sts.${domain}`, { TXT: given.records ?? [`v=STSv1; id=${id};`] })
    dns.declare(policyHost, { A: [policyHosts.address] })
    policyHosts.serve(policyHost, certificates.identity(policyHost, certificate), { ...given, text })
  }

  const domain = (name: string, given: DomainOptions = {}): void => {
    const { mx = ['mx1'], signed, security, sts: policy, tlsrpt, dns: more } = given
    const records = mx.map((text, index) => mxRecord(text, index, name))
    const hosts = records.map(({ host }) => host)
    dns.forget(name)
    dns.declare(name, { MX: records.map(({ text }) => text), ...securityOf(signed, security), ...more })
    for (const host of hosts) if (host !== '') server(host, host.endsWith(`.${name}`) ? {} : undefined)
    mxOf.set(name, hosts)
    if (policy !== undefined) sts(name, policy)
    if (tlsrpt !== undefined) dns.declare(`_smtp._tls.${name}`, { TXT: [`v=TLSRPTv1; rua=${tlsrpt}`] })
  }

  const stopNet = async (): Promise<void> => {
    await Promise.all([dns.stop(), policyHosts.stop(), ...[...servers.values()].map((one) => one.stop())])
  }
  const haraka =
    options.haraka === false
      ? undefined
      : await startIn(options.haraka ?? {}).catch(async (error: unknown) => {
          await stopNet()
          throw error
        })

  function startIn({ mxPort, tls = false, ...given }: InternetHarakaOptions): Promise<Haraka> {
    const own = clientIdentity(certificates, 'haraka.test')
    const config = {
      'outbound-tls.ini': settings(),
      'private-root.pem': certificates.caPem,
      'tls_key.pem': own.key,
      'tls_cert.pem': own.cert,
      ...given.config,
    }
    return startHaraka({
      resolver: dns.endpoint,
      beforeSending: ready,
      afterSending: quiet,
      ...given,
      ...(mxPort && { mxPort: smtpPort }),
      plugins: [...(tls ? ['tls'] : []), ...(given.plugins ?? ['outbound-tls'])],
      config,
    })
  }

  return {
    dns,
    certificates,
    policyHosts,
    smtpPort,
    settings,
    get haraka() {
      if (haraka === undefined) throw new Error('this internet was made without Haraka')
      return haraka
    },
    domain,
    sts,
    server,
    tlsaName,
    ready,
    stop: async () => {
      await haraka?.stop()
      await stopNet()
    },
  }
}

function groundSettings(dns: DnsServer, policyHosts: PolicyHosts, smtpPort: number): Ini {
  return {
    main: { 'smtp-port': smtpPort, 'ca-file': '{config}/private-root.pem' },
    dns: { resolver: [dns.endpoint], 'self-test': ['signed.test'], timeout: '1s', attempts: 2 },
    'mta-sts': { port: policyHosts.port, 'allow-private-addresses': true },
  }
}

function securityOf(signed?: boolean, security?: Security): NameData {
  if (security !== undefined) return { security }
  return signed === undefined ? {} : { security: signed ? 'secure' : 'insecure' }
}

/** "mx1", "20 mx2", "mx.elsewhere.test", "0 ." */
function mxRecord(text: string, index: number, domain: string): { text: string; host: string } {
  const [, preference = String(10 * (index + 1)), name = ''] = /^(?:(\d+) )?(\S+)$/.exec(text) ?? []
  if (name === '.') return { text: `${preference} .`, host: '' }
  const host = name.includes('.') ? name : `${name}.${domain}`
  return { text: `${preference} ${host}`, host }
}

function policyText({ mode = 'enforce', mx, maxAge = 86_400 }: StsOptions, hosts: readonly string[]): string {
  const lines = ['version: STSv1', `mode: ${mode}`, ...(mx ?? hosts).map((name) => `mx: ${name}`), `max_age: ${maxAge}`]
  return `${lines.join('\r\n')}\r\n`
}

/** A port that is free on all addresses, below those that the system gives to clients. */
async function freePort(): Promise<number> {
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
