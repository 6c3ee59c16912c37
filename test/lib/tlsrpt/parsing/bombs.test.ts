import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGzip, gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { readReport, type ReportReading } from '../../../../dist/lib/tlsrpt/parsing/index.js'
import { dates, now } from './corpus/specimen.ts'
import { chunked } from './source.ts'

const MIB = 1024 * 1024
const limits = { maxSize: 25 * MIB, now }

const head =
  `{"organization-name":"X","date-range":${JSON.stringify(dates)},"contact-info":"a@x.example","report-id":"1",` +
  '"policies":[{"policy":{"policy-type":"sts","policy-domain":"example.org"},' +
  '"summary":{"total-successful-session-count":1,"total-failure-session-count":0},"failure-details":['

/** A report with this many details, made as it is read. */
async function* reportOf(count: number, detail: (index: number) => string): AsyncGenerator<Buffer> {
  await Promise.resolve()
  yield Buffer.from(head)
  for (let index = 0; index < count; index += 1000) {
    const some = Array.from({ length: Math.min(1000, count - index) }, (_, offset) => detail(index + offset))
    yield Buffer.from((index === 0 ? '' : ',') + some.join(','))
  }
  yield Buffer.from(']}]}')
}

const small = (index: number): string => `{"result-type":"tlsa-invalid","failed-session-count":${index % 2}}`
const different = (index: number): string =>
  `{"result-type":"certificate-expired","sending-mta-ip":"192.0.2.1","failed-session-count":1,"failure-reason-code":"${index}"}`

const codeOf = (reading: ReportReading): string | undefined => (reading.ok ? undefined : reading.refusal.code)

describe('V6: bombs', () => {
  test('gzip of 1:1000 is decompressed to what is allowed, and no further', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MIB, '{'), { level: 9 })
    assert.ok(bomb.length * 900 < 200 * MIB)
    const reading = await readReport(chunked(bomb, 65_536), { ...limits, maxSize: MIB })
    assert.equal(codeOf(reading), 'too-deep') // which is seen before its size is
    const spaces = gzipSync(Buffer.concat([Buffer.from('{'), Buffer.alloc(200 * MIB, ' ')]), { level: 9 })
    const other = await readReport(chunked(spaces, 65_536), { ...limits, maxSize: MIB })
    assert.match(codeOf(other) ?? '', /^(?:too-large|element-too-large)$/)
    assert.ok(other.bytes <= MIB + 65_536, `${other.bytes} bytes`)
  })

  test('gzip of very many members, all of them empty', async () => {
    const members = Buffer.concat(Array.from({ length: 2000 }, () => gzipSync('')))
    assert.equal(codeOf(await readReport(chunked(members, 65_536), limits)), 'malformed-gzip')
  })

  test('ten million failure details, in little gzip', async () => {
    const source = Readable.from(reportOf(10_000_000, small), { objectMode: false }).pipe(createGzip({ level: 1 }))
    const reading = await readReport(source, { ...limits, maxSize: 1024 * MIB })
    assert.equal(codeOf(reading), 'too-many-details')
  })

  test('as many different failure details as there is room for are folded, and their sum is right', async () => {
    const before = process.memoryUsage().heapUsed
    const reading = await readReport(reportOf(200_000, different), limits)
    assert.ok(reading.ok)
    const [policy] = reading.report.policies
    assert.equal(policy?.details.length, 1001)
    assert.equal(
      policy.details.reduce((sum, { count }) => sum + count, 0),
      200_000,
    )
    assert.deepEqual(policy.details.at(-1), {
      type: 'certificate-expired',
      reason: 'other-details-folded',
      count: 199_000,
    })
    assert.deepEqual(
      reading.notes.map(({ code }) => code),
      ['details-folded', 'counts-differ'],
    )
    assert.ok(process.memoryUsage().heapUsed - before < 100 * MIB)
  })

  test('details that differ in a type nobody knows are folded into one', async () => {
    const detail = (index: number): string => `{"result-type":"type-${index}","failed-session-count":1}`
    const reading = await readReport(reportOf(5000, detail), limits)
    assert.ok(reading.ok)
    assert.deepEqual(reading.report.policies[0]?.details.at(-1), {
      type: 'other',
      reason: 'other-details-folded',
      count: 4000,
    })
  })

  for (const [what, text, code] of [
    ['a detail of a megabyte', `${head}{"x":"${'x'.repeat(MIB)}"}]}]}`, 'element-too-large'],
    ['a megabyte beside the policies', `{"x":"${'x'.repeat(MIB)}","policies":[]}`, 'element-too-large'],
    [
      'a megabyte of policy strings',
      `{"policies":[{"policy":{"policy-string":["${'x'.repeat(MIB)}"]}}]}`,
      'element-too-large',
    ],
    ['two thousand policies', `{"policies":[${'{},'.repeat(2000)}{}]}`, 'too-many-policies'],
    ['a million brackets', '{"a":'.repeat(MIB), 'too-deep'],
  ] as const)
    test(what, async () => assert.equal(codeOf(await readReport(chunked(Buffer.from(text), 65_536), limits)), code))

  test('policy strings of all policies together have a bound', async () => {
    const strings = JSON.stringify(Array.from({ length: 100 }, () => 'x'.repeat(900)))
    const policy = `{"policy":{"policy-type":"sts","policy-domain":"a.example","policy-string":${strings}},"summary":{}}`
    const text = `{"date-range":${JSON.stringify(dates)},"report-id":"1","policies":[${`${policy},`.repeat(99)}${policy}]}`
    const reading = await readReport(chunked(Buffer.from(text), 65_536), limits)
    assert.ok(reading.ok)
    const kept = reading.report.policies.flatMap((one) => one.strings).reduce((sum, one) => sum + one.length, 0)
    assert.ok(kept <= 1_000_000, `${kept} characters`)
    assert.ok(reading.notes.some((note) => note.code === 'text-cut'))
  })

  test('a report that nobody wants to the end does not keep its source waiting', async () => {
    let stopped = false
    const source = async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          await Promise.resolve()
          yield Buffer.from('{"a":['.repeat(100))
        }
      } finally {
        stopped = true
      }
    }
    assert.equal(codeOf(await readReport(source(), limits)), 'too-deep')
    assert.ok(stopped)
  })
})
