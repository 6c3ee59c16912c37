import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { judgePeer, type PeerJudgement, type TlsPeer } from '../../../dist/lib/delivery/index.js'
import type { TlsaRecord } from '../../../dist/lib/dane/index.js'
import type { AttemptVerdict } from '../../../dist/lib/policy/index.js'
import { createCertificates, type HostCertificate } from '../../internet/certificates.ts'
import { issue, makeCertificate, tlsaOf, type Certificate } from '../../support/certificates.ts'
import { attempt, HOST, settings, sts, tlsa, type Changes } from '../policy/question.ts'

const world = createCertificates()
const now = new Date()

/** What OpenSSL says of each chain. */
const chainErrors: Partial<Record<HostCertificate, string>> = {
  expired: 'CERT_HAS_EXPIRED',
  future: 'CERT_NOT_YET_VALID',
  'self-signed': 'DEPTH_ZERO_SELF_SIGNED_CERT',
  foreign: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
}

function peerOf(chain: readonly Certificate[], chainError?: string): TlsPeer {
  const presented = chain.map(({ der }) => der)
  return {
    leaf: presented[0],
    chain: () => presented,
    chainError,
    protocol: 'TLSv1.3',
    cipher: 'X',
    keyExchange: undefined,
  }
}

function peer(which: HostCertificate): TlsPeer {
  return peerOf([world.certificate(HOST, which), world.intermediate], chainErrors[which])
}

function judge(changes: Changes, of: TlsPeer, records: readonly TlsaRecord[] = [], host = HOST): PeerJudgement {
  return judgePeer(attempt(changes), host, of, records, now)
}

const required: Changes = { settings: settings({ starttls: 'require' }) }
const dane: Changes = { host: { tlsa: tlsa('usable') } }
const both: Changes = { ...dane, domain: { sts: sts('enforce') }, settings: settings({ daneAndMtaSts: 'both' }) }
const leafRecord = tlsaOf(world.certificate(HOST, 'leaf'), 3, 1, 1)
const otherRecord = tlsaOf(world.certificate(HOST, 'other'), 3, 1, 1)

describe('PKIX', () => {
  for (const [which, why] of [
    ['leaf', undefined],
    ['wildcard', undefined],
    ['expired', 'certificate-expired'],
    ['future', 'certificate-expired'],
    ['other-name', 'certificate-host-mismatch'],
    ['cn-only', 'certificate-host-mismatch'],
    ['self-signed', 'certificate-not-trusted'],
    ['foreign', 'certificate-not-trusted'],
  ] as const)
    test(`T24: ${which}: ${why ?? 'valid'}`, () => {
      const { refusal, pkix } = judge(required, peer(which))
      assert.equal(refusal?.code, why)
      assert.equal(pkix.status === 'valid', why === undefined)
    })

  test('a chain without certificates: certificate-missing', () => {
    assert.equal(judge(required, peerOf([])).refusal?.code, 'certificate-missing')
  })

  test('octets that are no certificate: certificate-not-trusted', () => {
    const nonsense = { ...peer('leaf'), leaf: Buffer.from('no certificate') }
    assert.equal(judge(required, nonsense).refusal?.code, 'certificate-not-trusted')
  })

  test('dates are judged by us, too: OpenSSL looked at another clock', () => {
    const outdated = peerOf([world.certificate(HOST, 'expired'), world.intermediate])
    assert.equal(judge(required, outdated).refusal?.code, 'certificate-expired')
  })

  test('dates are told as ISO 8601, also those of the first days of a month', () => {
    const dates = { notBefore: new Date('2025-10-01T02:03:04Z'), notAfter: new Date('2025-12-31T23:59:59Z') }
    const expired = issue(world.root, { dnsNames: [HOST], ...dates })
    const { refusal } = judge(required, peerOf([expired], 'CERT_HAS_EXPIRED'))
    assert.match(refusal?.text ?? '', /: CERT_HAS_EXPIRED \(valid from 2025-10-01T02:03:04Z to 2025-12-31T23:59:59Z\)$/)
  })

  test('a date that cannot be read is out of date', () => {
    const notBefore = new Date('2025-10-01T02:03:04Z')
    const der = Buffer.from(issue(world.root, { dnsNames: [HOST], notBefore }).der)
    der.write('251301', der.indexOf('251001'), 'latin1') // the thirteenth month
    const unread = { ...peerOf([]), leaf: der }
    assert.match(judge(required, unread).refusal?.text ?? '', /: out of date \(valid from an unknown time to 20/)
  })

  test('R11: expired and misnamed: expired; not trusted and misnamed: not trusted', () => {
    const day = 86_400_000
    const dates = { notBefore: new Date(Date.now() - 3 * day), notAfter: new Date(Date.now() - day) }
    const expired = issue(world.root, { dnsNames: ['else.test'], ...dates })
    assert.equal(judge(required, peerOf([expired], 'CERT_HAS_EXPIRED')).refusal?.code, 'certificate-expired')
    const foreign = issue(world.foreignRoot, { dnsNames: ['else.test'] })
    const error = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
    assert.equal(judge(required, peerOf([foreign], error)).refusal?.code, 'certificate-not-trusted')
  })

  test('R11: signed by itself and expired: not trusted, though OpenSSL tells of the date, which it finds last', () => {
    const day = 86_400_000
    const dates = { notBefore: new Date(Date.now() - 3 * day), notAfter: new Date(Date.now() - day) }
    const snakeOil = makeCertificate({ subject: 'CN=snake', dnsNames: [HOST], ...dates })
    assert.equal(judge(required, peerOf([snakeOil], 'CERT_HAS_EXPIRED')).refusal?.code, 'certificate-not-trusted')
  })

  test('T24: a wildcard stands for one label, and for a whole one', () => {
    const deep = issue(world.root, { dnsNames: ['*.test'] })
    const { refusal } = judge({ ...required }, peerOf([deep]))
    assert.equal(refusal?.code, 'certificate-host-mismatch')
    assert.match(refusal.text, /: it is for \*\.test, not for \S+; "\*" stands for one label$/)
    const partial = issue(world.root, { dnsNames: ['mx*.example.test'] })
    assert.equal(judge(required, peerOf([partial])).refusal?.code, 'certificate-host-mismatch')
  })

  test('a relay that is an address is proved by an iPAddress only', () => {
    const right = issue(world.root, { ipAddresses: ['192.0.2.1'] })
    const wrong = issue(world.root, { dnsNames: ['192.0.2.1'] })
    assert.equal(judge(required, peerOf([right]), [], '192.0.2.1').refusal, undefined)
    assert.equal(judge(required, peerOf([wrong]), [], '192.0.2.1').refusal?.code, 'certificate-host-mismatch')
  })

  test('what the names of a certificate say cannot break a log line', () => {
    const evil = issue(world.root, { dnsNames: [`${'a\r\n[crit] all is well '.repeat(20)}.test`] })
    const { refusal } = judge(required, peerOf([evil]))
    assert.match(refusal?.text ?? '', /^[ -~]*$/)
    assert.ok((refusal?.text.length ?? 0) < 300)
  })

  test('nor can its subject steer a terminal, or make a bounce of more than US-ASCII', () => {
    const evil = issue(world.root, { subject: 'CN=\u009b2J\u202etset.lla\u2028[crit] münchen' })
    const { refusal } = judge(required, peerOf([evil]))
    assert.match(refusal?.text ?? '', /^[ -~]*no DNS-ID[ -~]*$/)
  })

  test('allow-invalid-certs: nothing is refused, and what is wrong is still known', () => {
    const lenient: Changes = { settings: settings({ allowInvalidCerts: true }) }
    const { refusal, pkix, level } = judge(lenient, peer('expired'))
    assert.equal(refusal, undefined)
    assert.deepEqual([pkix.status, level], ['invalid', 'Untrusted'])
  })

  test('under an enforced policy the refusal is of MTA-STS, else it is of TLS', () => {
    const enforced = judge({ domain: { sts: sts('enforce') } }, peer('expired')).refusal
    assert.deepEqual([enforced?.concern, enforced?.source], ['mta-sts', 'RFC 8461 4.2'])
    const plain = judge(required, peer('expired')).refusal
    assert.deepEqual([plain?.concern, plain?.source], ['tls', 'RFC 9525 6'])
  })

  test('T26: a policy in testing refuses nothing: what starttls = require refuses is of TLS', () => {
    const testing = judge({ ...required, domain: { sts: sts('testing') } }, peer('expired')).refusal
    assert.deepEqual([testing?.concern, testing?.source], ['tls', 'RFC 9525 6'])
  })
})

describe('DANE', () => {
  test('D13, D37: DANE-EE matches, whatever dates and names say', () => {
    for (const which of ['leaf', 'expired', 'other-name', 'self-signed'] as const) {
      const record = tlsaOf(world.certificate(HOST, which), 3, 1, 1)
      const { refusal, proof } = judge(dane, peer(which), [record])
      assert.equal(refusal, undefined)
      assert.match(proof ?? '', /^matched DANE-EE 3 1 1 [0-9a-f]{8}/)
    }
  })

  test('D40: no record matches: refused, though PKIX is valid', () => {
    const { refusal, pkix } = judge(dane, peer('leaf'), [otherRecord])
    assert.deepEqual([refusal?.code, refusal?.concern, refusal?.status], ['dane-no-match', 'dane', '4.7.5'])
    assert.equal(pkix.status, 'valid')
  })

  test('D13: where DANE matches and decides alone PKIX is not judged; under an STS policy it is, for the report', () => {
    const record = tlsaOf(world.certificate(HOST, 'expired'), 3, 1, 1)
    assert.equal(judge(dane, peer('expired'), [record]).pkix.status, 'not-judged')
    const underSts: Changes = { ...dane, domain: { sts: sts('testing') } }
    const { pkix, refusal } = judge(underSts, peer('expired'), [record])
    assert.deepEqual([pkix.status, refusal], ['invalid', undefined])
  })

  test('D41: DANE-TA: the name must be a reference identifier', () => {
    const anchor = tlsaOf(world.intermediate, 2, 0, 1)
    assert.equal(judge(dane, peer('leaf'), [anchor]).refusal, undefined)
    assert.equal(judge(dane, peer('other-name'), [anchor]).refusal?.code, 'certificate-host-mismatch')
    assert.equal(judge(dane, peer('expired'), [anchor]).refusal?.code, 'certificate-expired')
  })

  test('D42: DANE-TA: a certificate for the next hop will do behind a secure MX record only', () => {
    const anchor = tlsaOf(world.root, 2, 0, 1)
    const named = peerOf([issue(world.root, { dnsNames: ['example.test'] }), world.root])
    assert.equal(judge(dane, named, [anchor]).refusal, undefined)
    const insecure: Changes = { ...dane, domain: { mxSecurity: 'insecure' } }
    assert.equal(judge(insecure, named, [anchor]).refusal?.code, 'certificate-host-mismatch')
  })

  test('no certificate at all: certificate-missing', () => {
    assert.equal(judge(dane, peerOf([]), [leafRecord]).refusal?.code, 'certificate-missing')
  })

  test('no usable record is left: refused', () => {
    assert.equal(judge(dane, peer('leaf'), []).refusal?.code, 'dane-no-match')
  })

  test('where DANE is only looked at, it refuses nothing', () => {
    const encrypt: Changes = {
      ...dane,
      domain: { mxSecurity: 'insecure' },
      settings: settings({ insecureMx: 'encrypt', allowInvalidCerts: true }),
    }
    const { refusal, dane: result } = judge(encrypt, peer('leaf'), [otherRecord])
    assert.deepEqual([refusal, result?.status], [undefined, 'refused'])
  })
})

describe('DANE and MTA-STS together', () => {
  for (const [what, of, record, why] of [
    ['both hold', 'leaf', leafRecord, undefined],
    ['no record matches', 'leaf', otherRecord, 'dane-no-match'],
    [
      'the name is wrong',
      'other-name',
      tlsaOf(world.certificate(HOST, 'other-name'), 3, 1, 1),
      'certificate-host-mismatch',
    ],
    ['neither holds', 'expired', otherRecord, 'dane-no-match'],
  ] as const)
    test(`${what}: ${why ?? 'accepted'}`, () => assert.equal(judge(both, peer(of), [record]).refusal?.code, why))

  test('where PKIX fails the refusal is of MTA-STS', () => {
    const record = tlsaOf(world.certificate(HOST, 'expired'), 3, 1, 1)
    assert.equal(judge(both, peer('expired'), [record]).refusal?.concern, 'mta-sts')
  })
})

describe('the level of trust', () => {
  const level = (changes: Changes, of: TlsPeer, ...records: TlsaRecord[]) => judge(changes, of, records).level
  const insecure = { mxSecurity: 'insecure' } as const

  test('Verified: DANE or PKIX, behind a secure MX record', () => {
    assert.equal(level(dane, peer('self-signed'), tlsaOf(world.certificate(HOST, 'self-signed'), 3, 1, 1)), 'Verified')
    assert.equal(level({}, peer('leaf')), 'Verified')
  })

  test('D24: never more than Trusted behind an insecure MX record', () => {
    assert.equal(level({ ...dane, domain: insecure }, peer('leaf'), leafRecord), 'Trusted')
    assert.equal(level({ domain: insecure }, peer('leaf')), 'Trusted')
  })

  test('Verified behind an insecure MX record where an enforced policy lists the host', () => {
    assert.equal(level({ domain: { ...insecure, sts: sts('enforce') } }, peer('leaf')), 'Verified')
  })

  test('Untrusted: nothing is proved', () => assert.equal(level(required, peer('foreign')), 'Untrusted'))

  test('D24: what an audit let pass although it would have been refused is never Verified', () => {
    const audit: Changes = {
      ...dane,
      domain: { ...insecure, sts: sts('enforce') },
      settings: settings({ audit: true }),
    }
    const record = tlsaOf(world.certificate(HOST, 'self-signed'), 3, 1, 1)
    const judgement = judge(audit, peer('self-signed'), [record])
    assert.equal(judgement.refusal?.code, 'certificate-not-trusted')
    assert.equal(judgement.level, 'Trusted')
  })
})

describe('a verdict', () => {
  test('without an identity to prove refuses nobody', () => {
    const verdict: AttemptVerdict = { ...attempt(), proofs: [] }
    for (const which of ['expired', 'foreign', 'other-name', 'self-signed'] as const)
      assert.equal(judgePeer(verdict, HOST, peer(which), [], now).refusal, undefined)
  })
})
