/**
 * A scriptable mail server on an address of its own. It remembers every connection, and which of its lines came in clear.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { once, setMaxListeners } from 'node:events'
import net from 'node:net'
import type { Behaviour } from './behaviour.ts'
import { serve, type Command, type Message, type Session } from './mail-session.ts'

export interface MailServer {
  /** it listens; rejects when it cannot */
  readonly ready: Promise<void>
  readonly name: string
  readonly address: string
  readonly port: number
  readonly behaviour: Behaviour
  /** every connection since the start or the last `forget`, the first one first */
  readonly connections: readonly Session[]
  /** the verbs of all connections, in the order in which they came */
  readonly commands: readonly string[]
  readonly messages: readonly Message[]
  /** Changes how the server behaves from the next connection on. */
  readonly behave: (change: Partial<Behaviour>) => void
  /** Forgets how it behaved. */
  readonly become: (whole: Behaviour) => void
  /** The next message that nobody has taken yet; rejects when there is none for `patience` milliseconds. */
  readonly nextMessage: (patience?: number) => Promise<Message>
  /** Waits until no connection is open, `patience` milliseconds at most; true: none is. */
  readonly quiet: (patience?: number) => Promise<boolean>
  /** Forgets all connections and messages so far. */
  readonly forget: () => void
  readonly stop: () => Promise<void>
}

/** Where to listen: an address of 127.0.0.0/8 and a port, or the path of a Unix socket. */
export type Place = { readonly address: string; readonly port: number } | { readonly path: string }

/** Makes a server and has it listen: soon, when its `ready` is there. It behaves well, but for what `behaviour` says. */
export function createMailServer(place: Place, behaviour: Behaviour): MailServer {
  let current = behaviour
  const sessions: Session[] = []
  const commands: string[] = []
  const messages: Message[] = []
  let taken = 0
  const changed = new EventTarget()
  setMaxListeners(0, changed) // tests that run side by side all wait for the same server
  const sockets = new Set<net.Socket>()

  const server = net.createServer((socket) => {
    const session = newSession(socket)
    sessions.push(session)
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', (error) => {
      session.error ??= error.message
      socket.destroy()
    })
    socket.on('close', () => {
      session.open = false
      sockets.delete(socket)
      changed.dispatchEvent(new Event('change'))
    })
    void serve(socket, current, session, {
      heard: ({ verb }) => void commands.push(verb),
      received: (message) => {
        messages.push(message)
        changed.dispatchEvent(new Event('change'))
      },
    })
  })
  server.listen('path' in place ? { path: place.path } : { host: place.address, port: place.port })
  const ready = once(server, 'listening').then(() => undefined)

  const wanted = 'port' in place ? place.port : 0

  return {
    ready,
    name: behaviour.name,
    address: 'path' in place ? place.path : place.address,
    get port() {
      const bound = server.address()
      return typeof bound === 'object' && bound !== null ? bound.port : wanted
    },
    get behaviour() {
      return current
    },
    connections: sessions,
    commands,
    messages,
    behave: (change) => void (current = { ...current, ...change }),
    become: (whole) => void (current = whole),
    async nextMessage(patience = 5000) {
      const come = await until(changed, () => messages.length > taken, patience)
      const message = messages[taken]
      if (!come || message === undefined) throw new Error(`${current.name} got no message in ${patience} ms`)
      taken += 1
      return message
    },
    quiet: (patience = 1000) => until(changed, () => sockets.size === 0, patience),
    forget: () => {
      for (const list of [sessions, commands, messages]) list.splice(0)
      taken = 0
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

function newSession(socket: net.Socket): Session {
  const lines: Command[] = []
  return {
    remoteAddress: socket.remoteAddress ?? '',
    lines,
    get commands() {
      return lines.map(({ verb }) => verb)
    },
    messages: [],
    open: true,
  }
}

async function until(changed: EventTarget, condition: () => boolean, patience: number): Promise<boolean> {
  const signal = AbortSignal.timeout(patience)
  while (!condition()) {
    if (signal.aborted) return false
    await new Promise<void>((resolve) => {
      const go = (): void => resolve()
      changed.addEventListener('change', go, { once: true, signal })
      signal.addEventListener('abort', go, { once: true })
    })
  }
  return true
}

const harmless = new Set(['EHLO', 'LHLO', 'HELO', 'STARTTLS', 'QUIT'])

/** Fails if anything but greetings, STARTTLS and QUIT ever came unencrypted: no MAIL, no AUTH, no message. */
export function assertNothingInClear(server: MailServer): void {
  const clear = server.connections.flatMap(({ lines }) => lines.filter(({ encrypted }) => !encrypted))
  const leaked = clear.filter(({ verb }) => !harmless.has(verb)).map(({ line }) => line)
  assert.deepEqual(leaked, [], `${server.name} heard this in clear text`)
  assert.deepEqual(
    server.messages.filter((message) => !message.tls),
    [],
    `${server.name} got a message in clear text`,
  )
}
