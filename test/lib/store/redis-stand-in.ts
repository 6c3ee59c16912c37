/**
 * What answers like a Redis server, as far as a test says: for the moods of one that a real server has only at bad times.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** RESP as it is on the wire; undefined: no answer at all. */
export type Answer = string | undefined

export interface StandIn {
  readonly port: number
  /** the commands that came, in upper case, with their arguments */
  readonly commands: readonly (readonly string[])[]
  /** connections that were made */
  readonly connections: () => number
  /** what it answers from now on; what it has no answer for is +OK */
  answer: (command: string, words: readonly string[]) => Answer
  readonly hangUp: () => void
}

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`
export const error = (text: string): string => `-${text}\r\n`

/** A server that is well, and allows itself no eviction. */
export const well = (command: string): Answer =>
  command === 'INFO' ? bulk('role:master\r\nmaxmemory:0\r\n') : '+OK\r\n'

export async function createStandIn(t: TestContext): Promise<StandIn> {
  const sockets = new Set<Socket>()
  const commands: string[][] = []
  let connections = 0
  const standIn: Pick<StandIn, 'commands' | 'answer'> = { commands, answer: well }
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    readCommands(socket, (words) => {
      commands.push(words)
      const answer = standIn.answer(words[0] ?? '', words.slice(1))
      if (answer !== undefined) socket.write(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const hangUp = (): void => sockets.forEach((socket) => socket.destroy())
  t.after(() => {
    hangUp()
    server.close()
  })
  return Object.assign(standIn, {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    hangUp,
  })
}

/** Arrays of bulk strings, which is all that clients send. */
function readCommands(socket: Socket, take: (words: string[]) => void): void {
  let text = ''
  socket.setEncoding('latin1').on('data', (data: string) => {
    text += data
    for (let read = readCommand(text); read !== undefined; read = readCommand(text)) {
      text = text.slice(read.length)
      const [command = '', ...words] = read.words
      take([command.toUpperCase(), ...words])
    }
  })
}

function readCommand(text: string): { readonly words: string[]; readonly length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (!head) return undefined
  const words: string[] = []
  let at = head[0].length
  for (let count = Number(head[1]); count > 0; count--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20))
    if (!size) return undefined
    const start = at + size[0].length
    at = start + Number(size[1]) + 2
    if (at > text.length) return undefined
    words.push(text.slice(start, at - 2))
  }
  return { words, length: at }
}
