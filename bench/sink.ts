/**
 * A mail server in a process of its own, so that what it costs is nobody else's: takes every message, and counts.
 *
 * @module
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import type { Behaviour } from '../test/internet/behaviour.ts'
import { serve, type Session } from '../test/internet/mail-session.ts'

/** Since the last time that it was asked to count anew. Times are milliseconds since the epoch, with fractions. */
export interface Counted {
  readonly connections: number
  readonly firstConnection: number
  readonly messages: number
  readonly overTls: number
  readonly firstMessage: number
  readonly lastMessage: number
}

interface Start {
  readonly address: string
  readonly port: number
  readonly behaviour: Behaviour
}

export interface Sink {
  readonly counted: () => Promise<Counted>
  readonly countAnew: () => Promise<void>
  readonly stop: () => void
}

export async function startSink(start: Start): Promise<Sink> {
  const child: ChildProcess = fork(import.meta.filename, { env: { ...process.env, NODE_OPTIONS: '' } })
  const ask = async (question: Start | 'count' | 'anew'): Promise<unknown> => {
    child.send(question)
    const [answer] = (await once(child, 'message')) as [unknown]
    return answer
  }
  await ask(start)
  return {
    counted: async () => (await ask('count')) as Counted,
    countAnew: async () => {
      await ask('anew')
    },
    stop: () => void child.kill(),
  }
}

const nothing = { connections: 0, firstConnection: 0, messages: 0, overTls: 0, firstMessage: 0, lastMessage: 0 }

/** The child's side. */
function runSink(): void {
  let counted: Counted = nothing
  const now = (): number => performance.timeOrigin + performance.now()

  const listen = ({ address, port, behaviour }: Start): net.Server =>
    net
      .createServer({ noDelay: true }, (socket) => {
        const { connections, firstConnection } = counted
        counted = { ...counted, connections: connections + 1, firstConnection: firstConnection || now() }
        const session: Session = { remoteAddress: '', lines: [], commands: [], messages: [], open: true }
        socket.on('error', () => socket.destroy())
        void serve(socket, behaviour, session, {
          heard: () => undefined,
          received: ({ tls }) => {
            const { messages, overTls, firstMessage } = counted
            counted = {
              ...counted,
              messages: messages + 1,
              overTls: overTls + Number(tls),
              firstMessage: firstMessage || now(),
              lastMessage: now(),
            }
          },
        })
      })
      .listen(port, address, () => process.send?.('listening'))

  process.on('message', (question: Start | 'count' | 'anew') => {
    if (typeof question === 'object') return void listen(question)
    if (question === 'anew') counted = nothing
    process.send?.(counted)
  })
  process.on('disconnect', () => process.exit(0))
}

if (process.argv[1] === import.meta.filename) runSink()
