/**
 * The second opinion: what Postfix makes of a destination, by its own posttls-finger at security level "dane".
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Word } from './scenarios.ts'
import { needTool } from './tools.ts'

const run = promisify(execFile)

export interface PostfixOptions {
  /** for its files */
  readonly folder: string
  /** a name server at port 53 */
  readonly nameServer: string
  /** PEM */
  readonly trustAnchors: string
}

export interface Opinion {
  readonly word: Word
  /** what it said, line by line */
  readonly lines: readonly string[]
}

/** Bind-mounts its first argument over /etc/resolv.conf, in a mount namespace that dies with it, and runs the others. */
const withResolvConf = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'

/** Whether DNS is validated is found out from a name that is there, instead of from the root, which is not. */
const mainCf = 'compatibility_level = 3.6\ninet_protocols = ipv4\nmyhostname = postfix.test\ndnssec_probe = ns:test\n'

/** Looks a domain's hosts up and tries them, as Postfix would when it had mail. */
export type Postfix = (domain: string, port: number) => Promise<Opinion>

export function createPostfix({ folder, nameServer, trustAnchors }: PostfixOptions): Postfix {
  const resolvConf = join(folder, 'resolv.conf')
  writeFileSync(resolvConf, `nameserver ${nameServer}\noptions trust-ad\n`)
  const caFile = join(folder, 'trust-anchors.pem')
  writeFileSync(caFile, trustAnchors)
  writeFileSync(join(folder, 'main.cf'), mainCf)
  utimesSync(join(folder, 'main.cf'), 0, 0) // Postfix waits for a file that has just been written to settle

  return async (domain, port) => {
    const finger = [needTool('posttls-finger'), '-c', '-L', 'summary,verbose', '-l', 'dane', '-F', caFile]
    const parameters = ['--mount', 'sh', '-c', withResolvConf, 'sh', resolvConf, ...finger, `${domain}:${port}`]
    const env = { ...process.env, MAIL_CONFIG: folder }
    const { stdout, stderr } = await run(needTool('unshare'), parameters, { env, timeout: 20_000 }).catch(
      (error: unknown) => outputOf(error),
    )
    const lines = `${stdout}${stderr}`.trim().split('\n')
    return { word: wordOf(lines), lines }
  }
}

/** It ends with 1 where it gives up. */
function outputOf(error: unknown): { stdout: string; stderr: string } {
  if (error instanceof Error && 'code' in error && error.code === 1)
    return error as unknown as { stdout: string; stderr: string }
  throw error
}

/**
 * posttls-finger ends its work with the handshake: where that should have authenticated the server, "Untrusted" is what
 * Postfix would go no further with.
 */
function wordOf(lines: readonly string[]): Word {
  if (!lines.some((line) => line.includes('initializing the client-side TLS engine')))
    throw new Error(`posttls-finger did not begin:\n${lines.join('\n')}`)
  const words = lines.flatMap(
    (line) => /: (Verified|Trusted|Untrusted) TLS connection established/.exec(line)?.[1] ?? [],
  )
  const word = words.at(-1) as Word | undefined
  if (word === undefined) return 'refused'
  const authenticates = lines.some((line) => line.includes('DNSSEC-signed TLSA record'))
  const waives = lines.some((line) => line.includes('all TLSA records unusable'))
  return word === 'Untrusted' && authenticates && !waives ? 'refused' : word
}
