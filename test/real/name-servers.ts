/**
 * Real name servers on loopback: NSD for the zones, Unbound as the resolver that validates them.
 *
 * @module
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startServer } from './process.ts'
import { canHaveOwnResolvConf, needTool } from './tools.ts'
import { writeZones, type ZoneSource } from './zones.ts'

export interface NameServers {
  /** Unbound, "address:port" */
  readonly resolver: string
  /** where Unbound listens at port 53, too; undefined: it may not */
  readonly address: string | undefined
  readonly stop: () => Promise<void>
}

export interface ServedZone extends ZoneSource {
  /** NSD has it, but no file to read it from */
  readonly lost?: boolean
}

/** High, so that no privilege is needed; the addresses are nobody else's. */
const PORT = 5300

/**
 * Starts both, with the first zone's key as Unbound's trust anchor.
 *
 * @param network - "127.9": they listen at .255.53 and .255.54 there
 */
export async function startNameServers(
  folder: string,
  network: string,
  zones: readonly ServedZone[],
): Promise<NameServers> {
  const address = `${network}.255.53`
  const authority = `${network}.255.54`
  const [top] = zones
  if (top === undefined) throw new Error('no zones')
  const sources = [{ ...top, records: [...top.records, `ns A ${authority}`] }, ...zones.slice(1)]
  const { zones: files, trustAnchor } = writeZones(folder, sources)
  for (const { path } of files.filter((_, index) => zones[index]?.lost)) rmSync(path)

  const nsdFile = join(folder, 'nsd.conf')
  writeFileSync(nsdFile, [...nsdServer(folder, authority), ...files.map(nsdZone)].join('\n'))
  const hasPort53 = canHaveOwnResolvConf()
  const stubs = zones.map(({ name }) => unboundStub(name, authority))
  const unboundFile = join(folder, 'unbound.conf')
  writeFileSync(unboundFile, [...unboundServer(folder, address, hasPort53, top.name, trustAnchor), ...stubs].join('\n'))

  const nsd = await startServer(needTool('nsd'), ['-d', '-c', nsdFile], /nsd started/)
  const unbound = await startServer(needTool('unbound'), ['-d', '-p', '-c', unboundFile], /start of service/).catch(
    async (error: unknown) => {
      await nsd.stop()
      throw error
    },
  )
  return {
    resolver: `${address}:${PORT}`,
    address: hasPort53 ? address : undefined,
    stop: async () => {
      await Promise.all([unbound.stop(), nsd.stop()])
    },
  }
}

function nsdServer(folder: string, address: string): string[] {
  return [
    'server:',
    `  ip-address: ${address}@${PORT}`,
    '  server-count: 1',
    '  username: ""',
    '  chroot: ""',
    `  zonesdir: "${folder}"`,
    `  xfrdir: "${folder}"`,
    `  xfrdfile: "${folder}/xfrd.state"`,
    `  zonelistfile: "${folder}/zone.list"`,
    '  database: ""',
    '  pidfile: ""',
    'remote-control:',
    '  control-enable: no',
  ]
}

function nsdZone({ name, path }: { readonly name: string; readonly path: string }): string {
  return `zone:\n  name: "${name}"\n  zonefile: "${path}"`
}

function unboundServer(folder: string, address: string, hasPort53: boolean, top: string, anchor: string): string[] {
  return [
    'server:',
    `  interface: ${address}@${PORT}`,
    ...(hasPort53 ? [`  interface: ${address}@53`] : []),
    '  access-control: 127.0.0.0/8 allow',
    '  do-ip6: no',
    '  do-not-query-localhost: no', // NSD is there
    '  module-config: "validator iterator"',
    `  trust-anchor: "${anchor.replaceAll('\t', ' ')}"`,
    `  local-zone: "${top}." nodefault`, // Unbound itself denies what RFC 6761 reserves
    '  ede: yes',
    '  num-threads: 1',
    '  username: ""',
    '  chroot: ""',
    `  directory: "${folder}"`,
    '  pidfile: ""',
    '  use-syslog: no',
    '  logfile: ""',
    '  verbosity: 1',
    'remote-control:',
    '  control-enable: no',
  ]
}

function unboundStub(zone: string, address: string): string {
  return `stub-zone:\n  name: "${zone}"\n  stub-addr: ${address}@${PORT}`
}
