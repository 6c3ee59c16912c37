/** The client's side of a session, on Haraka's own sockets, against a scripted mail server on loopback. */
import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import {
  createTlsOptions,
  judgePeer,
  openSession,
  type Opening,
  type OpeningTerms,
  type SmtpSocket,
} from '../../../dist/lib/delivery/index.js'
import type { AttemptVerdict } from '../../../dist/lib/policy/index.js'
import type { Behaviour } from '../../internet/behaviour.ts'
import { createCertificates } from '../../internet/certificates.ts'
import { createMailServer, type MailServer } from '../../internet/mail-server.ts'
import { attempt, HOST, settings, type Changes } from '../policy/question.ts'

/** Core's wrapper, as far as a session goes. */
export interface HarakaSocket extends EventEmitter {
  cleartext?: TLSSocket
  readonly targetsocket: { localAddress?: string; remoteAddress?: string }
  write(data: string): boolean
  end(data?: string): void
  destroy(): void
  isEncrypted(): boolean
  upgrade(options: ConnectionOptions, secured: () => void): void
}

interface TlsSocketModule {
  readonly connect: (options: { readonly host: string; readonly port: number }) => HarakaSocket
}

const { connect } = createRequire(import.meta.url)('Haraka/tls_socket.js') as TlsSocketModule

export const world = createCertificates()

/** A server that behaves well, but for what a test says. It is stopped with the test. */
export async function serve(t: TestContext, behaviour: Partial<Behaviour> = {}): Promise<MailServer> {
  const ordinary: Behaviour = { name: HOST, identity: world.identity(HOST, 'leaf') }
  const server = createMailServer({ address: '127.0.0.1', port: 0 }, { ...ordinary, ...behaviour })
  t.after(() => server.stop())
  await server.ready
  return server
}

/** Where a server listens. */
export type Listening = Pick<MailServer, 'address' | 'port'>

export async function connectTo(t: TestContext, server: Listening): Promise<HarakaSocket> {
  const socket = connect({ host: server.address, port: server.port })
  t.after(() => {
    socket.on('error', () => undefined)
    socket.destroy()
  })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.removeAllListeners()
  return socket
}

/** A server that answers does so within this time, in milliseconds, however busy the machine is. */
export const PATIENCE = 5000

/** A verdict that waits long enough, and trusts the test's own root. */
export function verdict(changes: Changes = {}): AttemptVerdict {
  const base = changes.settings ?? settings()
  return attempt({ ...changes, settings: { ...base, tlsTimeout: PATIENCE, caFile: 'private roots' } })
}

export const required = (): AttemptVerdict => verdict({ settings: settings({ starttls: 'require' }) })
export const optional = (): AttemptVerdict => verdict()
export const audited = (): AttemptVerdict => verdict({ settings: settings({ starttls: 'require', audit: true }) })

export function smtpSocket(socket: HarakaSocket): SmtpSocket {
  return {
    events: socket,
    write: (data) => socket.write(data),
    upgrade: (options, secured) => socket.upgrade(options, secured),
    secureSocket: () => socket.cleartext,
  }
}

export interface Opened {
  readonly opening: Opening
  readonly socket: HarakaSocket
}

/** Opens a session with a server, as a verdict has it. */
export async function open(
  t: TestContext,
  server: Listening,
  terms: AttemptVerdict,
  changes: Partial<OpeningTerms> = {},
  socketChanges: Partial<SmtpSocket> = {},
): Promise<Opened> {
  const socket = await connectTo(t, server)
  const opening = await openSession(
    { ...smtpSocket(socket), ...socketChanges },
    {
      verdict: terms,
      verb: 'EHLO',
      helo: 'sender.test',
      replyTimeout: PATIENCE,
      tlsOptions: () => createTlsOptions({ mutual: false }, () => world.caPem)(terms),
      judge: (peer) => Promise.resolve(judgePeer(terms, HOST, peer, terms.applied.tlsa?.usable ?? [], new Date())),
      ...changes,
    },
  )
  return { opening, socket }
}

/** "open done", "refused starttls-not-offered", "refused handshake-failed, clear text may follow". */
export function summary({ opening }: Opened): string {
  if (opening.status === 'open') {
    const passed = opening.passedOver === undefined ? '' : `, passed over ${opening.passedOver.code}`
    return `open ${opening.starttls.status}${passed}`
  }
  const told = opening.replies.length > 0 ? ', to be told' : ''
  return `refused ${opening.because.code}${opening.handshakeFailed ? ', clear text may follow' : ''}${told}`
}
