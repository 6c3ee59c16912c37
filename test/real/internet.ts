/**
 * The scenarios, set up: signed zones on real name servers, scriptable mail servers, and a Haraka that asks Unbound.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHaraka, type Haraka } from '../e2e/haraka.ts'
import { createCertificates, type CertificateWorld } from '../internet/certificates.ts'
import { freePort } from '../internet/index.ts'
import { createMailServer, type MailServer } from '../internet/mail-server.ts'
import { startNameServers, type NameServers, type ServedZone } from './name-servers.ts'
import type { HostWish, Scenario, ZoneWish } from './scenarios.ts'

/** Everything is below it, and it has the key that Unbound trusts. RFC 2606 reserves it. */
const TOP = 'test'

export interface RealInternet {
  readonly haraka: Haraka
  readonly names: NameServers
  readonly certificates: CertificateWorld
  readonly smtpPort: number
  /** for more files */
  readonly folder: string
  /** by name */
  readonly servers: ReadonlyMap<string, MailServer>
  readonly stop: () => Promise<void>
}

export async function startRealInternet(scenarios: readonly Scenario[]): Promise<RealInternet> {
  const wishes = Object.entries(Object.assign({}, ...scenarios.map(({ zones }) => zones)) as Scenario['zones'])
  const folder = mkdtempSync(join(tmpdir(), 'real-internet-'))
  const certificates = createCertificates()
  const network = `127.${randomInt(2, 250)}`
  const smtpPort = await freePort()
  const servers = startMailServers(wishes, network, smtpPort, certificates)
  const zones = wishes.map((wish) => zoneOf(wish, new Map(wishes), { servers, certificates, smtpPort }))
  const top: ServedZone = { name: TOP, records: [], signing: 'nsec' }

  const stops: (() => Promise<unknown>)[] = [...servers.values()].map(({ stop }) => stop)
  const stop = async (): Promise<void> => {
    for (const end of stops.toReversed()) await end()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all([...servers.values()].map(({ ready }) => ready))
    const names = await startNameServers(folder, network, [top, ...zones])
    stops.push(names.stop)
    const haraka = await startHaraka({ config: harakaConfig(names, certificates, smtpPort) })
    stops.push(haraka.stop)
    return { haraka, names, certificates, smtpPort, folder, servers, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function harakaConfig({ resolver }: NameServers, { caPem }: CertificateWorld, smtpPort: number) {
  return {
    'private-root.pem': caPem,
    'outbound-tls.ini': {
      main: { 'smtp-port': smtpPort, 'ca-file': '{config}/private-root.pem' },
      dns: { resolver: [resolver], 'self-test': [TOP], timeout: '3s' },
    },
  }
}

type ZoneEntry = readonly [name: string, wish: ZoneWish]

function hostsOf([, { hosts, lost }]: ZoneEntry): [string, HostWish][] {
  return Object.entries(hosts ?? (lost ? {} : { mx: {} }))
}

function startMailServers(
  wishes: readonly ZoneEntry[],
  network: string,
  port: number,
  certificates: CertificateWorld,
): Map<string, MailServer> {
  const hosts = wishes.flatMap((entry) =>
    hostsOf(entry).map(([label, wish]) => ({ name: fullName(label, entry[0]), wish })),
  )
  const real = hosts.filter(({ wish }) => wish.cname === undefined)
  return new Map(
    real.map(({ name, wish: { certificate = 'leaf', offersTls = true } }, index) => {
      const identity = certificates.identity(name, certificate)
      return [name, createMailServer({ address: `${network}.1.${index + 1}`, port }, { name, identity, offersTls })]
    }),
  )
}

/** "mx" of secure → mx.secure.test; what has a dot is whole. */
function fullName(label: string, zone: string): string {
  return label.includes('.') ? label : `${label}.${zone}.${TOP}`
}

interface Ground {
  readonly servers: ReadonlyMap<string, MailServer>
  readonly certificates: CertificateWorld
  readonly smtpPort: number
}

function zoneOf(entry: ZoneEntry, all: ReadonlyMap<string, ZoneWish>, ground: Ground): ServedZone {
  const [zone, { mx = ['mx'], signing = 'nsec', corrupted = [], lost = false, records = [] }] = entry
  const name = `${zone}.${TOP}`
  if (lost) return { name, records: [], signing, lost }
  const exchanges = mx.map((label, index) => `@ MX ${10 * (index + 1)} ${fullName(label, zone)}.`)
  const hosts = hostsOf(entry).flatMap(([label, wish]) => hostRecords(fullName(label, zone), wish, all, ground))
  const tlsaName = (_: string, label: string): string => `_${ground.smtpPort}._tcp.${fullName(label, zone)}.`
  const others = records.map((record) => record.replace(/\{tlsa (\S+)\}/g, tlsaName))
  return { name, records: [...exchanges, ...hosts, ...others], signing, corrupted }
}

function hostRecords(
  name: string,
  { certificate = 'leaf', tlsa = [], cname }: HostWish,
  all: ReadonlyMap<string, ZoneWish>,
  { servers, certificates, smtpPort }: Ground,
): string[] {
  const behind = cname ?? name
  const place = cname === undefined ? `A ${servers.get(name)?.address ?? ''}` : `CNAME ${cname}.`
  const presented = cname === undefined ? certificate : (wishOf(cname, all).certificate ?? 'leaf')
  const records = tlsa.map((wish) => certificates.tlsa(behind, wish, presented))
  return [`${name}. ${place}`, ...records.map((record) => `_${smtpPort}._tcp.${name}. TLSA ${record}`)]
}

function wishOf(name: string, all: ReadonlyMap<string, ZoneWish>): HostWish {
  const [label = '', ...rest] = name.split('.')
  return all.get(rest.slice(0, -1).join('.'))?.hosts?.[label] ?? {}
}
