import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Candidate, Target } from '../../dist/enforce/candidates.js'
import { newDelivery } from '../../dist/lib/delivery/index.js'
import { createEventLog } from '../../dist/enforce/event-log.js'
import { createEventMonitor } from '../../dist/enforce/event-monitor.js'
import { createEventRecorder } from '../../dist/enforce/event-outcomes.js'
import type { Guarded } from '../../dist/enforce/guarded.js'
import { runSession } from '../../dist/enforce/session.js'
import type { PluggableSocket } from '../../dist/runtime/haraka.js'
import type { MonitoringRecorder } from '../../dist/runtime/monitoring.js'
import { createEmitter } from '../../dist/runtime/events.js'
import { createTlsOptions } from '../../dist/lib/delivery/index.js'
import type { Answer, Lookup } from '../../dist/lib/dns/index.js'
import type { SessionOutcome } from '../../dist/lib/tlsrpt/counting/index.js'
import { tlsaOf } from '../support/certificates.ts'
import type { Behaviour } from '../internet/behaviour.ts'
import { connectTo, PATIENCE, serve, world } from '../lib/delivery/client.ts'
import { HOST, settings, sts, tlsa, type Changes } from '../lib/policy/question.ts'
import { targetOf } from './target.ts'

interface Run {
  /** "tlsa mx1.example.test success", one for each policy of each session */
  readonly recorded: readonly string[]
  readonly level: SessionOutcome['level'] | undefined
  readonly handedOver: boolean
  /** "verified dane-match TLSv1.3", what is left for people to look at */
  readonly seen: readonly string[]
  readonly refusals: readonly string[]
  /** another try is in line */
  readonly queued: readonly Target[]
  readonly log: readonly string[]
}

const LEVELS = ['logcrit', 'logerror', 'logwarn', 'lognotice', 'loginfo', 'logdebug'] as const

/** Runs a session with a server for a target, with nothing of Haraka around it but its socket. */
async function run(
  t: TestContext,
  behaviour: Partial<Behaviour>,
  target: Target,
  fresh: Readonly<Record<string, Answer>> = {},
): Promise<Run> {
  const server = await serve(t, behaviour)
  const socket = (await connectTo(t, server)) as unknown as PluggableSocket
  const outcomes: SessionOutcome[] = []
  const log: string[] = []
  const seen: string[] = []
  let handedOver = false
  const lookup = ((name: string, type: string) => {
    const failure = { class: 'server-failure', text: 'SERVFAIL' } as const
    return Promise.resolve(fresh[`${name} ${type}`] ?? { status: 'failed', name, failure })
  }) as Lookup
  const loggers = Object.fromEntries(
    LEVELS.map((level) => [level, (text: string) => void log.push(`${level} ${text}`)]),
  )
  const subscribers = [
    createEventLog(),
    createEventRecorder((outcome) => void outcomes.push(outcome)),
    createEventMonitor(() => [], notesInto(seen)),
  ]
  const guard = {
    hmail: { ...loggers, todo: { domain: 'example.test' }, try_deliver: () => undefined },
    isReport: false,
    engine: {
      ...{ outbound: { connect_timeout: PATIENCE / 1000 }, emit: createEmitter(subscribers, () => assert.fail()) },
      knownCerts: { find: () => Promise.resolve(undefined) },
    },
    core: { try_deliver_host_on_socket: () => (handedOver = true) },
    snapshot: { resolver: { lookup }, tlsOptionsFor: createTlsOptions({ mutual: false }, () => world.caPem) },
  } as unknown as Guarded

  const delivery = newDelivery<Candidate>('example.test', [], 0)
  delivery.current = target
  await runSession(guard, delivery, target, socket)
  const results = outcomes.flatMap((outcome) => outcome.results)
  return {
    recorded: results.map(({ policy, failure }) => `${policy.type} ${policy.domain} ${failure?.type ?? 'success'}`),
    level: outcomes[0]?.level,
    handedOver,
    seen,
    refusals: delivery.refusals.map(({ because }) => because.code),
    queued: delivery.queue as Target[],
    log,
  }
}

function notesInto(seen: string[]): MonitoringRecorder {
  const recordConnection: MonitoringRecorder['recordConnection'] = ({
    domain,
    host,
    level,
    reason,
    tlsVersion = 'no TLS',
    text,
  }) => {
    assert.deepEqual([domain, host], ['example.test', HOST])
    assert.match(text, level === 'refused' ? /^refused mx1\.example\.test\[/ : / connection to mx1\.example\.test\[/)
    seen.push(`${level} ${reason} ${tlsVersion}`)
  }
  return { recordConnection } as MonitoringRecorder
}

function target(changes: Changes = {}, mx = {}): Target {
  const base = { tlsTimeout: PATIENCE, caFile: 'private roots' }
  return targetOf({ ...changes, settings: { ...(changes.settings ?? settings()), ...base } }, '127.0.0.1', mx)
}

const selfSigned = { identity: world.identity(HOST, 'self-signed') }
const audit = settings({ audit: true })

/** TLSA evidence of a certificate. */
function matching(which: 'leaf' | 'other') {
  const record = tlsaOf(world.certificate(HOST, which), 3, 1, 1)
  return { ...tlsa('usable'), records: [record], usable: [record] }
}

const answered = {
  name: HOST,
  canonicalName: HOST,
  aliases: [],
  security: 'secure',
  ttl: 1000,
  status: 'found',
} as const
const address: Answer<'A'> = { ...answered, records: ['127.0.0.1'] }
const published = (...which: readonly ('leaf' | 'other')[]): Answer<'TLSA'> => ({
  ...answered,
  records: which.map((one) => tlsaOf(world.certificate(HOST, one), 3, 1, 1)),
})

describe('one connection', () => {
  test('all in order: handed over, one success', async (t) => {
    const result = await run(t, {}, target())
    assert.deepEqual([result.handedOver, result.level], [true, 'verified'])
    assert.deepEqual(result.recorded, ['no-policy-found example.test success'])
    assert.deepEqual(result.seen, ['verified starttls-optional TLSv1.3'])
  })

  test('DANE refuses: recorded, the next host is next', async (t) => {
    const result = await run(t, {}, target({ host: { tlsa: matching('other') } }))
    assert.deepEqual([result.handedOver, result.level], [false, 'refused'])
    assert.deepEqual(result.refusals, ['dane-no-match'])
    assert.deepEqual(result.recorded, ['tlsa mx1.example.test validation-failure'])
    assert.deepEqual(result.seen, ['refused dane-no-match TLSv1.3'])
  })

  test('a roll-over: the records are asked for once more before the host is refused', async (t) => {
    const fresh = { [`${HOST} A`]: address, [`_25._tcp.${HOST} TLSA`]: published('other', 'leaf') }
    const result = await run(t, {}, target({ host: { tlsa: matching('other') } }), fresh)
    assert.equal(result.handedOver, true)
    assert.deepEqual(result.recorded, ['tlsa mx1.example.test success'])
  })

  test('a roll-over to records none of which is usable: refused, and recorded as a failure', async (t) => {
    const unusable: Answer<'TLSA'> = { ...answered, records: [{ ...tlsaOf(world.root, 0, 1, 1) }] }
    const fresh = { [`${HOST} A`]: address, [`_25._tcp.${HOST} TLSA`]: unusable }
    const result = await run(t, {}, target({ host: { tlsa: matching('other') } }), fresh)
    assert.deepEqual(result.refusals, ['dane-no-match'])
    assert.deepEqual(result.recorded, ['tlsa mx1.example.test validation-failure'])
  })

  test("clear-text retry: the handshake's failure is recorded, the retry counts nothing", async (t) => {
    const first = await run(t, { handshake: 'alert' }, target())
    assert.deepEqual(first.recorded, ['no-policy-found example.test validation-failure'])
    const [retry] = first.queued
    assert.equal(retry?.afterFailure?.code, 'handshake-failed')

    const second = await run(t, { handshake: 'alert' }, retry)
    assert.deepEqual([second.handedOver, second.recorded], [true, []])
    assert.deepEqual(
      [...first.seen, ...second.seen],
      ['refused handshake-failed no TLS', 'clear-text starttls-optional no TLS'],
    )
  })

  test('starttls = disable, LMTP, a greeting that refuses: nothing', async (t) => {
    const disabled = target({ settings: settings({ starttls: 'disable' }) })
    assert.deepEqual((await run(t, {}, disabled)).recorded, [])
    assert.deepEqual((await run(t, { lmtp: true }, target({}, { using_lmtp: true }))).recorded, [])
    const refused = await run(t, { greeting: '554 no' }, target())
    assert.deepEqual([refused.recorded, refused.seen, refused.handedOver], [[], [], true])
  })

  test('allow-invalid-certs: a success, told at NOTICE with what was wrong', async (t) => {
    const result = await run(t, selfSigned, target({ settings: settings({ allowInvalidCerts: true }) }))
    assert.deepEqual(result.recorded, ['no-policy-found example.test success'])
    assert.ok(result.log.some((line) => /^lognotice Untrusted .*accepted: allow-invalid-certs/.test(line)))
  })

  test('allow-invalid-certs, and the server hangs up after its EHLO reply: still a success', async (t) => {
    const behaviour = { ...selfSigned, ehloOnTls: { send: '250 mx1\r\n', then: 'close' } } as const
    const result = await run(t, behaviour, target({ settings: settings({ allowInvalidCerts: true }) }))
    assert.deepEqual(result.recorded, ['no-policy-found example.test success'])
  })

  test('audit: a certificate that would have been refused is a failure, once, and goes on', async (t) => {
    const result = await run(t, selfSigned, target({ settings: audit }))
    assert.equal(result.handedOver, true)
    assert.deepEqual(result.recorded, ['no-policy-found example.test certificate-not-trusted'])
  })

  test('audit: a host that would not have been tried is recorded as if it had not been, once', async (t) => {
    for (const [changes, recorded] of [
      [{ settings: settings({ audit: true, dane: 'require' }) }, 'tlsa mx1.example.test dane-required'],
      [{ settings: audit, host: { tlsa: tlsa('bogus') } }, 'tlsa mx1.example.test dnssec-invalid'],
      [{ settings: audit, domain: { sts: sts('enforce', false) } }, 'sts example.test validation-failure'],
    ] as const) {
      const result = await run(t, {}, target(changes))
      assert.deepEqual([result.handedOver, result.recorded], [true, [recorded]])
    }
  })
})
