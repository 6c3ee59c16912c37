import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  composeReport,
  ReportError,
  stsStrings,
  tlsaStrings,
  type FailureFacts,
  type PolicyFacts,
  type Report,
  type ReportFacts,
} from '../../../../dist/lib/tlsrpt/format/index.js'
import { runs } from '../../../support/runs.ts'
import { anyFacts } from './facts.ts'
import { assertReport } from './schema.ts'

const start = Date.UTC(2016, 3, 1)
const numRuns = runs(300, 3000)

const facts: ReportFacts = {
  organization: 'Company-X',
  contact: 'sts-reporting@company-x.example',
  reportId: '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  period: { start, end: start + 86_400_000 },
  policies: [
    {
      policy: {
        type: 'sts',
        domain: 'company-y.example',
        strings: stsStrings('version: STSv1\r\nmode: testing\r\nmx: *.mail.company-y.example\r\nmax_age: 86400\r\n'),
        mx: ['*.mail.company-y.example'],
      },
      successes: 5326,
      failures: 303,
      details: [
        {
          type: 'certificate-expired',
          sendingAddress: '2001:db8:abcd:0012::1',
          receivingHost: 'mx1.mail.company-y.example',
          count: 100,
        },
        {
          type: 'starttls-not-supported',
          sendingAddress: '2001:db8:abcd:0013::1',
          receivingHost: 'mx2.mail.company-y.example',
          receivingAddress: '203.0.113.56',
          count: 200,
          information: 'https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported',
        },
        {
          type: 'validation-failure',
          sendingAddress: '198.51.100.62',
          receivingHost: 'mx-backup.mail.company-y.example',
          receivingAddress: '203.0.113.58',
          count: 3,
          reason: 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED',
        },
      ],
    },
  ],
}

/** RFC 8460 Appendix B, with erratum 6241's array, addresses as RFC 5952 has them, and the members in the order of its schema. */
const appendixB = {
  'organization-name': 'Company-X',
  'date-range': { 'start-datetime': '2016-04-01T00:00:00Z', 'end-datetime': '2016-04-01T23:59:59Z' },
  'contact-info': 'sts-reporting@company-x.example',
  'report-id': '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  policies: [
    {
      policy: {
        'policy-type': 'sts',
        'policy-string': ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example', 'max_age: 86400'],
        'policy-domain': 'company-y.example',
        'mx-host': ['*.mail.company-y.example'],
      },
      summary: { 'total-successful-session-count': 5326, 'total-failure-session-count': 303 },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'sending-mta-ip': '2001:db8:abcd:12::1',
          'receiving-mx-hostname': 'mx1.mail.company-y.example',
          'failed-session-count': 100,
        },
        {
          'result-type': 'starttls-not-supported',
          'sending-mta-ip': '2001:db8:abcd:13::1',
          'receiving-mx-hostname': 'mx2.mail.company-y.example',
          'receiving-ip': '203.0.113.56',
          'failed-session-count': 200,
          'additional-information':
            'https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported',
        },
        {
          'result-type': 'validation-failure',
          'sending-mta-ip': '198.51.100.62',
          'receiving-mx-hostname': 'mx-backup.mail.company-y.example',
          'receiving-ip': '203.0.113.58',
          'failed-session-count': 3,
          'failure-reason-code': 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED',
        },
      ],
    },
  ],
}

function withPolicy(policy: Partial<PolicyFacts>): ReportFacts {
  const simple: PolicyFacts = {
    policy: { type: 'no-policy-found', domain: 'example.com' },
    successes: 1,
    failures: 0,
    details: [],
  }
  return { ...facts, policies: [{ ...simple, ...policy }] }
}

function withDetail(detail: Partial<FailureFacts>): ReportFacts {
  return withPolicy({ failures: 1, details: [{ type: 'certificate-expired', count: 1, ...detail }] })
}

const onlyPolicy = ({ report }: { report: Report }): Report['policies'][number] | undefined => report.policies[0]
const onlyDetail = (detail: Partial<FailureFacts>): object | undefined =>
  onlyPolicy(composeReport(withDetail(detail)))?.['failure-details'][0]

describe('a composed report', () => {
  test('R12, R25: is the example of RFC 8460 Appendix B with erratum 6241, byte by byte', () => {
    const { report, text } = composeReport(facts)
    assertReport(report)
    assert.deepEqual(report, appendixB)
    assert.equal(text, JSON.stringify(appendixB))
  })

  test('R25: the schema of these tests refuses the example as printed, with its mx-host that is no array', () => {
    const printed = structuredClone(appendixB) as { policies: { policy: { 'mx-host': unknown } }[] }
    for (const { policy } of printed.policies) policy['mx-host'] = '*.mail.company-y.example'
    assert.throws(() => assertReport(printed), /mx-host/)
  })

  test('R7: the same facts give the same text, in whatever order they come', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const turned = given.policies.map((policy) => ({ ...policy, details: policy.details.toReversed() })).reverse()
        assert.equal(composeReport({ ...given, policies: turned }).text, composeReport(given).text)
      }),
      { numRuns },
    )
  })

  test('R7, R12: any facts give I-JSON by the schema, whose details add up', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { report, text } = composeReport(given)
        assertReport(JSON.parse(text))
        assert.deepEqual(JSON.parse(text), report)
        assert.ok(text.isWellFormed() && !/\\ud[89a-f]/i.test(text), 'no lone surrogates, escaped or not')
        for (const { summary, 'failure-details': details } of report.policies)
          assert.equal(
            details.reduce((sum, detail) => sum + detail['failed-session-count'], 0),
            summary['total-failure-session-count'],
          )
      }),
      { numRuns },
    )
  })

  test('R9: ends at 23:59:59Z, also in a leap year', () => {
    const period = { start: Date.UTC(2028, 1, 29), end: Date.UTC(2028, 2, 1) }
    assert.deepEqual(composeReport({ ...facts, period }).report['date-range'], {
      'start-datetime': '2028-02-29T00:00:00Z',
      'end-datetime': '2028-02-29T23:59:59Z',
    })
  })

  test('R8: has entries for DANE and MTA-STS of the same domain', () => {
    const policies = (['tlsa', 'sts', 'no-policy-found'] as const).map((type) => ({
      policy: { type, domain: 'example.com' },
      successes: 1,
      failures: 0,
      details: [],
    }))
    const { report } = composeReport({ ...facts, policies })
    assert.deepEqual(
      report.policies.map(({ policy }) => policy['policy-type']),
      ['no-policy-found', 'sts', 'tlsa'],
    )
  })

  test('entries of one policy, and details that say the same, are added up', () => {
    const details = [
      { type: 'certificate-expired', count: 2, receivingAddress: '2001:DB8::0:1' },
      { type: 'certificate-expired', count: 3, receivingAddress: '2001:db8::1' },
    ] as const
    const [policy] = withPolicy({ successes: 7, failures: 5, details }).policies
    assert.ok(policy)
    const { report } = composeReport({ ...facts, policies: [policy, policy] })
    assert.deepEqual(report.policies, [
      {
        policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'example.com' },
        summary: { 'total-successful-session-count': 14, 'total-failure-session-count': 10 },
        'failure-details': [
          { 'result-type': 'certificate-expired', 'receiving-ip': '2001:db8::1', 'failed-session-count': 10 },
        ],
      },
    ])
  })

  test('R15: without failures its details are an empty array', () => {
    assert.deepEqual(onlyPolicy(composeReport(withPolicy({})))?.['failure-details'], [])
  })

  test('R15: what has no value is left out', () => {
    const nothing = { sendingAddress: undefined, receivingHelo: '', reason: undefined }
    assert.deepEqual(onlyDetail(nothing), { 'result-type': 'certificate-expired', 'failed-session-count': 1 })
    const policy = { type: 'sts', domain: 'example.com', strings: [], mx: [] } as const
    assert.deepEqual(onlyPolicy(composeReport(withPolicy({ policy })))?.policy, {
      'policy-type': 'sts',
      'policy-domain': 'example.com',
    })
  })

  test('R12: a route to an IP address has no receiving-mx-hostname', () => {
    assert.deepEqual(onlyDetail({ receivingHost: '192.0.2.1', receivingAddress: '192.0.2.1' }), {
      'result-type': 'certificate-expired',
      'receiving-ip': '192.0.2.1',
      'failed-session-count': 1,
    })
  })

  test('R12, R16: domains are A-labels', () => {
    const policy = { type: 'sts', domain: 'Bücher.example.', mx: ['*.Bücher.example', 'MX.example'] } as const
    const details = [{ type: 'certificate-expired', count: 1, receivingHost: 'müller.example' }] as const
    const composed = composeReport({ ...withPolicy({ policy, failures: 1, details }), contact: 'a@bücher.example' })
    assert.equal(composed.report['contact-info'], 'a@xn--bcher-kva.example')
    assert.equal(onlyPolicy(composed)?.policy['policy-domain'], 'xn--bcher-kva.example')
    assert.deepEqual(onlyPolicy(composed)?.policy['mx-host'], ['*.xn--bcher-kva.example', 'mx.example'])
    assert.equal(onlyPolicy(composed)?.['failure-details'][0]?.['receiving-mx-hostname'], 'xn--mller-kva.example')
  })

  test('R12: a long HELO is cut, and never in the middle of a character', () => {
    const detail = onlyDetail({ receivingHelo: `${'a'.repeat(254)}😀` }) as { 'receiving-mx-helo': string }
    assert.equal(detail['receiving-mx-helo'], 'a'.repeat(254))
    assert.deepEqual(onlyDetail({ receivingHelo: 'a\ud800b' }), {
      'result-type': 'certificate-expired',
      'receiving-mx-helo': 'a\ufffdb',
      'failed-session-count': 1,
    })
  })
})

describe('mistakes of ours are exceptions', () => {
  const mistakes: [what: string, about: ReportError['about'], facts: ReportFacts][] = [
    ['failures without details', 'counts', withPolicy({ failures: 1 })],
    ['details without failures', 'counts', withPolicy({ details: [{ type: 'tlsa-invalid', count: 1 }] })],
    ['a count that is negative', 'counts', withPolicy({ successes: -1 })],
    ['a count that is no integer', 'counts', withPolicy({ successes: 0.5 })],
    ['R7: a count beyond 2^53', 'counts', withPolicy({ successes: 2 ** 53 })],
    ['a detail of no session', 'counts', withPolicy({ details: [{ type: 'tlsa-invalid', count: 0 }] })],
    ['a policy domain that is no domain', 'domain', withPolicy({ policy: { type: 'sts', domain: 'a b' } })],
    ['an MX pattern that is none', 'domain', withPolicy({ policy: { type: 'sts', domain: 'a.b', mx: ['*.*.a'] } })],
    ['a host that is neither name nor address', 'domain', withDetail({ receivingHost: 'a..b' })],
    ['an address that is none', 'address', withDetail({ receivingAddress: '192.0.2.256' })],
    ['a contact that is no address', 'contact', { ...facts, contact: 'Jane <jane@example.org>' }],
    ['an empty report id', 'report-id', { ...facts, reportId: '' }],
    ['no policies', 'policies', { ...facts, policies: [] }],
    ['a period that ends before it begins', 'period', { ...facts, period: { start, end: start } }],
    ['a period of half hours', 'period', { ...facts, period: { start, end: start + 1_800_000 } }],
  ]
  for (const [what, about, given] of mistakes) {
    test(what, () => {
      assert.throws(
        () => composeReport(given),
        (error) => error instanceof ReportError && error.about === about,
      )
    })
  }
})

describe('policy strings', () => {
  test('R13: one string for each TLSA record, sorted, without repetitions', () => {
    const record = (usage: number, hex: string): Parameters<typeof tlsaStrings>[0][number] => ({
      usage,
      selector: 1,
      matchingType: 1,
      data: Buffer.from(hex, 'hex'),
    })
    const strings = ['2 1 1 00FF', '3 1 1 1F85', '3 1 1 AB']
    assert.deepEqual(tlsaStrings([record(3, 'ab'), record(3, '1f85'), record(2, '00ff'), record(3, 'ab')]), strings)
    assert.deepEqual(tlsaStrings([record(3, '')]), ['3 1 1'])
    const policy = { type: 'tlsa', domain: 'mx.example.com', strings: strings.toReversed() } as const
    assert.deepEqual(onlyPolicy(composeReport(withPolicy({ policy })))?.policy['policy-string'], strings)
  })

  test('R14: one string for each line of a policy, errors included, its order kept', () => {
    assert.deepEqual(stsStrings('version: STSv1\r\nmx: b\n\nmx: a\nnonsense \r\n\r\n \n'), [
      'version: STSv1',
      'mx: b',
      '',
      'mx: a',
      'nonsense ',
    ])
    assert.deepEqual(stsStrings(''), [])
  })
})
