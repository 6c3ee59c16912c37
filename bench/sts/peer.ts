/**
 * The peer: the daemon of Debian's postfix-mta-sts-resolver, asked as Postfix asks it, over its socketmap.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AT_ONCE } from './names.ts'
import type { Side } from './side.ts'

export const DAEMON = '/usr/bin/mta-sts-daemon'

/** @param cache - `sqlite` is what Debian configures, `internal` the one in memory */
export async function startPeer(rootFile: string, cache: 'sqlite' | 'internal'): Promise<Side> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-peer-'))
  const socketPath = join(folder, 'socket')
  const config = join(folder, 'mta-sts-daemon.yml')
  const options = cache === 'sqlite' ? `\n  options: { filename: "${join(folder, 'cache.db')}" }` : ''
  writeFileSync(config, `path: ${socketPath}\ncache:\n  type: ${cache}${options}\n`)
  const daemon = spawn(DAEMON, ['-c', config, '-v', 'warn'], {
    env: { PATH: '/usr/bin:/bin', SSL_CERT_FILE: rootFile },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const sockets = await Promise.all(Array.from({ length: AT_ONCE }, () => connect(socketPath)))
  return {
    decide: async (domain, lane) => {
      const socket = sockets[lane]
      if (socket === undefined) throw new Error('no such lane')
      const reply = await ask(socket, `bench ${domain}`)
      if (!reply.includes(':OK secure match=')) throw new Error(`${domain}: ${reply}`)
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
      rmSync(folder, { recursive: true })
    },
  }
}

async function connect(path: string): Promise<net.Socket> {
  for (let attempts = 1; ; attempts++) {
    const socket = net.connect(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      if (attempts === 100) throw error
      await sleep(100)
    }
  }
}

/** A netstring there, a netstring back. */
async function ask(socket: net.Socket, question: string): Promise<string> {
  socket.write(`${question.length}:${question},`)
  let reply = ''
  while (!isWhole(reply)) {
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    reply += bytes.toString()
  }
  return reply
}

function isWhole(reply: string): boolean {
  const [, length] = /^(\d+):/.exec(reply) ?? []
  return length !== undefined && reply.length >= length.length + 1 + Number(length) + 1
}
