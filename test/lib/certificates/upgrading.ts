/**
 * Upgrades connections to servers that listen already, in a process of its own: whichever Node.js runs it. Prints what came of each, and
 * how many octets the process grew by for each upgrade behind the first `warm` ones.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { judgePeer, openSession, type TlsPeer } from '../../../dist/lib/delivery/index.js'
import { connectTo, optional, PATIENCE, smtpSocket, summary, type Listening } from '../delivery/client.ts'
import { HOST } from '../policy/question.ts'

export interface Upgrade extends Listening {
  readonly options: ConnectionOptions
}

export interface Task {
  readonly upgrades: readonly Upgrade[]
  readonly warm: number
  readonly rounds: number
}

export interface Upgraded {
  /** as of `summary` */
  readonly came: string
  /** SHA-256 of the end entity's certificate */
  readonly leaf: string | undefined
  /** how many certificates the whole chain has */
  readonly length: number | undefined
  /** what a plugin that asks Node about the peer gets */
  readonly described: unknown
}

export interface Done {
  readonly upgraded: readonly Upgraded[]
  readonly growth: number
}

const verdict = optional()

async function upgrade({ options, ...listening }: Upgrade, readsChain: boolean): Promise<Upgraded> {
  const cleanup: (() => void)[] = []
  const t = { after: (done: () => void) => cleanup.push(done) } as unknown as TestContext
  const tlsOptions = { rejectUnauthorized: false, checkServerIdentity: () => undefined, servername: HOST, ...options }
  try {
    const socket = await connectTo(t, listening)
    // not `open`, which makes a context with all roots for each session
    const opening = await openSession(smtpSocket(socket), {
      verdict,
      verb: 'EHLO',
      helo: 'sender.test',
      replyTimeout: PATIENCE,
      tlsOptions: () => tlsOptions,
      judge: (peer) => Promise.resolve(judgePeer(verdict, HOST, peer, [], new Date())),
    })
    const opened = { opening, socket }
    const { starttls } = opening
    const peer: TlsPeer | undefined = starttls.status === 'done' ? starttls.peer : undefined
    return {
      came: summary(opened),
      leaf: peer?.leaf && createHash('sha256').update(peer.leaf).digest('hex'),
      length: readsChain ? peer?.chain().length : undefined,
      described: socket.cleartext?.getPeerCertificate(),
    }
  } finally {
    for (const done of cleanup) done()
  }
}

/** Without a context where this Node has no such curve for TLS: then no handshake comes to its end. */
function contextOf(options: ConnectionOptions): ConnectionOptions {
  try {
    return { secureContext: createSecureContext(options) }
  } catch {
    return { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }
  }
}

async function run({ upgrades: asked, warm, rounds }: Task): Promise<Done> {
  // as in deliveries: one context for all connections
  const upgrades = asked.map((one) => ({ ...one, options: contextOf(one.options) }))
  const upgraded: Upgraded[] = []
  for (const one of upgrades) upgraded.push(await upgrade(one, true))
  const repeat = async (times: number): Promise<number> => {
    for (let round = 0; round < times; round++) for (const one of upgrades) await upgrade(one, false)
    globalThis.gc?.()
    return process.memoryUsage.rss()
  }
  const before = await repeat(warm)
  const growth = rounds === 0 ? 0 : ((await repeat(rounds)) - before) / rounds
  return { upgraded, growth }
}

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as Task)))
  process.exit()
}
