import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { describeCertificate } from '../../dist/cli/explain/certificate.js'
import { sessionRows } from '../../dist/cli/explain/session-text.js'
import { columns } from '../../dist/cli/text.js'
import { targetOf } from '../enforce/target.ts'
import { makeCertificate } from '../support/certificates.ts'
import { runs } from '../support/runs.ts'

const strange = fc.string({ unit: 'binary', maxLength: 500 })

describe('a certificate', () => {
  const certificate = (dates: { notBefore: Date; notAfter: Date }) =>
    describeCertificate(makeCertificate({ subject: 'CN=mx1.example.test', ...dates }).der)

  test('is shown with its dates as ISO 8601, also those of the first days of a month', () => {
    const { validFrom, validTo } = certificate({
      notBefore: new Date('2026-10-01T02:03:04Z'),
      notAfter: new Date('2027-02-09T00:00:00Z'),
    })
    assert.deepEqual([validFrom, validTo], ['2026-10-01T02:03:04Z', '2027-02-09T00:00:00Z'])
  })
})

describe('what a stranger says in a session', () => {
  test('whatever it is, fits the terminal and cannot steer it', () => {
    const target = targetOf()
    const sessions = fc.record({
      reply: strange,
      text: strange,
      chain: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }),
      cipher: strange,
    })
    fc.assert(
      fc.property(sessions, ({ reply, text, chain, cipher }) => {
        const peer = {
          leaf: chain[0],
          chain: () => chain,
          chainError: undefined,
          protocol: 'TLSv1.3',
          cipher,
          keyExchange: undefined,
        }
        const judgement = {
          pkix: { status: 'invalid', why: 'certificate-not-trusted', text } as const,
          ...({ dane: undefined, refusal: undefined, level: 'Untrusted' } as const),
          ...{ proof: undefined, proofSource: undefined },
        } as const
        const because = { ...target.verdict.because, text }
        const opening = { status: 'refused', because, handshakeFailed: false, replies: [] } as const
        const met = {
          status: 'opened',
          opening: { ...opening, starttls: { status: 'done', peer, judgement } },
          exchanges: [{ command: undefined, reply, tls: false }],
        } as const
        for (const line of columns(sessionRows({ target, verdict: target.verdict, met }), 4)) {
          assert.match(line, /^[ -~]*$/)
          assert.ok(line.length <= 80, line)
        }
      }),
      { numRuns: runs(200, 5000) },
    )
  })
})
