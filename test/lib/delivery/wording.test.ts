import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  describeTarget,
  refusalLine,
  sessionLine,
  type Opening,
  type PeerJudgement,
  type Target,
  type TlsPeer,
} from '../../../dist/lib/delivery/index.js'
import { targetOf } from '../../enforce/target.ts'
import { settings, tlsa, type Changes } from '../policy/question.ts'

type Opened = Extract<Opening, { status: 'open' }>

const peer: TlsPeer = {
  leaf: undefined,
  chain: () => [],
  chainError: undefined,
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  keyExchange: 'X25519',
}
const judged: PeerJudgement = {
  pkix: { status: 'valid' },
  dane: undefined,
  refusal: undefined,
  level: 'Verified',
  proof: 'certificate valid for mx1.example.test',
  proofSource: undefined,
}
const invalid: PeerJudgement = {
  ...judged,
  pkix: { status: 'invalid', why: 'certificate-expired', text: 'CERT_HAS_EXPIRED' },
  level: 'Untrusted',
  proof: undefined,
}

const overTls = (judgement: PeerJudgement, passedOver?: Opened['passedOver']): Opened => ({
  status: 'open',
  starttls: { status: 'done', peer, judgement },
  replies: [],
  passedOver,
})
const inClear = (starttls: Opened['starttls'], passedOver?: Opened['passedOver']): Opened => ({
  status: 'open',
  starttls,
  replies: [],
  passedOver,
})

function line(changes: Changes, opening: Opened, more: Partial<Target> = {}): string {
  const target = { ...targetOf(changes), ...more }
  return sessionLine(target, target.verdict, opening)
}

const reason = {
  code: 'dane-no-match',
  concern: 'dane',
  text: 'no match',
  source: 'RFC 7672 2.2',
  status: '4.7.5',
} as const

describe('what is said of a session', () => {
  test('names level, host, address, port, protocol, cipher and proof', () => {
    assert.match(
      line({}, overTls(judged)),
      /^Verified TLS connection to mx1\.example\.test\[192\.0\.2\.1\]:25: TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 key-exchange X25519, certificate valid for mx1\.example\.test \(RFC /,
    )
  })

  test('names the section that made it so', () => {
    assert.match(line({ host: { tlsa: tlsa('usable') } }, overTls(judged)), /\(RFC 7672 2\.2\)$/)
  })

  test('says what is wrong with a certificate that was accepted, and by which setting', () => {
    const lenient = settings({ allowInvalidCerts: true })
    assert.match(
      line({ settings: lenient }, overTls(invalid)),
      /^Untrusted .*certificate not valid \(CERT_HAS_EXPIRED\) but accepted: allow-invalid-certs/,
    )
    assert.doesNotMatch(line({ settings: lenient }, overTls(judged)), /accepted/)
  })

  test('says what a retry after a TLS failure accepts', () => {
    assert.match(line({ attempt: { mayRelax: true } }, overTls(invalid)), /but accepted: relax-after-tls-failure/)
  })

  test('says what an audit let pass', () => {
    const audit = settings({ audit: true })
    assert.match(
      line({ settings: audit }, overTls(invalid, reason)),
      /; audit: would have been refused: no match\. RFC 7672 2\.2/,
    )
  })

  for (const [starttls, why] of [
    [{ status: 'not-offered' }, /STARTTLS is not offered; no policy asks for TLS/],
    [{ status: 'refused', reply: '454 no' }, /STARTTLS was refused: 454 no; no policy asks for TLS/],
    [{ status: 'not-tried' }, /no policy asks for TLS/],
  ] as const)
    test(`says why in clear text: ${starttls.status}`, () => {
      const said = line({}, inClear(starttls))
      assert.match(said, /^Clear-text connection to mx1\.example\.test\[192\.0\.2\.1\]:25: /)
      assert.match(said, why)
    })

  test('says what failed before the clear-text retry', () => {
    const said = line({}, inClear({ status: 'not-tried' }), {
      afterFailure: { ...reason, text: 'TLS handshake failed' },
    })
    assert.match(said, /: TLS handshake failed; plaintext-fallback/)
  })
})

describe('what is said of a refusal', () => {
  test('a refusal names host, domain, reason, section and what comes next', () => {
    assert.equal(
      refusalLine(describeTarget(targetOf()), 'example.test', reason, 'Next host'),
      'refused mx1.example.test[192.0.2.1]:25 for example.test: no match. RFC 7672 2.2. Next host.',
    )
  })
})
