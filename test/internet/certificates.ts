/**
 * The private internet's certificates: two authorities, of which clients trust one, and for each host whatever a scenario needs.
 *
 * @module
 */
import {
  chainPem,
  createAuthority,
  issue,
  makeKey,
  selfSigned,
  tlsaOf,
  type Certificate,
} from '../support/certificates.ts'
import type { Identity } from './behaviour.ts'

/**
 * The certificates that a host can have. Each has a key of its own.
 * `leaf` is as it should be, issued by an intermediate; `direct` is issued by the root itself; `other` is a second `leaf`.
 */
export type HostCertificate =
  'leaf' | 'direct' | 'other' | 'expired' | 'future' | 'other-name' | 'wildcard' | 'cn-only' | 'self-signed' | 'foreign'

/** What a host can present: one of its certificates with the intermediates that belong to it, or a chain that is unusual. */
export type Presented =
  | HostCertificate
  /** `leaf` and intermediate, then the root as well */
  | 'with-root'
  /** `leaf` alone */
  | 'without-intermediate'
  /** `foreign` with its own authority, and then the trusted root, which issued none of them */
  | 'stapled-root'

/** What a TLSA record can be made of. `presented` is whatever the host presents as its own. */
export type TlsaSubject = HostCertificate | 'presented' | 'root' | 'intermediate' | 'foreign-root'

export interface CertificateWorld {
  readonly root: Certificate
  readonly intermediate: Certificate
  /** nobody trusts it */
  readonly foreignRoot: Certificate
  /** the trusted root, PEM: what `ca-file` has */
  readonly caPem: string
  /** Makes it when it is first asked for; then always the same. */
  readonly certificate: (host: string, which: HostCertificate) => Certificate
  /** Key and chain, as a server presents them. */
  readonly identity: (host: string, presented: Presented) => Identity
  /**
   * The presentation of a TLSA record from a wish like "3 1 1", "2 0 1 of root" or "3 1 1 of leaf". Without "of" it is of what the host presents;
   * where data follow ("3 1 1 00ff…") it stays as it is.
   */
  readonly tlsa: (host: string, wish: string, presented: Presented) => string
}

const day = 86_400_000

/** Makes the authorities. */
export function createCertificates(now = Date.now()): CertificateWorld {
  const root = createAuthority('CN=Private Internet Root')
  const intermediate = createAuthority('CN=Private Internet Intermediate', { issuer: root })
  const foreignRoot = createAuthority('CN=Nobody Trusts This Root')
  const made = new Map<string, Certificate>()

  const certificate = (host: string, which: HostCertificate): Certificate => {
    const id = `${which} ${host}`
    const known = made.get(id) ?? make(host, which)
    made.set(id, known)
    return known
  }

  const make = (host: string, which: HostCertificate): Certificate => {
    const dnsNames = [host]
    switch (which) {
      case 'leaf':
      case 'other':
        return issue(intermediate, { dnsNames })
      case 'direct':
        return issue(root, { dnsNames })
      case 'expired':
        return issue(intermediate, { dnsNames, notBefore: new Date(now - 60 * day), notAfter: new Date(now - day) })
      case 'future':
        return issue(intermediate, { dnsNames, notBefore: new Date(now + day), notAfter: new Date(now + 60 * day) })
      case 'other-name':
        return issue(intermediate, { dnsNames: ['somewhere-else.test'] })
      case 'wildcard':
        return issue(intermediate, { dnsNames: [host.replace(/^[^.]+/, '*')] })
      case 'cn-only':
        return issue(intermediate, { subject: `CN=${host}` })
      case 'self-signed':
        return selfSigned({ subject: `CN=${host}`, dnsNames })
      case 'foreign':
        return issue(foreignRoot, { dnsNames })
    }
  }

  const identity = (host: string, presented: Presented): Identity => {
    const own = certificate(host, ownOf(presented))
    return { key: own.keyPem, cert: chainPem(own, ...restOf(presented)) }
  }

  const restOf = (presented: Presented): Certificate[] => {
    if (presented === 'with-root') return [intermediate, root]
    if (presented === 'stapled-root') return [foreignRoot, root]
    return ['direct', 'self-signed', 'foreign', 'without-intermediate'].includes(presented) ? [] : [intermediate]
  }

  const tlsa = (host: string, wish: string, presented: Presented): string => {
    const [, fields = '', subject = 'presented'] = /^(\d+ \d+ \d+)(?: of (\S+))?$/.exec(wish) ?? []
    if (fields === '') return wish
    const [usage = 0, selector = 0, matchingType = 0] = fields.split(' ').map(Number)
    const subjects: Partial<Record<string, Certificate>> = { root, intermediate, 'foreign-root': foreignRoot }
    const which = subject === 'presented' ? ownOf(presented) : (subject as HostCertificate)
    const { data } = tlsaOf(subjects[subject] ?? certificate(host, which), usage, selector, matchingType)
    return `${fields} ${data.toString('hex')}`
  }

  return { root, intermediate, foreignRoot, caPem: root.pem, certificate, identity, tlsa }
}

function ownOf(presented: Presented): HostCertificate {
  if (presented === 'with-root' || presented === 'without-intermediate') return 'leaf'
  return presented === 'stapled-root' ? 'foreign' : presented
}

/** What a host without forward secrecy needs: an RSA key, to which a client encrypts the session's secret. */
export function rsaIdentity(world: CertificateWorld, host: string): Identity {
  const own = issue(world.root, { key: makeKey('rsa'), dnsNames: [host] })
  return { key: own.keyPem, cert: own.pem }
}

/** A key and certificate that Haraka presents to its own clients and to servers that ask for one. */
export function clientIdentity(world: CertificateWorld, name: string): Identity {
  const certificate = issue(world.root, {
    key: makeKey(),
    subject: `CN=${name}`,
    dnsNames: [name],
    eku: ['serverAuth', 'clientAuth'],
  })
  return { key: certificate.keyPem, cert: certificate.pem }
}
