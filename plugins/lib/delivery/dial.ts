/**
 * A connection of our own to a mail server, for a probe. Deliveries use core's.
 *
 * @module
 */

import { EventEmitter } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { SmtpSocket } from './handshake'

/** What was said to the server, and what it said to that. */
export interface SmtpExchange {
  /** undefined: nothing, the server speaks first */
  readonly command: string | undefined
  /** raw, in Latin-1, cut to {@link LONGEST_REPLY} */
  readonly reply: string
  /** over TLS */
  readonly tls: boolean
}

export interface SmtpConnection extends SmtpSocket {
  readonly localAddress: string | undefined
  /** so far */
  exchanges(): readonly SmtpExchange[]
  /** Says goodbye to a server that waits for a command, and hangs up whatever it answers. */
  quit(): Promise<void>
  destroy(): void
}

/** Characters of a reply that are kept for people to see. */
const LONGEST_REPLY = 8192
/** A server has this time to answer our QUIT, in milliseconds. */
const GOODBYE = 2000

/**
 * Connects. Rejects where no server answers.
 *
 * @param milliseconds - until the connection must be there
 */
export async function dial(address: string, port: number, milliseconds: number): Promise<SmtpConnection> {
  const plain = connect({ host: address, port, noDelay: true })
  try {
    await new Promise<void>((resolve, reject) => {
      plain.once('connect', resolve)
      plain.once('error', reject)
      plain.setTimeout(milliseconds, () => reject(new Error(`no answer within ${Math.round(milliseconds / 1000)} s`)))
    })
  } catch (error) {
    plain.on('error', () => undefined).destroy()
    throw error
  }
  plain.removeAllListeners()
  plain.setTimeout(0)
  return connectionOver(plain)
}

function connectionOver(plain: Socket): SmtpConnection {
  const events = new EventEmitter()
  events.on('error', () => undefined) // also when nothing listens any more
  const exchanges: { command: string | undefined; reply: string; tls: boolean }[] = [begin(undefined, false)]
  let secure: TLSSocket | undefined

  const hear = (socket: Socket) => {
    socket.on('data', (data: Buffer) => {
      const last = exchanges.at(-1)
      if (last !== undefined) last.reply = (last.reply + data.toString('latin1')).slice(0, LONGEST_REPLY)
      events.emit('data', data)
    })
    for (const event of ['error', 'end', 'close'] as const)
      socket.on(event, (...values: unknown[]) => events.emit(event, ...values))
  }
  const write = (data: string) => {
    exchanges.push(begin(data.trimEnd(), secure !== undefined))
    return (secure ?? plain).write(data)
  }
  const destroy = () => {
    secure?.destroy()
    plain.destroy()
  }
  hear(plain)

  return {
    events,
    localAddress: plain.localAddress,
    write,
    upgrade(options, secured) {
      plain.removeAllListeners('data')
      secure = connectTls({ ...options, socket: plain })
      hear(secure)
      secure.once('secureConnect', secured)
    },
    secureSocket: () => secure,
    exchanges: () => exchanges.map((exchange) => ({ ...exchange })),
    async quit() {
      const closed = new Promise((resolve) => events.once('close', resolve))
      write('QUIT\r\n')
      const timer = setTimeout(destroy, GOODBYE)
      if (!plain.destroyed) await closed
      clearTimeout(timer)
      destroy()
    },
    destroy,
  }
}

function begin(
  command: string | undefined,
  tls: boolean,
): { command: string | undefined; reply: string; tls: boolean } {
  return { command, reply: '', tls }
}
