/** One of each thing that has a view, as stores have it. */
import type { DestinationEntry, ResolverState, WaitingDomain } from '../../dist/lib/monitor/index.js'
import { readStsPolicy, type ListedPolicy } from '../../dist/lib/mta-sts/index.js'
import type { FailureSummary } from '../../dist/lib/tlsrpt/received/index.js'
import type { ReportEntry } from '../../dist/lib/tlsrpt/sending/index.js'

export const NOW = Date.parse('2026-06-01T12:00:00.500Z')
export const HOUR = 3_600_000

export function listedPolicy(changes: Partial<ListedPolicy> = {}): ListedPolicy {
  const read = readStsPolicy('version: STSv1\nmode: enforce\nmx: mx1.example.org\nmax_age: 604800\n')
  if (!read.ok) throw new Error(read.error.text)
  const times = { fetchedAt: NOW - HOUR, expiresAt: NOW + HOUR, usedAt: NOW, refreshAt: undefined }
  return {
    ...{ domain: 'example.org', id: '1', policy: read.policy, ...times, failures: 0, lastFailure: undefined },
    ...changes,
  }
}

export function reportEntry(changes: Partial<ReportEntry> = {}): ReportEntry {
  const start = Date.parse('2026-05-31T00:00:00Z')
  const nothing = { firstTriedAt: undefined, destinations: [], note: undefined, sessions: undefined, size: 0 }
  const key = { domain: 'example.org', start, end: start + 24 * HOUR, reportId: 'a@b', version: 1 }
  return { ...key, ...nothing, state: 'scheduled', dueAt: NOW, ...changes }
}

export const DESTINATION: DestinationEntry = {
  domain: 'example.org',
  state: 'failing',
  refused: {
    at: NOW,
    host: undefined,
    level: 'refused',
    tlsVersion: undefined,
    reason: 'mx-lookup',
    text: 'no answer',
    goodUntil: undefined,
  },
  delivered: undefined,
}

export const WAITING: WaitingDomain = {
  ...{ domain: 'example.org', messages: 2, since: NOW - HOUR, nextAt: NOW + HOUR },
  ...{ status: '4.7.5', reasons: ['dane-no-match'], text: 'no host satisfied its policy' },
}

export const RESOLVER: ResolverState = {
  ...{ machine: 'mail1', at: NOW, trustAd: true, validates: true, secureAnswers: true },
  servers: [{ server: '127.0.0.1:53', validates: true, answered: true, text: 'org comes with AD' }],
}

export const FAILURE: FailureSummary = {
  ...{ domain: 'example.org', type: 'sts', host: undefined, result: 'sts-policy-fetch-error', reason: undefined },
  ...{ count: 3, since: NOW - HOUR, until: NOW, reporters: ['sender.example'] },
}
