/**
 * A name server on loopback, UDP and TCP on one port, that answers as a test says.
 *
 * @module
 */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type PacketRecord, decode, encode } from 'dns-packet'
import type { NameServer } from '../../../dist/lib/dns/index.js'

/** A query as it came. */
export interface Query {
  readonly name: string
  readonly type: string
  readonly id: number
  readonly over: 'udp' | 'tcp'
  readonly recursionDesired: boolean
  readonly authenticData: boolean
  readonly checkingDisabled: boolean
  readonly dnssecOk: boolean
  readonly udpPayloadSize: number | undefined
  /** of the sender */
  readonly port: number
}

/** What is answered: fields of a reply to the query, its bytes, nothing at all, or (TCP) a reset. */
export type Response = Reply | Buffer | readonly (Reply | Buffer)[] | 'silence' | 'reset'

export interface Reply {
  readonly rcode?: number
  readonly ad?: boolean
  readonly ra?: boolean
  readonly tc?: boolean
  readonly answers?: readonly PacketRecord[]
  readonly authorities?: readonly PacketRecord[]
  /** RFC 8914 */
  readonly ede?: readonly number[]
  /** instead of the query's own */
  readonly id?: number
  readonly question?: { readonly name: string; readonly type: string; readonly class?: string }
  /** octets that are missing at the end */
  readonly cut?: number
  /** milliseconds until it is sent */
  readonly delay?: number
}

export type Script = (query: Query) => Response

export interface ScriptedServer {
  readonly server: NameServer
  readonly queries: Query[]
  script: Script
}

const FLAG = { tc: 1 << 9, rd: 1 << 8, ra: 1 << 7, ad: 1 << 5, cd: 1 << 4 }

export async function startServer(t: TestContext, script: Script): Promise<ScriptedServer> {
  const queries: Query[] = []
  const scripted = { server: { address: '127.0.0.1', port: 0 }, queries, script }
  const answer = (message: Buffer, over: Query['over'], port: number): Response => {
    const query = readQuery(message, over, port)
    queries.push(query)
    return scripted.script(query)
  }

  const serveTcp = (socket: Socket): void => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      const message = chunk.subarray(2)
      const response = answer(message, 'tcp', socket.remotePort ?? 0)
      if (response === 'reset') socket.resetAndDestroy()
      else void send(response, message, (reply) => socket.write(Buffer.concat([lengthOf(reply), reply])))
    })
  }
  const { tcp, udp, port } = await listen(serveTcp)
  scripted.server.port = port

  let open = true
  udp.on('message', (message, { port: from }) => {
    const response = answer(message, 'udp', from)
    void send(response, message, (reply) => open && udp.send(reply, from, '127.0.0.1'))
  })
  t.after(() => {
    open = false
    udp.close()
    tcp.close()
  })
  return scripted
}

/** One port number for both: that of TCP may be somebody's with UDP. */
async function listen(serveTcp: (socket: Socket) => void) {
  for (let attempts = 1; ; attempts++) {
    const [tcp, udp] = [createServer(serveTcp).listen(0, '127.0.0.1'), createSocket('udp4')]
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    try {
      udp.bind(port, '127.0.0.1')
      await once(udp, 'listening')
      return { tcp, udp, port }
    } catch (error) {
      udp.close()
      tcp.close()
      if (attempts === 10) throw error
    }
  }
}

async function send(response: Response, query: Buffer, transmit: (reply: Buffer) => unknown): Promise<void> {
  if (response === 'silence' || response === 'reset') return
  for (const one of [response].flat()) {
    if (!Buffer.isBuffer(one) && one.delay !== undefined) await delay(one.delay, undefined, { ref: false })
    transmit(Buffer.isBuffer(one) ? one : encodeReply(one, query))
  }
}

function lengthOf(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return length
}

function readQuery(message: Buffer, over: Query['over'], port: number): Query {
  const { id, flags, questions, additionals } = decode(message)
  const opt = additionals.find(({ type }) => type === 'OPT')
  return {
    name: questions[0]?.name ?? '',
    type: questions[0]?.type ?? '',
    id,
    over,
    port,
    recursionDesired: (flags & FLAG.rd) !== 0,
    authenticData: (flags & FLAG.ad) !== 0,
    checkingDisabled: (flags & FLAG.cd) !== 0,
    dnssecOk: opt?.flag_do ?? false,
    udpPayloadSize: opt?.udpPayloadSize,
  }
}

/** A reply to the query in `query`, written by dns-packet. */
export function encodeReply(reply: Reply, query: Buffer): Buffer {
  const { id, questions } = decode(query)
  const { rcode = 0, ad = false, ra = true, tc = false, answers = [], authorities = [], ede = [] } = reply
  const flags = (ad ? FLAG.ad : 0) | (ra ? FLAG.ra : 0) | (tc ? FLAG.tc : 0) | FLAG.rd | (rcode & 0xf)
  const options = ede.map((code) => ({ code: 15, data: Buffer.from([code >> 8, code & 0xff]) }))
  const opt = { type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: rcode >> 4, flags: 0x8000, options }
  const message = encode({
    type: 'response',
    id: reply.id ?? id,
    flags,
    questions: reply.question ? [reply.question] : questions,
    answers,
    authorities,
    additionals: [opt],
  })
  return message.subarray(0, message.length - (reply.cut ?? 0))
}

export const a = (name: string, data = '192.0.2.1', ttl = 300): PacketRecord => ({ name, type: 'A', ttl, data })

export const cname = (name: string, data: string, ttl = 300): PacketRecord => ({ name, type: 'CNAME', ttl, data })

export const mx = (name: string, preference: number, exchange: string, ttl = 300): PacketRecord => ({
  name,
  type: 'MX',
  ttl,
  data: { preference, exchange },
})

export const soa = (zone: string, ttl = 300, minimum = 60): PacketRecord => ({
  name: zone,
  type: 'SOA',
  ttl,
  data: { mname: `ns.${zone}`, rname: `hostmaster.${zone}`, serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
})
