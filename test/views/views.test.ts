import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  destinationView,
  failureView,
  policySummaryView,
  policyView,
  receivedReportView,
  receivedView,
  reportView,
  resolverView,
  timeOf,
  waitingDomainView,
  waitingMessageView,
} from '../../dist/views/index.js'
import { kept } from '../lib/tlsrpt/received/ground.ts'
import { policy } from '../lib/tlsrpt/parsing/corpus/specimen.ts'
import { DESTINATION, FAILURE, listedPolicy, NOW, reportEntry, RESOLVER, WAITING } from './things.ts'

describe('times', () => {
  test('are whole seconds in UTC', () => assert.equal(timeOf(NOW), '2026-06-01T12:00:00Z'))
  test('that no clock will show are null', () => assert.equal(timeOf(Infinity), null))
})

describe('a policy', () => {
  test('says all that the cache has, and whether it has expired', () => {
    assert.deepEqual(policyView(listedPolicy(), NOW), {
      ...{ domain: 'example.org', id: '1', mode: 'enforce', mx: ['mx1.example.org'], maxAge: 604_800, notes: [] },
      text: 'version: STSv1\nmode: enforce\nmx: mx1.example.org\nmax_age: 604800\n',
      ...{ fetchedAt: '2026-06-01T11:00:00Z', expiresAt: '2026-06-01T13:00:00Z', expired: false, refreshAt: null },
      ...{ lastUsedAt: '2026-06-01T12:00:00Z', failedRefreshes: 0, lastFailure: null },
    })
    assert.equal(policyView(listedPolicy({ expiresAt: NOW }), NOW).expired, true)
  })

  test('in short is the same without what the file says', () => {
    const summary = policySummaryView(listedPolicy(), NOW)
    const { mx, maxAge, text, notes, ...rest } = policyView(listedPolicy(), NOW)
    assert.deepEqual([mx.length, maxAge, text.length > 0, notes, rest], [1, 604_800, true, [], summary])
  })

  test('has the id of a failed fetch only where there was a record', () => {
    const failure = { type: 'sts-policy-invalid', text: 'no version' } as const
    const shown = (id: string) => policyView(listedPolicy({ lastFailure: { id, at: NOW, failure } }), NOW).lastFailure
    assert.deepEqual(shown(''), { id: null, at: '2026-06-01T12:00:00Z', ...failure })
    assert.equal(shown('2')?.id, '2')
  })
})

describe('a destination', () => {
  test('has what was last refused and what was last delivered, each in full', () => {
    const refused = {
      host: null,
      level: 'refused',
      tlsVersion: null,
      reason: 'mx-lookup',
      text: 'no answer',
      goodUntil: null,
    }
    assert.deepEqual(destinationView(DESTINATION), {
      ...{ domain: 'example.org', state: 'failing', delivered: null },
      refused: { at: '2026-06-01T12:00:00Z', ...refused },
    })
  })
})

describe('messages that wait', () => {
  const deferral = { status: '4.7.5', reasons: ['dane-no-match'], text: 'no host satisfied its policy' }
  const times = { since: '2026-06-01T11:00:00Z', nextAt: '2026-06-01T13:00:00Z' }
  test('to one domain are counted', () => {
    assert.deepEqual(waitingDomainView(WAITING), { domain: 'example.org', messages: 2, ...times, ...deferral })
  })
  test('are told one by one by their ids', () => {
    assert.deepEqual(waitingMessageView({ ...WAITING, id: 'a' }), { id: 'a', ...times, ...deferral })
  })
})

describe('a resolver', () => {
  for (const [health, changes] of [
    ['validates', {}],
    ['unanswered', { validates: false }],
    ['fails', { validates: false, secureAnswers: false }],
    ['not-believed', { trustAd: false, secureAnswers: false }],
  ] as const)
    test(`can be ${health}`, () => {
      const { servers, trustAd, secureAnswers } = { ...RESOLVER, ...changes }
      assert.deepEqual(resolverView({ ...RESOLVER, ...changes }), { health, trustAd, secureAnswers, servers })
    })
})

describe('a report', () => {
  test('that waits has nothing but its period, its id and when it is due', () => {
    assert.deepEqual(reportView(reportEntry()), {
      domain: 'example.org',
      period: { text: '2026-05-31', start: '2026-05-31T00:00:00Z', end: '2026-06-01T00:00:00Z' },
      ...{ reportId: 'a@b', state: 'scheduled', dueAt: '2026-06-01T12:00:00Z', firstTriedAt: null },
      ...{ sessions: null, size: 0, destinations: [], note: null },
    })
  })

  test('has each destination with when it is looked at again; there is no time where that is never', () => {
    const { destinations, dueAt } = reportView(
      reportEntry({
        dueAt: Infinity,
        destinations: [
          { rua: 'mailto:a@b', state: 'queued', attempts: 1, nextAt: NOW, note: undefined },
          { rua: 'https://b/', state: 'failed', attempts: 2, nextAt: Infinity, note: '503' },
        ],
      }),
    )
    assert.equal(dueAt, null)
    assert.deepEqual(destinations, [
      { rua: 'mailto:a@b', state: 'queued', attempts: 1, nextAt: '2026-06-01T12:00:00Z', note: null },
      { rua: 'https://b/', state: 'failed', attempts: 2, nextAt: null, note: '503' },
    ])
  })
})

describe('a received report', () => {
  const detail = { type: 'certificate-expired', receivingHost: 'mx1.example.org', count: 1 } as const
  const report = kept('one', { policies: [policy('sts', { successes: 9, failures: 1, details: [detail] })] })

  test('is its entry, with notes and policies; what was not said is null', () => {
    const { notes, policies, ...entry } = receivedReportView(report)
    assert.deepEqual(entry, receivedView(report.entry))
    assert.deepEqual([entry.signedBy, entry.counted, entry.failures, notes], ['sender.example', true, 1, []])
    assert.deepEqual([policies[0]?.ours, policies[0]?.domain], [true, 'example.org'])
    const unsaid = {
      reason: null,
      information: null,
      receivingHelo: null,
      receivingAddress: null,
      sendingAddress: null,
    }
    assert.deepEqual(policies[0]?.details, [{ ...detail, ...unsaid }])
  })

  test('about others is told from one about us', () => {
    const others = kept('two', { policies: [policy('sts', { domain: 'other.example', successes: 1 })] })
    assert.equal(receivedReportView(others).policies[0]?.ours, false)
    assert.equal(receivedView(others.entry).counted, false)
  })
})

describe('a failure', () => {
  test('says which policy failed how, how often, since when and for whom', () => {
    assert.deepEqual(failureView(FAILURE), {
      ...{ domain: 'example.org', policyType: 'sts', host: null, result: 'sts-policy-fetch-error', reason: null },
      ...{ count: 3, since: '2026-06-01T11:00:00Z', until: '2026-06-01T12:00:00Z', reporters: ['sender.example'] },
    })
  })
})
