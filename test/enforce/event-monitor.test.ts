import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEventMonitor } from '../../dist/enforce/event-monitor.js'
import type { HMailItem } from '../../dist/runtime/haraka.js'
import { deferralOf, type Deferral, type Opening } from '../../dist/lib/delivery/index.js'
import type { ConnectionEvent, WaitingMessage } from '../../dist/lib/monitor/index.js'
import type { Reason } from '../../dist/lib/policy/index.js'
import type { MonitoringRecorder } from '../../dist/runtime/monitoring.js'
import type { DeliveryEvent } from '../../dist/runtime/events.js'
import { targetOf } from './target.ts'

interface Left {
  readonly deferred: (deferral: Deferral) => void
  readonly ended: () => void
  readonly refused: (because: Reason) => void
  readonly hmail: { filename: string; num_failures: number }
  readonly seen: ConnectionEvent[]
  readonly waiting: Map<string, WaitingMessage>
  readonly gone: string[]
  readonly statuses: string[]
  /** seconds until each retry, as outbound.ini has them now */
  readonly intervals: number[]
}

const FIRST = '1700000000000_1700000000000_0_4711_Ab3xYz_17_mail1'

/** A message, and what it leaves. */
function message(todo: object = {}, failures = 0, isReport = false): Left {
  const left = { seen: [], waiting: new Map(), gone: [], statuses: [], intervals: [60, 120] } as Omit<
    Left,
    'deferred' | 'ended' | 'refused' | 'hmail'
  >
  const hmail = {
    filename: FIRST,
    num_failures: failures,
    todo: { domain: 'Bücher.example', notes: {}, ...todo },
  }
  const monitor = createEventMonitor(() => left.intervals, {
    recordConnection: (sighting) => left.seen.push(sighting),
    count: (_, { status }: { status?: string }) => left.statuses.push(String(status)),
    addDeferred: (each) => left.waiting.set(each.id, each),
    removeDeferred: (id) => left.gone.push(id),
  } as Pick<MonitoringRecorder, 'recordConnection' | 'count' | 'addDeferred' | 'removeDeferred'> as MonitoringRecorder)
  const about = { hmail: hmail as unknown as HMailItem, isReport }
  const refused = (because: Reason) => {
    const opening = { status: 'refused', starttls: { status: 'not-tried' }, because } as Opening
    monitor({ type: 'refused', message: about, target: targetOf(), opening, next: 'next-host' } as DeliveryEvent)
  }
  return {
    ...left,
    deferred: (deferral) => monitor({ type: 'not-delivered', message: about, deferral }),
    ended: () => monitor({ type: 'ended', message: about }),
    refused,
    hmail,
  }
}

function because(code: Reason['code'], status: Reason['status'] = '4.7.5'): Reason {
  return { code, concern: 'dane', text: code, source: 'RFC 7672 2.2', status }
}

function deferral(...reasons: readonly Reason[]): Deferral {
  return deferralOf(
    'xn--bcher-kva.example',
    reasons.map((each) => ({ host: 'mx', because: each })),
  )
}

describe('what a message leaves for people to look at', () => {
  test('it waits, with every reason once, until its next attempt', () => {
    const { deferred, waiting, statuses } = message()
    const before = Date.now()
    deferred(deferral(because('dane-no-match'), because('timeout', '4.4.2'), because('dane-no-match')))
    const [[id, waits] = []] = waiting
    assert.deepEqual(
      [id, waits?.domain, waits?.status, waits?.reasons],
      ['1700000000000_Ab3xYz', 'xn--bcher-kva.example', '4.7.5', ['dane-no-match', 'timeout']],
    )
    assert.equal((waits?.nextAt ?? 0) - (waits?.since ?? 0), 60_000)
    assert.ok((waits?.since ?? 0) >= before)
    assert.deepEqual(statuses, ['4.7.5'])
  })

  test('it is the same message at its next attempt, and in another process', () => {
    const { deferred, waiting, hmail } = message()
    deferred(deferral(because('dane-no-match')))
    hmail.filename = '1700000000000_1700000060000_1_4711_Ab3xYz_18_mail1'
    hmail.num_failures = 1
    deferred(deferral(because('dane-no-match')))
    hmail.filename = '1700000000000_1700000060000_1_815_Ab3xYz_1_renamed'
    deferred(deferral(because('dane-no-match')))
    assert.equal(waiting.size, 1)
  })

  test('a name that is not of that form is its own', () => {
    const { deferred, waiting, hmail } = message()
    hmail.filename = '1484878079415_0_12345_8888.mta1.example.com'
    deferred(deferral(because('dane-no-match')))
    assert.deepEqual([...waiting.keys()], [hmail.filename])
  })

  test('without a next attempt, or where nothing of it is TLS, it does not wait, and has been waiting perhaps', () => {
    for (const [failures, reason] of [
      [2, because('dane-no-match')],
      [1, because('connection-failed', '4.4.1')],
      [1, because('mx-lookup-failed', '4.4.3')],
    ] as const) {
      const { deferred, waiting, gone, statuses } = message({}, failures)
      deferred(deferral(reason))
      assert.deepEqual([waiting.size, gone, statuses], [0, ['1700000000000_Ab3xYz'], [reason.status]])
    }
  })

  test('what goes at its first attempt has never waited', () => {
    const { ended, gone, hmail } = message()
    ended()
    assert.deepEqual(gone, [])
    hmail.num_failures = 1
    ended()
    assert.deepEqual(gone, ['1700000000000_Ab3xYz'])
  })

  test('a server that cannot be reached, or takes no mail now, is not refused for TLS', () => {
    const { refused, seen } = message()
    for (const code of ['connection-failed', 'greeting-refused', 'timeout', 'no-address'] as const)
      refused(because(code))
    assert.deepEqual(seen, [])
    for (const code of ['handshake-failed', 'mx-lookup-failed', 'requiretls-not-offered'] as const)
      refused(because(code))
    assert.deepEqual(
      seen.map(({ level, reason }) => [level, reason]),
      [
        ['refused', 'handshake-failed'],
        ['refused', 'mx-lookup-failed'],
        ['refused', 'requiretls-not-offered'],
      ],
    )
  })

  test('the intervals are those of now, not of when the message came', () => {
    const { deferred, waiting, intervals } = message()
    intervals.splice(0, 2, 7200)
    deferred(deferral(because('dane-no-match')))
    const [waits] = waiting.values()
    assert.equal((waits?.nextAt ?? 0) - (waits?.since ?? 0), 7_200_000)
  })

  for (const todo of [{ domain: null }, { domain: 42 }, { domain: undefined }, { notes: null }])
    test(`an envelope with ${JSON.stringify(todo)} is no reason to fail`, () => {
      const { deferred, waiting } = message(todo)
      deferred(deferral(because('dane-no-match')))
      assert.equal(waiting.size, 1)
    })

  test('a TLS report of ours leaves nothing', () => {
    const { deferred, ended, refused, seen, waiting, gone, statuses } = message({}, 1, true)
    refused(because('handshake-failed'))
    deferred(deferral(because('dane-no-match')))
    ended()
    assert.deepEqual([seen, waiting.size, gone, statuses], [[], 0, [], []])
  })
})
