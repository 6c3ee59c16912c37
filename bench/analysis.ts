/**
 * What it takes to read the reports of others: a report of 25 MiB beside JSON.parse of the same bytes, and small ones, with a DKIM
 * signature and without one. Each side is a process of its own; they take turns.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { counts, json, sts } from '../test/lib/tlsrpt/parsing/corpus/specimen.ts'
import { message, multipart, reportPart, textPart } from '../test/lib/tlsrpt/parsing/mail.ts'
import { rsaKey, signed } from '../test/lib/tlsrpt/parsing/signing.ts'
import type { Taken, Task } from './analysis/task.ts'
import { format, median, type Row } from './row.ts'

const TURNS = 5
const MIB = 1024 * 1024
const LARGE = 25 * MIB
const SMALL = 4096
const LARGE_ROUNDS = 4
const SMALL_ROUNDS = 1000

export async function benchAnalysis(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-analysis-'))
  const key = rsaKey()
  const file = (name: string, content: Buffer): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  try {
    const large = file('large.json', reportOf(LARGE))
    const mail = message(multipart([textPart, reportPart(gzipSync(reportOf(SMALL)))]))
    const [unsignedMail, signedMail] = [file('unsigned', mail), file('signed', await signed(mail, key))]
    const taken = { ours: [] as Taken[], theirs: [] as Taken[], unsigned: [] as Taken[], signed: [] as Taken[] }
    const keyRecord = key.record
    for (let turn = 0; turn < TURNS; turn++) {
      taken.ours.push(await run({ side: 'report', file: large, rounds: LARGE_ROUNDS, keyRecord }))
      taken.theirs.push(await run({ side: 'JSON.parse', file: large, rounds: LARGE_ROUNDS, keyRecord }))
      taken.unsigned.push(await run({ side: 'message', file: unsignedMail, rounds: SMALL_ROUNDS, keyRecord }))
      taken.signed.push(await run({ side: 'signed message', file: signedMail, rounds: SMALL_ROUNDS, keyRecord }))
    }
    return [...largeRows(taken.ours, taken.theirs), ...smallRows(taken.unsigned, taken.signed)]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function largeRows(ours: readonly Taken[], theirs: readonly Taken[]): Row[] {
  const rate = ({ seconds }: Taken): number => (LARGE_ROUNDS * LARGE) / MIB / seconds
  const ratio = median(ours.map((taken, at) => rate(taken) / rate(theirs[at] ?? taken)))
  const turn = median(ours.map(({ longestTurn }) => longestTurn))
  const memory = Math.max(...ours.map((taken) => taken.memory)) / MIB
  const named = (value: number): string => `${format(value)} (JSON.parse)`
  return [
    {
      what: 'analysis: MiB a second, of a report of 25 MiB',
      plugin: format(median(ours.map(rate))),
      plain: named(median(theirs.map(rate))),
      ratio: format(ratio),
      limit: 'at least 0.3',
      holds: ratio >= 0.3,
    },
    {
      what: 'analysis: longest turn of the event loop, ms of CPU',
      plugin: format(turn),
      plain: named(median(theirs.map(({ longestTurn }) => longestTurn))),
      ratio: '',
      limit: 'at most 50',
      holds: turn <= 50,
    },
    {
      what: 'analysis: memory above idle, MiB',
      plugin: format(memory),
      plain: named(Math.max(...theirs.map((taken) => taken.memory)) / MIB),
      ratio: '',
      limit: 'at most 160',
      holds: memory <= 160,
    },
  ]
}

function smallRows(unsignedMails: readonly Taken[], signedMails: readonly Taken[]): Row[] {
  const rate = ({ seconds }: Taken): number => SMALL_ROUNDS / seconds
  const row = (what: string, taken: readonly Taken[]): Row => {
    const values = { plugin: format(median(taken.map(rate))), plain: '', ratio: '', limit: '', holds: true }
    return { what: `analysis: messages a second with a report of 4 KiB, ${what}`, ...values }
  }
  return [row('without DKIM', unsignedMails), row('with DKIM (RSA, 2048 bits)', signedMails)]
}

async function run(task: Task): Promise<Taken> {
  const side = join(import.meta.dirname, 'analysis', 'side.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', side, JSON.stringify(task)])
  return JSON.parse(stdout) as Taken
}

/** A report with as many failure details as fit. */
function reportOf(size: number): Buffer {
  const detail = (index: number): object => ({
    'result-type': 'certificate-expired',
    'sending-mta-ip': `192.0.2.${index % 256}`,
    'receiving-mx-hostname': `mx${index % 50}.example.org`,
    'failed-session-count': 1 + (index % 7),
  })
  const end = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const report = (details: readonly object[]): Buffer =>
    json({
      'organization-name': 'Sender',
      'date-range': { 'start-datetime': `${end}T00:00:00Z`, 'end-datetime': `${end}T23:59:59Z` },
      'contact-info': 'tls@sender.example',
      'report-id': '1',
      policies: [{ policy: sts, summary: counts(1000, 7), 'failure-details': details }],
    })
  const one = json(detail(255)).length + 1
  return report(Array.from({ length: Math.floor((size - report([]).length) / one) }, (_, index) => detail(index)))
}
