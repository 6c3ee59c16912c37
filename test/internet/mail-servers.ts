/**
 * The mail servers of a private internet by name: each on an address of its own, with its records in DNS.
 *
 * @module
 */
import type { Behaviour } from './behaviour.ts'
import type { CertificateWorld, Presented } from './certificates.ts'
import type { DnsServer } from './dns.ts'
import { createMailServer, type MailServer } from './mail-server.ts'
import type { NameData, Security } from './zone.ts'

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

export interface MailServers {
  /** A mail server. With options it begins anew; without, it is returned as it is, or made. */
  readonly server: (name: string, options?: ServerOptions) => MailServer
  /** Where the TLSA records of a host are. */
  readonly tlsaName: (host: string) => string
  /** All of them listen. */
  readonly ready: () => Promise<void>
  /** Waits until none has an open connection, half a second at most. */
  readonly quiet: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** @param network - the first octets of their addresses, "127.5" */
export function createMailServers(
  dns: DnsServer,
  certificates: CertificateWorld,
  network: string,
  port: number,
): MailServers {
  const servers = new Map<string, MailServer>()
  const each = async (action: (server: MailServer) => Promise<unknown>): Promise<void> => {
    await Promise.all([...servers.values()].map(action))
  }
  const tlsaName = (host: string): string => `_${port}._tcp.${host}`

  const newServer = (name: string, behaviour: Behaviour): MailServer => {
    const number = servers.size + 1
    const address = `${network}.${number >> 8}.${number & 255}`
    const made = createMailServer({ address, port }, behaviour)
    servers.set(name, made)
    return made
  }

  const server = (name: string, options?: ServerOptions): MailServer => {
    const known = servers.get(name)
    if (known !== undefined && options === undefined) return known
    const { certificate = 'leaf', tlsa = [], signed, security, dns: more, tlsaDns, ...behaviour } = options ?? {}
    const whole = { name, identity: certificates.identity(name, certificate), ...behaviour }
    const mailServer = known ?? newServer(name, whole)
    mailServer.become(whole)
    mailServer.forget()

    const ofCertificate = (wish: string | Buffer): string | Buffer =>
      typeof wish === 'string' ? certificates.tlsa(name, wish, certificate) : wish
    const records = [tlsa].flat().map(ofCertificate)
    dns.forget(name)
    dns.declare(name, { A: [mailServer.address], ...securityOf(signed, security), ...more })
    if (records.length > 0 || tlsaDns !== undefined) dns.declare(tlsaName(name), { TLSA: records, ...tlsaDns })
    return mailServer
  }

  return {
    server,
    tlsaName,
    ready: () => each((one) => one.ready),
    quiet: () => each((one) => one.quiet(500)),
    stop: () => each((one) => one.stop()),
  }
}

/** The status that a name declares, if it declares one. */
export function securityOf(signed?: boolean, security?: Security): NameData {
  if (security !== undefined) return { security }
  return signed === undefined ? {} : { security: signed ? 'secure' : 'insecure' }
}
