/**
 * The private internet's DNS: looks like a validating resolver on 127.0.0.1, UDP and TCP, and knows only what it is told.
 *
 * @module
 */
import dgram from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTruncation, resolve, type NameData, type Resolution, type Zone } from './zone.ts'

/** A query as it came. */
export interface LoggedQuery {
  readonly name: string
  readonly type: string
  readonly transport: 'udp' | 'tcp'
  /** the query asked for authenticated data, by AD or DO */
  readonly wantsAd: boolean
  /** milliseconds since the epoch */
  readonly at: number
}

/** Switches of the whole server; they may be turned at any time. */
export interface DnsSwitches {
  /** false: never AD, and bogus data are served as if nothing were wrong */
  validates: boolean
  /** false: no extended DNS errors (RFC 8914) */
  explains: boolean
  /** false: silence */
  answers: boolean
  /** milliseconds before each answer */
  delay: number
}

export interface DnsServer {
  readonly address: string
  readonly port: number
  /** "127.0.0.1:5353", as `[dns] resolver[]` has it */
  readonly endpoint: string
  readonly switches: DnsSwitches
  /** all queries since the start or the last `forgetQueries` */
  readonly queries: readonly LoggedQuery[]
  /** Adds a name, or changes those of its data that are given. */
  readonly declare: (name: string, data: NameData) => void
  /** Removes a name with all that is below it. */
  readonly forget: (name: string) => void
  /** How often a name was asked for, of one type or of any. */
  readonly asked: (name: string, type?: string) => number
  readonly forgetQueries: () => void
  readonly stop: () => Promise<void>
}

interface Query {
  readonly id: number
  readonly flags: number
  readonly flag_ad: boolean
  readonly questions: readonly { readonly name: string; readonly type: string }[]
  readonly additionals: readonly {
    readonly type: string
    readonly udpPayloadSize?: number
    readonly flag_do?: boolean
  }[]
}

/** As much of dns-packet as is used here; it comes without types. */
interface DnsPacket {
  decode(bytes: Buffer): Query
  encode(packet: object): Buffer
}

const packets = createRequire(import.meta.url)('dns-packet') as DnsPacket

const flags = { truncated: 0x200, recursionDesired: 0x100, recursionAvailable: 0x80, authenticated: 0x20 }
const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }

/** Starts the server on 127.0.0.1. @param wanted - its port; 0: a free one */
export async function startDns(wanted = 0): Promise<DnsServer> {
  const zone: Zone = new Map()
  const queries: LoggedQuery[] = []
  const switches: DnsSwitches = { validates: true, explains: true, answers: true, delay: 0 }
  const stopping = new AbortController()

  const respond = async (bytes: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> => {
    const query = decode(bytes)
    const question = query?.questions[0]
    if (query === undefined || question === undefined) return undefined
    const { name, type } = question
    queries.push({ name: name.toLowerCase(), type, transport, wantsAd: wantsAd(query), at: Date.now() })
    if (!switches.answers) return undefined
    const resolution = resolve(zone, name, type, switches.validates)
    const delay = switches.delay + resolution.delay
    if (delay > 0) await sleep(delay, undefined, { signal: stopping.signal })
    return answerTo(bytes, query, resolution, transport, switches.explains)
  }

  const { udp, tcp, sockets } = await listen(respond, wanted)
  const { port } = udp.address()
  return {
    address: '127.0.0.1',
    port,
    endpoint: `127.0.0.1:${port}`,
    switches,
    queries,
    declare: (name, data) => void zone.set(name.toLowerCase(), { ...zone.get(name.toLowerCase()), ...data }),
    forget: (name) => {
      for (const other of [...zone.keys()]) if (`.${other}`.endsWith(`.${name.toLowerCase()}`)) zone.delete(other)
    },
    asked: (name, type) =>
      queries.filter((query) => query.name === name.toLowerCase() && (type ?? query.type) === query.type).length,
    forgetQueries: () => void queries.splice(0),
    stop: async () => {
      stopping.abort()
      for (const socket of sockets) socket.destroy()
      await Promise.all([new Promise<void>((done) => udp.close(() => done())), new Promise((done) => tcp.close(done))])
    },
  }
}

type Respond = (bytes: Buffer, transport: 'udp' | 'tcp') => Promise<Buffer | undefined>

/** One port number for both, which takes a few attempts where TCP's is already somebody's. */
async function listen(
  respond: Respond,
  wanted: number,
): Promise<{ udp: dgram.Socket; tcp: net.Server; sockets: Set<net.Socket> }> {
  const sockets = new Set<net.Socket>()
  for (let attempts = 1; ; attempts++) {
    const udp = dgram.createSocket('udp4')
    udp.on('message', (bytes, from) => {
      respond(bytes, 'udp').then((answer) => {
        if (answer !== undefined) udp.send(answer, from.port, from.address)
      }, ignoreStopped)
    })
    udp.bind(wanted, '127.0.0.1')
    await once(udp, 'listening')
    const tcp = net.createServer((socket) => serveTcp(socket, sockets, respond))
    try {
      tcp.listen(udp.address().port, '127.0.0.1')
      await once(tcp, 'listening')
      return { udp, tcp, sockets }
    } catch (error) {
      udp.close()
      if (attempts === 10) throw error
    }
  }
}

function serveTcp(socket: net.Socket, sockets: Set<net.Socket>, respond: Respond): void {
  let received = Buffer.alloc(0)
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      respond(received.subarray(2, end), 'tcp').then((answer) => {
        if (answer === undefined) return socket.destroy()
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        return socket.write(Buffer.concat([length, answer]))
      }, ignoreStopped)
      received = received.subarray(end)
    }
  })
}

function ignoreStopped(error: unknown): void {
  if ((error as Error).name !== 'AbortError') throw error
}

function decode(bytes: Buffer): Query | undefined {
  try {
    return packets.decode(bytes)
  } catch {
    return undefined
  }
}

function wantsAd(query: Query): boolean {
  return query.flag_ad || query.additionals.some((record) => record.type === 'OPT' && record.flag_do === true)
}

function answerTo(
  bytes: Buffer,
  query: Query,
  resolution: Resolution,
  transport: 'udp' | 'tcp',
  explains: boolean,
): Buffer | undefined {
  const { trouble } = resolution
  if (typeof trouble === 'function') return trouble(bytes, transport)
  if (trouble === 'timeout' || (trouble === 'truncated-for-ever' && transport === 'tcp')) return undefined
  if (trouble === 'malformed') return promisingTooMuch(bytes)

  const { rcode, extendedError } = outcome(resolution)
  const authenticated = resolution.secure && wantsAd(query)
  const edns = query.additionals.find((record) => record.type === 'OPT')
  const extended = extendedError !== undefined && explains ? [extendedErrorOption(extendedError)] : []
  const packet = {
    type: 'response',
    id: query.id,
    flags:
      flags.recursionAvailable |
      (query.flags & flags.recursionDesired) |
      (authenticated ? flags.authenticated : 0) |
      rcode,
    questions: query.questions,
    answers: resolution.answers,
    authorities: resolution.authorities,
    additionals: edns === undefined ? [] : [{ type: 'OPT', name: '.', udpPayloadSize: 1232, options: extended }],
  }
  const whole = packets.encode(packet)
  const fits = transport === 'tcp' || whole.length <= (edns?.udpPayloadSize ?? 512)
  if (fits && !(transport === 'udp' && isTruncation(trouble))) return whole
  return packets.encode({ ...packet, flags: packet.flags | flags.truncated, answers: [], authorities: [] })
}

/** Nine records are announced, and the message ends behind the question. */
function promisingTooMuch(query: Buffer): Buffer {
  const header = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0])
  return Buffer.concat([header, query.subarray(12)])
}

function outcome(resolution: Resolution): { rcode: number; extendedError?: number } {
  switch (resolution.trouble) {
    case 'bogus':
      return { rcode: rcodes.SERVFAIL, extendedError: 6 }
    case 'unreachable':
      return { rcode: rcodes.SERVFAIL, extendedError: 22 }
    case 'servfail':
      return { rcode: rcodes.SERVFAIL }
    case 'refused':
      return { rcode: rcodes.REFUSED }
    default:
      return { rcode: resolution.absent === 'nxdomain' ? rcodes.NXDOMAIN : rcodes.NOERROR }
  }
}

function extendedErrorOption(code: number): { code: number; data: Buffer } {
  return { code: 15, data: Buffer.from([code >> 8, code & 0xff]) }
}
