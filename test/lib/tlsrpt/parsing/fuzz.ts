/**
 * Runs one of the properties below in a thread of its own. The test runner follows every promise that a test makes, which would take more
 * time than all that is tested.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { workerData } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import {
  readMessage,
  readReport,
  type ReceivedReport,
  type ReportReading,
} from '../../../../dist/lib/tlsrpt/parsing/index.js'
import { now } from './corpus/specimen.ts'
import { message, multipart, quotedPrintable, reportPart, textPart } from './mail.ts'
import { bent, chunkSize, malformed, wellFormed } from './mutation.ts'
import { chunked } from './source.ts'

export interface FuzzTask {
  readonly property: 'well-formed' | 'malformed' | 'gzip' | 'messages'
  readonly numRuns: number
}

const limits = { maxSize: 200_000, now }

/** What must be so of everything that is read, whatever it was. */
function assertSane(reading: ReportReading): void {
  if (!reading.ok) {
    assertPrintable(reading.refusal.text)
    return
  }
  assert.ok(reading.bytes <= limits.maxSize)
  for (const { text } of reading.notes) assertPrintable(text)
  assertBounded(reading.report)
}

function assertPrintable(text: string): void {
  assert.match(text, /^[\x20-\x7e]{1,300}$/)
}

function assertBounded({ organization, contact, reportId, start, end, policies }: ReceivedReport): void {
  assert.ok(reportId !== '' && end >= start)
  for (const text of [organization, contact ?? '', reportId]) assert.ok(text.length <= 255 && text.isWellFormed())
  for (const { successes, failures, details, domain, strings, mx } of policies) {
    for (const count of [successes, failures, ...details.map((detail) => detail.count)])
      assert.ok(Number.isSafeInteger(count) && count >= 0)
    assert.ok(domain === undefined || /^[a-z0-9._-]{1,253}$/.test(domain))
    assert.ok(strings.length <= 100 && mx.length <= 100 && details.length <= 1012)
    for (const text of [...strings, ...mx]) assert.ok(text.length <= 1000 && text.isWellFormed())
    for (const { type, receivingHost } of details)
      assert.ok(type.length <= 255 && (receivingHost === undefined || /^[a-z0-9._-]{1,253}$/.test(receivingHost)))
  }
}

const read = (bytes: Buffer, size = 1_000_000): Promise<ReportReading> => readReport(chunked(bytes, size), limits)

/** But for the bytes, which depend on when reading ended. */
const essence = (reading: ReportReading): unknown =>
  reading.ok ? [reading.report, reading.notes.map(({ code }) => code)] : reading.refusal.code

const gzip = fc.oneof(wellFormed, malformed).map((text) => gzipSync(text))

const mail = fc.tuple(wellFormed, fc.nat(4)).map(([text, form]) => {
  const [plain, packed] = [Buffer.from(text), gzipSync(text)]
  const parts = [
    reportPart(plain),
    reportPart(packed),
    { header: { 'Content-Type': 'application/json', 'Content-Transfer-Encoding': '8bit' }, body: plain },
    { ...reportPart(plain, { 'Content-Transfer-Encoding': 'quoted-printable' }), body: quotedPrintable(plain) },
  ]
  const inner = multipart([textPart, parts[form] ?? textPart], 'mixed', 'inner')
  return message(multipart(form === 4 ? parts : [inner, textPart]))
})

const holds =
  <Values>(property: fc.IAsyncPropertyWithHooks<Values>) =>
  (numRuns: number): Promise<void> =>
    fc.assert(property, { numRuns })

const properties: Readonly<Record<FuzzTask['property'], (numRuns: number) => Promise<void>>> = {
  'well-formed': holds(
    fc.asyncProperty(wellFormed, chunkSize, async (text, size) => {
      const [reading, other] = [await read(Buffer.from(text)), await read(Buffer.from(text), size)]
      assertSane(reading)
      assert.ok(reading.ok || reading.refusal.code !== 'malformed-json', text)
      assert.deepEqual(essence(other), essence(reading))
    }),
  ),
  malformed: holds(
    fc.asyncProperty(malformed, chunkSize, async (text, size) => {
      const reading = await read(Buffer.from(text), size)
      assertSane(reading)
      // data behind the end are a note: what is before them must be JSON by itself
      if (reading.ok && !reading.notes.some(({ code }) => code === 'trailing-data'))
        JSON.parse(text.replace(/^\ufeff/, ''))
    }),
  ),
  gzip: holds(fc.asyncProperty(bent(gzip), chunkSize, async (bytes, size) => assertSane(await read(bytes, size)))),
  messages: holds(
    fc.asyncProperty(bent(mail), chunkSize, async (bytes, size) => {
      const { reports, refusals } = await readMessage(chunked(bytes, size < 1000 ? 700 : size), limits)
      for (const { report } of reports) assertBounded(report)
      for (const { text } of refusals) assertPrintable(text)
    }),
  ),
}

const { property, numRuns } = workerData as FuzzTask
await properties[property](numRuns)
