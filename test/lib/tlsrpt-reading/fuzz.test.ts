import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import {
  readMessage,
  readReport,
  type ReceivedReport,
  type ReportReading,
} from '../../../dist/lib/tlsrpt-reading/index.js'
import { runs } from '../../support/runs.ts'
import { now } from './corpus/specimen.ts'
import { message, multipart, quotedPrintable, reportPart, textPart } from './mail.ts'
import { bent, chunkSize, malformed, wellFormed } from './mutation.ts'
import { chunked } from './source.ts'

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

const check = async <Value>(
  cases: fc.Arbitrary<Value>,
  numRuns: number,
  property: (value: Value) => Promise<void>,
): Promise<void> => fc.assert(fc.asyncProperty(cases, property), { numRuns })

describe('V6, V7: any input gives a report or a typed error', () => {
  test('what is JSON is never called anything else, and does not depend on the chunks it comes in', async () => {
    await check(fc.tuple(wellFormed, chunkSize), runs(1000, 15_000), async ([text, size]) => {
      const [reading, other] = [await read(Buffer.from(text)), await read(Buffer.from(text), size)]
      assertSane(reading)
      assert.ok(reading.ok || reading.refusal.code !== 'malformed-json', text)
      assert.deepEqual(essence(other), essence(reading))
    })
  })

  test('what is no JSON is called so, wherever it is wrong', async () => {
    await check(fc.tuple(malformed, chunkSize), runs(1000, 65_000), async ([text, size]) => {
      const reading = await read(Buffer.from(text), size)
      assertSane(reading)
      // data behind the end are a note: what is before them must be JSON by itself
      if (reading.ok && !reading.notes.some(({ code }) => code === 'trailing-data'))
        JSON.parse(text.replace(/^\ufeff/, ''))
    })
  })

  test('gzip, whole and damaged, in any chunks', async () => {
    const gzip = fc.oneof(wellFormed, malformed).map((text) => gzipSync(text))
    await check(fc.tuple(bent(gzip), chunkSize), runs(500, 14_000), async ([bytes, size]) =>
      assertSane(await read(bytes, size)),
    )
  })

  test('messages, whole and damaged, in any chunks', async () => {
    const mail = fc.tuple(wellFormed, fc.nat(4)).map(([text, form]) => {
      const [plain, gzip] = [Buffer.from(text), gzipSync(text)]
      const parts = [
        reportPart(plain),
        reportPart(gzip),
        { header: { 'Content-Type': 'application/json', 'Content-Transfer-Encoding': '8bit' }, body: plain },
        { ...reportPart(plain, { 'Content-Transfer-Encoding': 'quoted-printable' }), body: quotedPrintable(plain) },
      ]
      const inner = multipart([textPart, parts[form] ?? textPart], 'mixed', 'inner')
      return message(multipart(form === 4 ? parts : [inner, textPart]))
    })
    await check(fc.tuple(bent(mail), chunkSize), runs(200, 6000), async ([bytes, size]) => {
      const { reports, refusals } = await readMessage(chunked(bytes, size < 1000 ? 700 : size), limits)
      for (const { report } of reports) assertBounded(report)
      for (const { text } of refusals) assertPrintable(text)
    })
  })
})
