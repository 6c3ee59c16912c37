/**
 * Debian's Postfix as a receiving mail server, with a configuration and a queue of its own: mail for any domain goes into
 * one mailbox. Its master must be root; nothing of the system's Postfix is touched.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Identity } from '../internet/behaviour.ts'
import { startServer } from './process.ts'
import { needTool } from './tools.ts'

/** An address that it listens at. */
export interface PostfixPlace {
  readonly address: string
  readonly port: number
  /** what it presents there */
  readonly identity: Identity
  /** of smtpd, over those of main.cf */
  readonly settings?: Readonly<Record<string, string>>
}

export interface PostfixServer {
  /** The message that has come for a recipient, as it is in the mailbox. Waits for it. */
  readonly mailFor: (recipient: string) => Promise<string>
  /** The lines of its log that match. */
  readonly logged: (pattern: RegExp) => readonly string[]
  readonly stop: () => Promise<void>
}

/** The owner of the mailbox. */
const NOBODY = 65_534

/** Starts it, and waits until it listens. */
export async function startPostfix(places: readonly PostfixPlace[]): Promise<PostfixServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postfix-'))
  writeFiles(folder, places)
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  // The command waits for its master, and does not pass signals on
  const endMaster = (): void => {
    process.kill(Number(readFileSync(join(folder, 'queue/pid/master.pid'), 'utf8')), 'SIGTERM')
  }
  const start = [needTool('postfix'), '-c', join(folder, 'etc'), 'start-fg']
  // It opens /dev/stdout, which with Node is a socket, and cannot be opened
  const server = await startServer('/bin/sh', ['-c', '"$@" | cat', 'sh', ...start], /daemon started/, endMaster).catch(
    (error: unknown) => {
      remove()
      throw error
    },
  )
  return {
    mailFor: async (recipient) => {
      await server.log.waitFor(new RegExp(`to=<${recipient}>.*status=sent`))
      const inbox = join(folder, 'mail/inbox/new')
      const texts = readdirSync(inbox).map((file) => readFileSync(join(inbox, file), 'latin1'))
      return texts.find((text) => text.includes(`Delivered-To: ${recipient}\n`)) ?? ''
    },
    logged: server.log.find,
    stop: async () => {
      await server.stop()
      remove()
    },
  }
}

function writeFiles(folder: string, places: readonly PostfixPlace[]): void {
  chmodSync(folder, 0o755) // its processes are other users
  for (const name of ['etc', 'queue', 'data', 'mail']) mkdirSync(join(folder, name))
  chownSync(join(folder, 'mail'), NOBODY, NOBODY)
  execFileSync('chown', ['postfix', join(folder, 'data')]) // Node knows users by number only
  const services = places.map((place, index) => smtpd(folder, place, index))
  writeFileSync(join(folder, 'etc/main.cf'), mainCf(folder))
  writeFileSync(join(folder, 'etc/master.cf'), [...services, ...otherServices, ''].join('\n'))
}

function smtpd(folder: string, { address, port, identity, settings }: PostfixPlace, index: number): string {
  const chain = join(folder, `etc/chain${index}.pem`)
  writeFileSync(chain, identity.key + identity.cert, { mode: 0o600 })
  const all = Object.entries({ smtpd_tls_chain_files: chain, ...settings })
  return `${address}:${port} inet n - n - - smtpd${all.map(([key, value]) => ` -o ${key}=${value}`).join('')}`
}

function mainCf(folder: string): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = /dev/stdout
myhostname = postfix.test
inet_protocols = ipv4
mydestination =
alias_maps =
mynetworks =
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = ${folder}/mail
virtual_uid_maps = static:${NOBODY}
virtual_gid_maps = static:${NOBODY}
`
}

const otherServices = [
  'postlog unix-dgram n - n - 1 postlogd',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'proxymap unix - - n - - proxymap',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'error unix - - n - - error',
  'virtual unix - n n - - virtual',
  'anvil unix - - n - 1 anvil',
]
