/**
 * A mail server that says what chance wants, the same each time for the same seed, and remembers what it took.
 *
 * It listens on all loopback addresses: the address tells whose server it is, and with the number of the connection
 * what chance wants there.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Behaviour, Handshake, Identity } from '../internet/behaviour.ts'
import { breakHandshake, handshake } from '../internet/handshake.ts'
import { readLines, type LineReader } from '../internet/lines.ts'
import { resetConnection } from '../internet/reply.ts'
import { chance, type Chance } from '../support/chance.ts'

/** One connection. */
export interface RandomSession {
  readonly address: string
  /** what was said, both ways */
  readonly said: string[]
  /** recipients of messages that may have been taken: something that was said to each of them, and to the message, is a 2xx */
  took: readonly string[]
  /** those of which the client can tell: all that was said until then is what RFC 5321 lets a server say */
  surelyTook: readonly string[]
  /** a line of a message was taken for a command */
  isSmuggled: boolean
}

export interface RandomServer {
  readonly sessions: readonly RandomSession[]
  readonly stop: () => Promise<void>
}

/** A line of each message, which is no command. */
export const MARK = 'THIS-IS-NO-COMMAND'

export interface RandomTerms {
  readonly port: number
  readonly identity: Identity
  readonly seed: number
  /** the server at these addresses is as it should be */
  readonly polite: (address: string) => boolean
  /** milliseconds after which the client gives up */
  readonly patience: number
}

export async function startRandomServer(terms: RandomTerms): Promise<RandomServer> {
  const sessions: RandomSession[] = []
  const counts = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    const address = socket.localAddress ?? ''
    const count = (counts.get(address) ?? 0) + 1
    counts.set(address, count)
    const session: RandomSession = { address, said: [], took: [], surelyTook: [], isSmuggled: false }
    sessions.push(session)
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)))
    const dice = chance(`${terms.seed} ${address} ${count}`)
    void new Talk(socket, session, dice, terms).run().catch((error: unknown) => {
      session.said.push(`! ${(error as Error).message}`)
      socket.destroy()
    })
  })
  server.listen(terms.port, '0.0.0.0')
  await once(server, 'listening')
  return {
    sessions,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}

/** What is wrong with a reply. */
type Oddity = (talk: Talk, reply: string) => Promise<void> | void

const CODES = [
  '000',
  '110',
  '150',
  '199',
  '211',
  '220',
  '250',
  '251',
  '299',
  '334',
  '354',
  '399',
  '421',
  '450',
  '550',
  '599',
  '600',
  '999',
]

const oddities: readonly Oddity[] = [
  (talk, reply) => talk.say(reply.replaceAll(/^\d\d\d/gm, talk.dice.of(CODES))),
  (talk) => talk.say(`${talk.dice.of(CODES)} ${talk.dice.of(['ok', 'no', '2.1.5 ok', ''])}`),
  (talk, reply) =>
    talk.say(`${reply}\n${talk.dice.of([reply, '250 ok', '354 go', '450 no', '550 no', '421 bye', ''])}`),
  (talk, reply) => talk.say(`250-first\n${reply}`),
  (talk) =>
    talk.say(
      talk.dice.of([
        '',
        'garbage',
        '25',
        '2500 ok',
        '250ok',
        '-250 ok',
        ' 250 ok',
        '\0',
        '250 \0\xff',
        'x'.repeat(5000),
      ]),
    ),
  (talk) => talk.say(`${'250-and so on\n'.repeat(8000)}250 end`),
  async (talk, reply) => {
    talk.say(reply)
    await sleep(talk.dice.upTo(30))
    talk.say(talk.dice.of([reply, '250 ok', '354 go', '450 no', '550 no', '421 bye']))
  },
  (talk, reply) => {
    talk.write(reply.slice(0, 1 + talk.dice.upTo(reply.length)))
    talk.hangUp()
  },
  async (talk, reply) => {
    talk.write(reply.slice(0, 1 + talk.dice.upTo(reply.length)))
    await sleep(talk.dice.upTo(20))
    talk.hangUp()
  },
  (talk) => talk.hangUp(),
  (talk) => talk.reset(),
  (talk, reply) => {
    talk.say(reply)
    if (talk.dice.upTo(2) === 0) talk.reset()
    else talk.hangUp()
  },
  async (talk) => {
    await sleep(talk.terms.patience * 1.5) // silence
    talk.hangUp()
  },
]

/** In a hundred replies, how many are refusals, and how many are what no server may say. */
const REFUSALS = 12
const ODD = 9

class Talk {
  readonly dice: Chance
  readonly terms: RandomTerms
  private readonly tcp: Socket
  private readonly session: RandomSession
  private readonly isPolite: boolean
  private socket: Socket
  private reader: LineReader
  private isEncrypted = false
  private recipients: string[] = []
  private isRegular = true
  /** all that was said to the last command */
  private answer = ''

  constructor(socket: Socket, session: RandomSession, dice: Chance, terms: RandomTerms) {
    this.tcp = socket
    this.socket = socket
    this.session = session
    this.dice = dice
    this.terms = terms
    this.isPolite = terms.polite(session.address)
    this.reader = readLines(socket)
  }

  async run(): Promise<void> {
    const offersTls = this.dice.upTo(100) < 60
    await this.reply(['220 ready', '220-wait\n220 ready', '220'])
    for (;;) {
      const line = await this.reader.next()
      if (line === undefined) return
      this.session.said.push(`C: ${line}`)
      if (line.includes(MARK)) this.session.isSmuggled = true
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'EHLO') await this.reply([this.isEncrypted || !offersTls ? '250 me' : '250-me\n250 STARTTLS'])
      else if (verb === 'STAR') await this.startTls()
      else if (verb === 'MAIL') {
        this.recipients = []
        await this.reply(['250 2.1.0 ok', '250-2.1.0\n250 ok', '250'])
      } else if (verb === 'RCPT') await this.recipient(line)
      else if (verb === 'DATA') await this.message()
      else if (verb === 'QUIT') {
        await this.reply(['221 bye'])
        this.hangUp()
      } else await this.reply(['500 what?'])
    }
  }

  say(text: string): void {
    this.write(`${text.replaceAll('\n', '\r\n')}\r\n`)
  }

  write(text: string): void {
    this.answer += text
    this.session.said.push(`S: ${JSON.stringify(text.slice(0, 80))}`)
    if (this.socket.writable) this.socket.write(text, 'latin1')
  }

  hangUp(): void {
    this.session.said.push('S hangs up')
    this.socket.end()
  }

  reset(): void {
    this.session.said.push('S resets')
    resetConnection(this.socket)
  }

  /** Says one of what is right, or refuses, or says what chance wants. */
  private async reply(right: readonly string[], mayRefuse = true): Promise<void> {
    this.answer = ''
    const reply = this.dice.of(right)
    const roll = this.isPolite ? 99 : this.dice.upTo(100)
    if (roll < ODD) {
      this.isRegular = false
      return this.dice.of(oddities)(this, reply)
    }
    if (roll < ODD + REFUSALS && mayRefuse) return this.refuse()
    if (this.dice.upTo(5) > 0) return this.say(reply)
    const cut = this.dice.upTo(reply.length) // in two pieces
    const whole = `${reply.replaceAll('\n', '\r\n')}\r\n`
    this.write(whole.slice(0, cut))
    await sleep(5)
    this.write(whole.slice(cut))
  }

  private refuse(): void {
    const refusal = this.dice.of(['450 4.2.0 later', '550 5.1.1 no', '421 4.3.2 bye', '452-full\n452 full', '554'])
    this.say(refusal)
    if (refusal.startsWith('421')) this.hangUp()
  }

  private async recipient(line: string): Promise<void> {
    await this.reply([
      '250 2.1.5 ok',
      '251 forwarded',
      '252 perhaps',
      '250-ok\n250 ok',
      '251-one\n251 two',
      '250',
      '251',
    ])
    if (/^2/m.test(this.answer)) this.recipients.push(/<([^>]*)>/.exec(line)?.[1] ?? '')
  }

  private async message(): Promise<void> {
    await this.reply(['354 go ahead', '354-go\n354 ahead', '354'])
    if (!/^354( .*)?\r\n/m.test(this.answer)) return
    for (let line = await this.reader.next(); line !== '.'; line = await this.reader.next())
      if (line === undefined) return
    this.session.said.push('C: (message) .')
    await this.reply(['250 2.0.0 taken', '250-2.0.0\n250 taken', '250', '251 taken'])
    if (!/^2/m.test(this.answer)) return
    this.session.took = [...this.session.took, ...this.recipients]
    if (this.isRegular) this.session.surelyTook = [...this.session.surelyTook, ...this.recipients]
    this.recipients = []
  }

  private async startTls(): Promise<void> {
    const before = this.isRegular
    this.reader.release()
    await this.reply(['220 ready to start TLS'])
    if (!this.answer.startsWith('220') || !before) {
      this.reader = readLines(this.socket)
      this.socket.resume()
      return
    }
    const roll = this.isPolite ? 99 : this.dice.upTo(100)
    const broken: readonly Handshake[] = ['reset', 'reset-after-client-hello', 'alert', 'garbage']
    const behaviour: Behaviour = { name: 'random', identity: this.terms.identity, handshake: this.dice.of(broken) }
    if (roll < 20) return breakHandshake(this.socket, behaviour)
    const secure = await handshake(this.tcp, behaviour)
    secure.on('error', () => undefined)
    this.session.said.push('(TLS)')
    this.socket = secure
    this.isEncrypted = true
    this.reader = readLines(secure)
  }
}
