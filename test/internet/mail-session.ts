/**
 * One SMTP or LMTP session of a scripted mail server: says what it is told to, and writes down what it hears.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Behaviour } from './behaviour.ts'
import { breakHandshake, handshake } from './handshake.ts'
import { readLines, type LineReader } from './lines.ts'
import { bytesOf, say, type Reply } from './reply.ts'

/** One line that the client sent, other than message data. */
export interface Command {
  readonly verb: string
  readonly line: string
  readonly encrypted: boolean
}

/** What the handshake came to, as the server saw it. */
export interface TlsRecord {
  readonly protocol: string
  readonly cipher: string
  readonly servername: string | undefined
  /** the client presented a certificate */
  readonly clientCertificate: boolean
}

/** A message that was taken in, accepted or not. */
export interface Message {
  readonly from: string
  /** the parameters of MAIL, as "REQUIRETLS" or "SIZE=100" */
  readonly parameters: readonly string[]
  readonly to: readonly string[]
  /** header and body, dots unstuffed, one character for each byte */
  readonly data: string
  readonly tls: boolean
  readonly protocol: string | undefined
  readonly cipher: string | undefined
  readonly servername: string | undefined
}

/** A connection, from beginning to end. */
export interface Session {
  readonly remoteAddress: string
  readonly lines: Command[]
  /** the verbs of `lines` */
  readonly commands: readonly string[]
  readonly messages: Message[]
  /** the handshake is done */
  tls?: TlsRecord
  open: boolean
  /** why the connection or the handshake broke */
  error?: string
}

/** Who wants to know at once. */
export interface Listener {
  readonly heard: (command: Command) => void
  readonly received: (message: Message) => void
}

interface Talk {
  socket: Socket
  reader: LineReader
  readonly session: Session
  readonly behaviour: Behaviour
  readonly listener: Listener
  envelope: { from: string; parameters: readonly string[]; to: string[] }
}

/** Serves a connection until it ends. Never rejects: what breaks is in the session. */
export async function serve(socket: Socket, behaviour: Behaviour, session: Session, listener: Listener): Promise<void> {
  const envelope = { from: '', parameters: [], to: [] }
  const talk: Talk = { socket, reader: readLines(socket), session, behaviour, listener, envelope }
  try {
    await reply(talk, behaviour.greeting, `220 ${behaviour.name} ${behaviour.lmtp ? 'LMTP' : 'ESMTP'}`)
    for (;;) {
      const line = await talk.reader.next()
      if (line === undefined) return
      const verb = /^\S*/.exec(line)?.[0].toUpperCase().slice(0, 20) ?? ''
      note(talk, verb, line)
      await (handlers[verb] ?? unknown)(talk, line)
    }
  } catch (error) {
    session.error ??= (error as Error).message
  }
}

function note({ session, listener }: Talk, verb: string, line: string): void {
  const command = { verb, line, encrypted: session.tls !== undefined }
  session.lines.push(command)
  listener.heard(command)
}

type Handler = (talk: Talk, line: string) => Promise<void>

const unknown: Handler = (talk) => reply(talk, undefined, '502 5.5.2 not implemented')

const handlers: Partial<Record<string, Handler>> = {
  EHLO: greet,
  LHLO: greet,
  HELO: (talk) => reply(talk, talk.behaviour.helo, `250 ${talk.behaviour.name}`),
  STARTTLS: startTls,
  AUTH: authenticate,
  NOOP: (talk) => reply(talk, undefined, '250 2.0.0 ok'),
  RSET: (talk) => reply(talk, undefined, '250 2.0.0 ok'),
  async MAIL(talk, line) {
    const [, from = '', rest = ''] = /^MAIL FROM:\s*<([^>]*)>\s*(.*)$/i.exec(line) ?? []
    talk.envelope = { from, parameters: rest.split(' ').filter((parameter) => parameter !== ''), to: [] }
    await reply(talk, talk.behaviour.mail, '250 2.1.0 sender ok')
  },
  async RCPT(talk, line) {
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    const answer = replyFor(talk.behaviour.rcpt, address) ?? '250 2.1.5 recipient ok'
    if (bytesOf(answer).toString('latin1').startsWith('2')) talk.envelope.to.push(address)
    await reply(talk, answer, '')
  },
  DATA: receive,
  async QUIT(talk) {
    await reply(talk, talk.behaviour.quit, '221 2.0.0 bye')
    talk.socket.end()
  },
}

async function reply(talk: Talk, scripted: Reply | undefined, otherwise: string): Promise<void> {
  const { delay = 0 } = talk.behaviour
  if (delay > 0) await sleep(delay)
  await say(talk.socket, scripted ?? otherwise)
}

function replyFor(scripted: Behaviour['rcpt'], address: string): Reply | undefined {
  if (scripted === undefined || typeof scripted === 'string') return scripted
  return isByAddress(scripted) ? scripted[address] : scripted
}

function isByAddress(scripted: Reply | Readonly<Record<string, Reply>>): scripted is Readonly<Record<string, Reply>> {
  return Object.keys(scripted).some((key) => key.includes('@'))
}

async function greet(talk: Talk): Promise<void> {
  const { behaviour, session } = talk
  const encrypted = session.tls !== undefined
  const auth = behaviour.offersAuth === 'always' || (behaviour.offersAuth === 'on-tls' && encrypted)
  const lines = [
    behaviour.name,
    '8BITMIME',
    ...(behaviour.capabilities ?? []),
    ...(encrypted ? (behaviour.capabilitiesOnTls ?? []) : []),
    ...(behaviour.offersTls !== false && !encrypted ? ['STARTTLS'] : []),
    ...(auth ? ['AUTH PLAIN LOGIN'] : []),
  ]
  const last = lines.length - 1
  const ordinary = lines.map((line, index) => `250${index < last ? '-' : ' '}${line}`).join('\n')
  await reply(talk, encrypted ? behaviour.ehloOnTls : behaviour.ehlo, ordinary)
}

async function authenticate(talk: Talk, line: string): Promise<void> {
  if (/^AUTH LOGIN$/i.test(line)) {
    for (const prompt of ['Username:', 'Password:']) {
      await reply(talk, undefined, `334 ${Buffer.from(prompt).toString('base64')}`)
      const answer = await talk.reader.next()
      note(talk, 'AUTH', answer ?? '')
    }
  }
  await reply(talk, talk.behaviour.auth, '235 2.7.0 authenticated')
}

async function receive(talk: Talk): Promise<void> {
  const { behaviour, session, envelope } = talk
  const answer = behaviour.data ?? '354 go ahead'
  await reply(talk, answer, '')
  if (!bytesOf(answer).toString('latin1').startsWith('354')) return

  const lines: string[] = []
  for (;;) {
    const line = await talk.reader.next()
    if (line === undefined) return
    if (line === '.') break
    lines.push(line.startsWith('.') ? line.slice(1) : line)
  }
  const { protocol, cipher, servername } = session.tls ?? {}
  const data = lines.map((line) => `${line}\r\n`).join('')
  const message = { ...envelope, data, tls: session.tls !== undefined, protocol, cipher, servername }
  session.messages.push(message)
  talk.listener.received(message)
  for (const address of behaviour.lmtp ? envelope.to : envelope.to.slice(0, 1)) {
    await reply(talk, replyFor(behaviour.message, address), '250 2.0.0 accepted')
  }
}

async function startTls(talk: Talk): Promise<void> {
  const { behaviour, session } = talk
  if (session.tls !== undefined || behaviour.offersTls === false) return unknown(talk, 'STARTTLS')
  const answer = behaviour.starttls ?? '220 2.0.0 ready to start TLS'
  if (!bytesOf(answer).toString('latin1').startsWith('220')) return reply(talk, answer, '')

  talk.reader.release()
  await reply(talk, answer, '')
  if ((behaviour.handshake ?? 'normal') !== 'normal') return breakHandshake(talk.socket, behaviour)
  const secure = await handshake(talk.socket, behaviour)
  session.tls = {
    protocol: secure.getProtocol() ?? '',
    cipher: secure.getCipher().name,
    servername: typeof secure.servername === 'string' ? secure.servername : undefined, // false: none was sent
    clientCertificate: secure.getPeerX509Certificate() !== undefined,
  }
  talk.socket = secure
  talk.reader = readLines(secure)
}
