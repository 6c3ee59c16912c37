import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import {
  createOutcomeRecorder,
  judgeFetch,
  type Batch,
  type OutcomeRecorder,
  type OutcomeStore,
  type SessionOutcome,
} from '../../../../dist/lib/tlsrpt/counting/index.js'
import { composeReport } from '../../../../dist/lib/tlsrpt/format/index.js'
import { openOutcomes } from '../../../support/modules.ts'
import { sorted, value } from './ground.ts'

const HOUR = 3_600_000
const NOON = new Date('2027-01-31T12:34:56Z')
const hour = { start: Date.parse('2027-01-31T12:00:00Z'), end: Date.parse('2027-01-31T13:00:00Z') }

const sts = { type: 'sts', domain: 'example.org', strings: ['version: STSv1'], mx: ['mx.example.org'] } as const
const tlsa = { type: 'tlsa', domain: 'mx.example.org', strings: ['3 1 1 AB'] } as const

function outcome(over: Partial<SessionOutcome> = {}): SessionOutcome {
  return {
    at: NOON,
    domain: 'example.org',
    host: 'mx.example.org',
    sendingAddress: '192.0.2.1',
    receivingAddress: '192.0.2.9',
    level: 'verified',
    tlsVersion: 'TLSv1.3',
    results: [{ policy: sts }, { policy: tlsa, failure: { type: 'validation-failure', reason: 'dane-no-match' } }],
    ...over,
  }
}

interface World {
  readonly store: OutcomeStore
  readonly recorder: OutcomeRecorder
  readonly log: string[]
}

function world(t: TestContext): World {
  const directory = mkdtempSync(join(tmpdir(), 'recorder-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const log: string[] = []
  const say = (level: string, text: string): void => void log.push(`${level} ${text}`)
  const store = openOutcomes({ path: join(directory, 'outbound-tls.db'), log: say })
  t.after(() => store.end())
  return { store, recorder: createOutcomeRecorder({ store: at(store, NOON.getTime()), log: say }), log }
}

/** A store whose clock stands still. */
function at({ add, addNow }: OutcomeStore, now: number): Pick<OutcomeStore, 'add' | 'addNow'> {
  return { add: (batch) => add(batch, now), addNow: (batch) => addNow(batch, now) }
}

describe('the recorder', () => {
  test('sessions that went alike are counted together, under each policy that applied, and once for people', async (t) => {
    const { store, recorder } = world(t)
    for (let index = 0; index < 3; index++) recorder.record(outcome())
    recorder.record(outcome({ at: new Date(NOON.getTime() + HOUR) }))
    await recorder.flush()

    const failure = {
      ...{ type: 'validation-failure', reason: 'dane-no-match', receivingHost: 'mx.example.org' },
      ...{ sendingAddress: '192.0.2.1', receivingAddress: '192.0.2.9' },
    }
    assert.deepEqual(
      sorted(await value(store.policiesOf('example.org', hour))),
      sorted([
        { policy: sts, successes: 3, failures: 0, details: [] },
        { policy: tlsa, successes: 0, failures: 3, details: [{ ...failure, count: 3 } as never] },
      ]),
    )
    assert.deepEqual(await value(store.sessionsOf({ period: hour, domain: 'example.org' })), [
      {
        hour: hour.start,
        domain: 'example.org',
        host: 'mx.example.org',
        level: 'verified',
        tlsVersion: 'TLSv1.3',
        count: 3,
      },
    ])
  })

  test('a policy as long as a book does not wait in memory: it is counted without being quoted, and the log says so', async (t) => {
    const { store, log } = world(t)
    const batches: Batch[] = []
    const add: OutcomeStore['add'] = (batch) => {
      batches.push(batch)
      return store.add(batch)
    }
    const recorder = createOutcomeRecorder({
      store: { ...store, add },
      log: (level, text) => void log.push(`${level} ${text}`),
    })
    const strings = Array.from({ length: 100 }, (_, index) => `3 1 2 ${String(index).padStart(128, '0')}`)
    recorder.record(outcome({ results: [{ policy: { ...tlsa, strings } }, { policy: sts }] }))
    await recorder.flush()
    assert.deepEqual(
      batches.flatMap(({ policies }) => policies.map(({ policy }) => policy)),
      [{ type: 'tlsa', domain: 'example.org' }, sts],
    )
    assert.match(log.join('\n'), /^notice 1 outcomes were counted with less detail/)
  })

  test('the addresses of a success are nobody’s business: they do not tell it from others', async (t) => {
    const { store, recorder } = world(t)
    for (const receivingAddress of ['192.0.2.1', '192.0.2.2'])
      recorder.record(outcome({ results: [{ policy: sts }], receivingAddress }))
    await recorder.flush()
    assert.equal((await value(store.policiesOf('example.org', hour)))[0]?.successes, 2)
  })

  test('RFC 8460 4.3.2: a fetch that failed is in the report, and no session', async (t) => {
    const { store, recorder } = world(t)
    recorder.record(judgeFetch(NOON, 'example.org', 'sts-policy-fetch-error'))
    await recorder.flush()
    const [facts] = await value(store.policiesOf('example.org', hour))
    assert.ok(facts)
    assert.deepEqual(facts.policy, { type: 'sts', domain: 'example.org' })
    assert.deepEqual([facts.failures, facts.details[0]?.type], [1, 'sts-policy-fetch-error'])
    assert.deepEqual(await value(store.sessionsOf({ period: hour, domain: 'example.org' })), [])
  })

  test('R12: what is recorded makes a report, as it comes out of the store', async (t) => {
    const { store, recorder } = world(t)
    recorder.record(outcome())
    recorder.record(outcome({ results: [{ policy: { type: 'no-policy-found', domain: 'example.org' } }] }))
    await recorder.flush()
    const { report } = composeReport({
      ...{ organization: 'Example', contact: 'tls@example.net', reportId: 'x', period: hour },
      policies: await value(store.policiesOf('example.org', hour)),
    })
    const types = report.policies.map(({ policy }) => policy['policy-type'])
    assert.deepEqual(types.sort(), ['no-policy-found', 'sts', 'tlsa'])
  })

  test('at the end of the process what was recorded since the last batch is written at once', async (t) => {
    const { store, recorder, log } = world(t)
    recorder.record(outcome())
    await recorder.flush() // it is open by now
    recorder.record(outcome())
    recorder.flushNow()
    assert.equal((await value(store.sessionsOf({ period: hour, domain: 'example.org' })))[0]?.count, 2)
    assert.deepEqual(log, [])
  })

  test('what comes after its hour was closed is in the next report, and the log says so', async (t) => {
    const { store, recorder, log } = world(t)
    await value(store.close(hour.end))
    recorder.record(outcome())
    await recorder.flush()
    assert.deepEqual(await value(store.policiesOf('example.org', hour)), [])
    const next = { start: hour.end, end: hour.end + HOUR }
    assert.equal((await value(store.policiesOf('example.org', next))).length, 2)
    assert.match(log.join(), /^notice 2 outcomes were written after their hour was closed/)
  })

  test('outcomes that are folded are said to be', async (t) => {
    const { recorder, log } = world(t)
    for (let index = 0; index < 300; index++) {
      const failure = { type: 'certificate-expired', reason: undefined } as const
      recorder.record(
        outcome({ results: [{ policy: sts, failure }], receivingAddress: `2001:db8::${index.toString(16)}` }),
      )
    }
    await recorder.flush()
    assert.match(log.join(), /notice \d+ outcomes were counted with less detail/)
  })

  test('a session that is not for reports is counted for people', async (t) => {
    const { store, recorder } = world(t)
    recorder.record(outcome({ level: 'clear-text', tlsVersion: undefined, results: [] }))
    await recorder.flush()
    assert.deepEqual(await value(store.policiesOf('example.org', hour)), [])
    assert.deepEqual(await value(store.levels(hour)), [
      { hour: hour.start, level: 'clear-text', tlsVersion: undefined, count: 1 },
    ])
  })
})
