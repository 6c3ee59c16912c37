/**
 * Takes what comes from strangers, as a plugin that delivers to mailboxes does, and puts it into files; and bends the subject of everything
 * before that, as filters do.
 *
 * @module
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codes, type Next, type Plugin } from '../core.ts'

export function register(this: Plugin): void {
  this.register_hook('data_post', 'bend')
  this.register_hook('queue', 'take')
}

interface Connection {
  readonly transaction: {
    readonly uuid: string
    readonly header: { get(name: string): string }
    readonly message_stream: { get_data(done: (message: Buffer) => void): void }
    remove_header(name: string): void
    add_header(name: string, value: string): void
  }
}

export function bend(next: Next, { transaction }: Connection): void {
  const subject = transaction.header.get('Subject').trim()
  transaction.remove_header('Subject')
  transaction.add_header('Subject', `[bent] ${subject}`)
  next()
}

export function take(next: Next, { transaction }: Connection): void {
  transaction.message_stream.get_data((message) => {
    const folder = join(process.env.HARAKA ?? '.', 'mailbox')
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${transaction.uuid}.eml`)
    writeFileSync(`${file}.new`, message)
    renameSync(`${file}.new`, file)
    next(codes.ok, 'in the mailbox')
  })
}
