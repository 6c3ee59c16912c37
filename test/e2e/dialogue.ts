/**
 * Says to Haraka what no proper client would.
 *
 * @module
 */
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { readLines } from '../internet/lines.ts'

/**
 * Says these lines one after the other, and those of a list at once (RFC 2920); behind STARTTLS over TLS.
 *
 * @returns the last line of each reply, the greeting's first
 */
export async function dialogue(port: number, lines: readonly (string | readonly string[])[]): Promise<string[]> {
  let socket: net.Socket = net.connect(port, '127.0.0.1').setNoDelay(true)
  socket.on('error', () => socket.destroy())
  let reader = readLines(socket)
  const reply = async (): Promise<string> => {
    for (;;) {
      const line = (await reader.next()) ?? '421 closed'
      if (line[3] !== '-') return line
    }
  }
  const replies = [await reply()]
  for (const line of lines) {
    const atOnce = [line].flat()
    socket.write(atOnce.map((one) => `${one}\r\n`).join(''))
    for (let awaited = atOnce.length; awaited > 0; awaited--) replies.push(await reply())
    if (line !== 'STARTTLS') continue
    reader.release()
    const secure = tls.connect({ socket, rejectUnauthorized: false })
    secure.on('error', () => secure.destroy())
    await once(secure, 'secureConnect')
    reader = readLines(secure)
    socket = secure
  }
  socket.destroy()
  return replies
}
