/**
 * Hands a message to Haraka, as a mail client does.
 *
 * @module
 */
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { readLines } from '../internet/lines.ts'

export interface Submission {
  readonly from?: string
  readonly to: string | readonly string[]
  /** header and body; default: a short message. Lines end in LF or CRLF. */
  readonly data?: string
  /** by name; put before `data`, or before the default's body */
  readonly headers?: Readonly<Record<string, string>>
  /** parameters of MAIL, as "REQUIRETLS" */
  readonly parameters?: readonly string[]
  /** STARTTLS first; Haraka's certificate is not judged */
  readonly tls?: boolean
  readonly helo?: string
}

export interface Submitted {
  /** EHLO keywords, those after STARTTLS where there was one */
  readonly capabilities: readonly string[]
  /** Haraka's reply to the message */
  readonly reply: string
}

/** A command that Haraka refused. */
export interface Refusal extends Error {
  readonly command: string
  readonly reply: string
}

/** Rejects with a {@link Refusal} when a command is refused. */
export async function submit(port: number, submission: Submission): Promise<Submitted> {
  let socket: net.Socket = net.connect(port, '127.0.0.1').setNoDelay(true)
  let lines = readLines(socket)
  const { helo = 'client.test', parameters = [], from = 'sender@origin.test' } = submission

  const ask = async (command: string, hidden = command): Promise<string[]> => {
    if (command !== '') socket.write(`${command}\r\n`)
    const reply: string[] = []
    do reply.push((await lines.next()) ?? '421 closed')
    while (reply.at(-1)?.[3] === '-')
    if (/^[23]/.test(reply[0] ?? '')) return reply.map((line) => line.slice(4))
    throw Object.assign(new Error(`${hidden}: ${reply.join(' ')}`), { command: hidden, reply: reply.join('\n') })
  }

  try {
    socket.on('error', () => socket.destroy())
    await ask('', 'connect')
    let capabilities = await ask(`EHLO ${helo}`)
    if (submission.tls) {
      await ask('STARTTLS')
      lines.release()
      const secure = tls.connect({ socket, rejectUnauthorized: false })
      secure.on('error', () => secure.destroy())
      await once(secure, 'secureConnect')
      lines = readLines(secure)
      socket = secure
      capabilities = await ask(`EHLO ${helo}`)
    }
    await ask(['MAIL', `FROM:<${from}>`, ...parameters].join(' '))
    for (const recipient of [submission.to].flat()) await ask(`RCPT TO:<${recipient}>`)
    await ask('DATA')
    const reply = await ask(`${messageText(submission)}\r\n.`, 'end of data')
    socket.end('QUIT\r\n')
    return { capabilities: capabilities.slice(1), reply: reply.join('\n') }
  } finally {
    if (!socket.writableEnded) socket.destroy()
  }
}

function messageText({ from = 'sender@origin.test', to, headers = {}, data }: Submission): string {
  const ordinary = `From: <${from}>\nTo: <${[to].flat().join('>, <')}>\nSubject: Hello\n\nHello.`
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [...lines, ...(data ?? ordinary).trimEnd().split(/\r?\n/)]
    .map((line) => line.replace(/^\./, '..'))
    .join('\r\n')
}
