import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  FAILURE_REASONS,
  judgeBogusMx,
  judgeFetch,
  judgeSession,
  judgeSkip,
  LONGEST_POLICY,
  MOST_DETAILS,
  MOST_POLICIES,
  MOST_QUOTED_DETAILS,
  MOST_QUOTED_POLICIES,
  MOST_SESSION_KINDS,
  type Negotiation,
  type SessionOutcome,
} from '../../../../dist/lib/tlsrpt/counting/index.js'
import { decideHost, type AppliedPolicies } from '../../../../dist/lib/policy/index.js'
import { DOMAIN, HOST, question, settings, sts, stsPolicy, tlsa, type Changes } from '../../policy/question.ts'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../../../..', name), 'utf8')
const readme = read('README.md')
const at = new Date('2027-01-31T12:00:00Z')

interface Row {
  readonly situation: string
  readonly policy: string
  readonly result: string
  readonly reason: string
}

/** The table, without what only says "as ...". */
const rows: readonly Row[] = readme
  .slice(readme.indexOf('| situation'))
  .split('\n\n', 1)
  .join()
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => {
    const [situation = '', policy = '', result = '', reason = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim())
    const bare = (cell: string): string => cell.replaceAll('`', '')
    return { situation, policy: bare(policy), result: bare(result), reason: bare(reason) }
  })

const nothing: AppliedPolicies = { tlsa: undefined, sts: undefined, stsListsHost: false, stsRemark: '' }
const evidence = { usable: tlsa('usable'), unusable: tlsa('unusable') }
const byTlsa = { ...nothing, tlsa: evidence.usable.status === 'found' ? evidence.usable : undefined }
const byUnusable = { ...nothing, tlsa: evidence.unusable.status === 'found' ? evidence.unusable : undefined }
const bySts = { ...nothing, sts: stsPolicy('enforce'), stsListsHost: true }
const byNobody = { ...bySts, stsListsHost: false }

type Done = Omit<Extract<Negotiation, { status: 'done' }>, 'status'>

function done(failures: Partial<Done> = {}): Negotiation {
  return { status: 'done', pkixFailure: undefined, daneFailure: undefined, chainFlaw: undefined, ...failures }
}

function session(applied: AppliedPolicies, negotiation: Negotiation): SessionOutcome {
  const addresses = { sendingAddress: '192.0.2.9', receivingAddress: '192.0.2.1' }
  const facts = { at, domain: DOMAIN, host: HOST, ...addresses, level: 'verified', tlsVersion: 'TLSv1.3' } as const
  return judgeSession({ ...facts, applied, negotiation, refusal: undefined })
}

function skipped(changes: Changes): SessionOutcome | undefined {
  const asked = question(changes)
  const verdict = decideHost(asked)
  assert.equal(verdict.action, 'skip')
  return judgeSkip(at, asked.domain, asked.host, verdict.because)
}

const bogusAddress = { status: 'failed', text: 'bogus', bogus: true } as const

/** What the code makes of the situations; several where a row names several. */
const situations: Readonly<Record<string, () => readonly (SessionOutcome | undefined)[]>> = {
  'a TLSA record matches': () => [session(byTlsa, done())],
  'no TLSA record matches; of several hosts, each by itself': () => [
    session(byTlsa, done({ daneFailure: 'dane-no-match' })),
  ],
  'a DANE-TA record matches, but not the name': () => [
    session(byTlsa, done({ daneFailure: 'certificate-host-mismatch' })),
  ],
  'a DANE-TA record matches, but not the dates': () => [session(byTlsa, done({ daneFailure: 'certificate-expired' }))],
  "a DANE-TA record matches, but its certificate did not issue the host's": () => [
    session(byTlsa, done({ daneFailure: 'certificate-not-trusted', chainFlaw: 'self-signed' })),
  ],
  'all TLSA records are unusable; besides, `sts` or `no-policy-found` as it went': () => [session(byUnusable, done())],
  'the TLSA records are bogus': () => [skipped({ host: { tlsa: tlsa('bogus') } })],
  "the MX record, or a host's address, is bogus": () => [
    judgeBogusMx(at, DOMAIN),
    skipped({ host: { addresses: bogusAddress } }),
  ],
  'a lookup that failed otherwise': () => [
    skipped({ host: { tlsa: tlsa('failed') } }),
    skipped({ host: { addresses: { ...bogusAddress, bogus: false } } }),
  ],
  '`dane = require`, and nothing usable': () => [skipped({ settings: settings({ dane: 'require' }) })],
  'the STS policy is satisfied': () => [session(bySts, done())],
  'the host is not in the STS policy, enforce or testing': () => [
    skipped({ domain: { sts: sts('enforce', false) } }),
    session(byNobody, done()),
  ],
  'the certificate is signed by itself': () => [distrusted('self-signed')],
  'the certificate is of an authority that is not trusted, or a part of its chain is missing': () => [
    distrusted('unknown-issuer'),
  ],
  "the certificate's chain is wrong in another way": () => [distrusted('chain-invalid')],
  'the certificate has expired, or is of tomorrow': () => [
    session(bySts, done({ pkixFailure: 'certificate-expired' })),
  ],
  'the certificate is for another name': () => [session(bySts, done({ pkixFailure: 'certificate-host-mismatch' }))],
  'there is no certificate': () => [session(bySts, done({ pkixFailure: 'certificate-missing' }))],
  'the policy cannot be fetched': () => [judgeFetch(at, DOMAIN, 'sts-policy-fetch-error')],
  'the policy is none': () => [judgeFetch(at, DOMAIN, 'sts-policy-invalid')],
  "the policy host's certificate is not valid": () => [judgeFetch(at, DOMAIN, 'sts-webpki-invalid')],
  'STARTTLS is not offered': () => everyPolicy({ status: 'not-offered' }),
  'STARTTLS is refused': () => everyPolicy({ status: 'refused' }),
  'bytes behind the reply to STARTTLS': () => everyPolicy({ status: 'failed', reason: 'starttls-injection' }),
  'the handshake fails, or nothing is said after it': () =>
    everyPolicy({ status: 'failed', reason: 'handshake-failed' }),
  'no policy, and TLS came up with a certificate that is asked for or waived': () => [
    session(nothing, done()),
    session(nothing, done({ pkixFailure: 'certificate-expired' })),
  ],
}

function distrusted(chainFlaw: Done['chainFlaw']): SessionOutcome {
  return session(bySts, done({ pkixFailure: 'certificate-not-trusted', chainFlaw }))
}

function everyPolicy(negotiation: Negotiation): readonly SessionOutcome[] {
  return [nothing, byTlsa, bySts].map((applied) => session(applied, negotiation))
}

/** Rows about what is no session, or what is judged as in another row: tests of whole deliveries show these. */
const elsewhere = [
  'the clear-text retry after a failed handshake',
  '`allow-invalid-certs`, under an STS policy in testing',
  'DANE and STS',
  '`audit`, `TLS-Required: No`',
  'REQUIRETLS is not offered',
  '`starttls = disable`, LMTP, no connection, a greeting of 4xx or 5xx',
  'a TLS report of ours',
  'more kinds of failures than are told apart',
]

describe('what the README says of reports', () => {
  test('has a row for each situation, and no others', () => {
    assert.deepEqual(rows.map(({ situation }) => situation).sort(), [...Object.keys(situations), ...elsewhere].sort())
  })

  for (const { situation, policy, result, reason } of rows.filter(({ situation }) => situation in situations))
    test(`says what is recorded: ${situation}`, () => {
      for (const outcome of situations[situation]?.() ?? []) {
        const first = outcome?.results[0]
        assert.equal(first === undefined ? 'nothing' : (first.failure?.type ?? 'success'), result)
        assert.equal(first?.failure?.reason ?? '', reason)
        if (policy !== 'any') assert.equal(first?.policy.type ?? '', policy)
      }
    })

  test('has all reasons, and no others', () => {
    const documented = new Set(rows.map(({ reason }) => reason).filter((reason) => reason !== ''))
    assert.deepEqual([...documented].sort(), [...FAILURE_REASONS].sort())
  })

  test('docs/outcomes.md has the bounds', () => {
    const document = read('docs/outcomes.md').replace(/ +/g, ' ')
    const count = (number: number): string => number.toLocaleString('en')
    for (const text of [
      `| policies | ${MOST_POLICIES} |`,
      `| details of failures | ${MOST_DETAILS} |`,
      `| kinds of sessions (host, level, TLS version) | ${MOST_SESSION_KINDS} |`,
      `| characters of one policy | ${count(LONGEST_POLICY)} |`,
      `quotes ${MOST_QUOTED_POLICIES} policies`,
      `${count(MOST_QUOTED_DETAILS)} details at most`,
    ])
      assert.ok(document.includes(text), text)
  })
})
