import fc from 'fast-check'
import type { FailureFacts, PolicyFacts, ReportFacts } from '../../../../dist/lib/tlsrpt/format/index.js'

const DAY = 86_400_000
const optional = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined })

const detail: fc.Arbitrary<FailureFacts> = fc.record({
  type: fc.constantFrom('certificate-expired', 'validation-failure', 'starttls-not-supported', 'sts-policy-invalid'),
  count: fc.integer({ min: 1, max: 1_000_000 }),
  sendingAddress: optional(fc.oneof(fc.ipV4(), fc.ipV6())),
  receivingHost: optional(fc.constantFrom('mx1.example.com', 'MX2.example.com.', 'müller.example', '192.0.2.1')),
  receivingHelo: optional(fc.string({ unit: 'binary', maxLength: 300 })),
  receivingAddress: optional(fc.oneof(fc.ipV4(), fc.ipV6())),
  reason: optional(fc.constantFrom('dane-no-match', 'handshake-failed')),
  information: optional(fc.constant('https://example.org/a')),
})

const domain = fc.constantFrom('example.com', 'bücher.example')
const policy: fc.Arbitrary<PolicyFacts['policy']> = fc.oneof(
  fc.record({ type: fc.constant('tlsa' as const), domain, strings: fc.subarray(['3 1 1 AB', '3 1 1 CD', '2 0 1 EF']) }),
  fc.record({
    type: fc.constant('sts' as const),
    domain,
    strings: fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 3 }),
    mx: fc.subarray(['*.example.com', 'mx.bücher.example']),
  }),
  fc.record({ type: fc.constant('no-policy-found' as const), domain }),
)

const policyFacts: fc.Arbitrary<PolicyFacts> = fc
  .record({ policy, successes: fc.nat(1_000_000), details: fc.array(detail, { maxLength: 30 }) })
  .map((facts) => ({ ...facts, failures: facts.details.reduce((sum, { count }) => sum + count, 0) }))

/** Facts of any report. */
export const anyFacts: fc.Arbitrary<ReportFacts> = fc.record({
  organization: fc.string({ unit: 'binary', maxLength: 30 }),
  contact: fc.constantFrom('tls@example.org', 'tls@bücher.example'),
  reportId: fc.constant('20270131T00Z.abc@example.org'),
  period: fc.nat(30_000).map((day) => ({ start: day * DAY, end: (day + 1) * DAY })),
  policies: fc.array(policyFacts, { minLength: 1, maxLength: 6 }),
})
