/**
 * The mail domains of a private internet: MX records, STS policies, the address for TLS reports.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { CertificateWorld, Presented } from './certificates.ts'
import type { DnsServer } from './dns.ts'
import { securityOf, type MailServers } from './mail-servers.ts'
import type { PolicyAnswer, PolicyHosts } from './policy-host.ts'
import type { NameData, Security } from './zone.ts'

/** What a domain publishes. */
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
  /** of the policy host; default: where it is */
  readonly address?: string
  /** the TXT records; default: one that is as it should be */
  readonly records?: readonly string[]
}

export interface Domains {
  /** Declares a domain and its MX hosts, from a clean slate: what was known of it and its hosts is forgotten. */
  readonly domain: (name: string, options?: DomainOptions) => void
  /** Publishes a policy, or another one. */
  readonly sts: (domain: string, options?: StsOptions) => void
}

export function createDomains(
  dns: DnsServer,
  certificates: CertificateWorld,
  policyHosts: PolicyHosts,
  { server }: MailServers,
): Domains {
  const hostsOf = new Map<string, readonly string[]>()

  const sts = (domain: string, options: StsOptions = {}): void => {
    const policyHost = `mta-sts.${domain}`
    const text = options.text ?? policyText(options, hostsOf.get(domain) ?? [])
    const { id = createHash('sha256').update(text).digest('hex').slice(0, 32), certificate = 'leaf' } = options
    dns.declare(`_mta-sts.${domain}`, { TXT: options.records ?? [`v=STSv1; id=${id};`] })
    dns.declare(policyHost, { A: [options.address ?? policyHosts.address] })
    policyHosts.serve(policyHost, certificates.identity(policyHost, certificate), { ...options, text })
  }

  const domain = (name: string, options: DomainOptions = {}): void => {
    const { mx = ['mx1'], signed, security, tlsrpt } = options
    const records = mx.map((text, index) => mxRecord(text, index, name))
    const hosts = records.map(({ host }) => host).filter((host) => host !== '')
    hostsOf.set(name, hosts)
    dns.forget(name)
    dns.declare(name, { MX: records.map(({ text }) => text), ...securityOf(signed, security), ...options.dns })
    // what is elsewhere may serve other domains, too
    for (const host of hosts) server(host, host.endsWith(`.${name}`) ? {} : undefined)
    if (options.sts !== undefined) sts(name, options.sts)
    if (tlsrpt !== undefined) dns.declare(`_smtp._tls.${name}`, { TXT: [`v=TLSRPTv1; rua=${tlsrpt}`] })
  }

  return { domain, sts }
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
