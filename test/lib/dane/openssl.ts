/**
 * Asks `openssl`, which knows nothing of us, what it thinks of a server's certificates.
 *
 * @module
 */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { chainPem, pemOf, type Certificate, type tlsaOf } from '../../support/certificates.ts'

type TlsaRecord = ReturnType<typeof tlsaOf>

/** undefined: accepted; otherwise what openssl says */
export type Opinion = string | undefined

/** The version, or undefined where there is no openssl. */
export async function opensslVersion(): Promise<string | undefined> {
  return promisify(execFile)('openssl', ['version']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
}

/** Somewhere to run openssl, one command after the other. */
export interface Bench {
  /** @returns what it says on either output */
  readonly openssl: (...words: readonly string[]) => Promise<string>
  /** @returns the name of a file with these certificates */
  readonly write: (name: string, certificates: readonly Certificate[]) => string
  readonly close: () => void
}

/** A directory, and a shell that starts processes a good deal faster than Node does. */
export function openBench(): Bench {
  const directory = mkdtempSync(join(tmpdir(), 'dane-'))
  const shell = spawn('sh', { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]()
  return {
    openssl: async (...words) => {
      shell.stdin.write(`openssl ${words.map((word) => `'${word}'`).join(' ')} </dev/null 2>&1; echo; echo --done\n`)
      const said: string[] = []
      for (let line = await lines.next(); line.done !== true && line.value !== '--done'; line = await lines.next()) {
        said.push(line.value)
      }
      return said.join('\n')
    },
    write: (name, certificates) => {
      const file = join(directory, name)
      writeFileSync(file, certificates.map(({ der }) => pemOf(der)).join(''))
      return file
    },
    close: () => {
      shell.stdin.end()
      rmSync(directory, { recursive: true })
    },
  }
}

/** The system's own trust anchors would count, and take a tenth of a second to load. */
const noStore = ['-no-CApath', '-no-CAfile', '-no-CAstore']

/** `openssl verify`: whether a path leads from the leaf to one of the anchors, and whether the leaf is for this host. */
export async function opensslVerify(
  { openssl, write }: Bench,
  leaf: Certificate,
  untrusted: readonly Certificate[],
  anchors: readonly Certificate[],
  host: string,
): Promise<Opinion> {
  if (anchors.length === 0) return 'no anchor'
  const options = [...noStore, '-partial_chain', '-auth_level', '1', '-purpose', 'sslserver', '-verify_hostname', host]
  const files = ['-trusted', write('anchors', anchors)]
  if (untrusted.length > 0) files.push('-untrusted', write('untrusted', untrusted))
  const said = await openssl('verify', ...options, ...files, write('leaf', [leaf]))
  return /: OK$/m.test(said) ? undefined : (/^error .*/m.exec(said)?.[0] ?? said)
}

/** `openssl s_client` with TLSA records: a handshake with a server that presents these certificates. */
export async function opensslClient(
  { openssl }: Bench,
  leaf: Certificate,
  presented: readonly Certificate[],
  records: readonly TlsaRecord[],
  host: string,
): Promise<Opinion> {
  // level 0: the server shows whatever it was given
  const cert = chainPem(leaf, ...presented)
  const server = tls.createServer({ key: leaf.keyPem, cert, ciphers: 'DEFAULT:@SECLEVEL=0' })
  server.on('secureConnection', (socket) => socket.on('error', () => undefined))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const options = ['-brief', '-connect', `127.0.0.1:${port}`, '-cipher', 'DEFAULT:@SECLEVEL=1', ...noStore]
  const rrs = records.flatMap(({ usage, selector, matchingType, data }) => [
    '-dane_tlsa_rrdata',
    `${usage} ${selector} ${matchingType} ${data.toString('hex')}`,
  ])
  const said = await openssl('s_client', ...options, '-dane_tlsa_domain', host, '-dane_ee_no_namechecks', ...rrs)
  server.close()
  return /^Verification: OK$/m.test(said) ? undefined : (/^Verification error: .*/m.exec(said)?.[0] ?? said)
}
