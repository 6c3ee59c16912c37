/**
 * How many decisions about MTA-STS policies there are in a second, cold (record looked up, policy fetched and stored) and
 * warm (all of it known), beside Debian's postfix-mta-sts-resolver: on the same names and policy hosts, in a network of
 * their own, with the same number of decisions under way.
 *
 * Each is asked as its mail server asks it: ours by a call from within, the peer by lookups over its socketmap, which is a
 * part of what it costs Postfix. Ours keeps its policies on disk; so does the peer as Debian configures it. With its cache in
 * memory it loses them at a restart, so that a fetch into it is shown, and no limit. Ours matches the MX name, too, which the
 * peer leaves to Postfix.
 *
 * The peer is one process with several threads, ours has one. On a machine with idle processors that helps the peer.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { format, median, type Row } from './row.ts'
import type { Measurements } from './sts/inside.ts'
import { DAEMON } from './sts/peer.ts'

const PEER = 'postfix-mta-sts-resolver'

export async function benchSts(): Promise<Row[]> {
  if (process.getuid?.() !== 0 || !existsSync(DAEMON)) {
    console.error(`sts: left out, needs root (for a network of its own) and Debian's ${PEER} and python3-uvloop`)
    return []
  }
  const { ours, sqlite, internal } = await measure()
  return [
    rowOf('cold, peer with SQLite', ours.cold, sqlite.cold),
    { ...rowOf('cold, peer in memory', ours.cold, internal.cold), limit: '', holds: true },
    rowOf('warm, peer with SQLite', ours.warm, sqlite.warm),
    rowOf('warm, peer in memory', ours.warm, internal.warm),
  ]
}

async function measure(): Promise<Measurements> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-sts-'))
  try {
    const resolvConf = join(folder, 'resolv.conf')
    writeFileSync(resolvConf, 'nameserver 127.0.0.1\n')
    const inside = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    const program = [process.execPath, join(import.meta.dirname, 'sts', 'inside.ts'), folder]
    const { stdout } = await promisify(execFile)(
      'unshare',
      ['--mount', '--net', 'sh', '-c', inside, 'sh', resolvConf, ...program],
      { timeout: 300_000 },
    )
    return JSON.parse(stdout) as Measurements
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function rowOf(what: string, ours: readonly number[], theirs: readonly number[]): Row {
  const ratio = median(ours.map((rate, round) => rate / (theirs[round] ?? NaN)))
  return {
    what: `sts: decisions a second, ${what}`,
    plugin: format(median(ours)),
    plain: `${format(median(theirs))} (${PEER})`,
    ratio: format(ratio),
    limit: 'more than 1',
    holds: ratio > 1,
  }
}
