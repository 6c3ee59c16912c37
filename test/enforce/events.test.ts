import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEventLog } from '../../dist/enforce/event-log.js'
import { createEventMonitor } from '../../dist/enforce/event-monitor.js'
import { createEventRecorder } from '../../dist/enforce/event-outcomes.js'
import type { HMailItem } from '../../dist/runtime/haraka.js'
import { deferralOf, type Opening } from '../../dist/lib/delivery/index.js'
import type { Reason } from '../../dist/lib/policy/index.js'
import type { MonitoringRecorder } from '../../dist/runtime/monitoring.js'
import { createEmitter, type DeliveryEvent, type DeliveredMessage } from '../../dist/runtime/events.js'
import { settings } from '../lib/policy/question.ts'
import { planned, targetOf } from './target.ts'

/** What the subscribers get of an event. */
interface Told {
  readonly log: string[]
  readonly monitor: string[]
  readonly outcomes: string[]
}

function tell(makeEvent: (message: DeliveredMessage) => DeliveryEvent, isReport = false): Told {
  const told: Told = { log: [], monitor: [], outcomes: [] }
  const logs = Object.fromEntries(
    ['logcrit', 'logerror', 'logwarn', 'lognotice', 'loginfo'].map((level) => [
      level,
      (text: string) => void told.log.push(`${level} ${text.split('\n')[0] ?? ''}`),
    ]),
  )
  const notes = {
    recordConnection: ({ domain, host, level, reason, tlsVersion, text }) =>
      told.monitor.push([domain, host ?? 'all', level, reason, tlsVersion ?? 'no TLS', text].join(' | ')),
    count: (meter, labels) => told.monitor.push(`${meter} ${JSON.stringify(labels)}`),
    addDeferred: ({ id, status }) => told.monitor.push(`waits ${id} ${status}`),
    removeDeferred: (id) => told.monitor.push(`waits no more ${id}`),
  } as Pick<MonitoringRecorder, 'recordConnection' | 'count' | 'addDeferred' | 'removeDeferred'> as MonitoringRecorder
  const emit = createEmitter(
    [
      createEventLog(),
      createEventRecorder(({ level, results }) => {
        for (const { policy, failure } of results)
          told.outcomes.push(`${level} ${policy.type} ${policy.domain} ${failure?.type ?? 'success'}`)
      }),
      createEventMonitor(() => [60], notes),
    ],
    () => assert.fail(),
  )
  const todo = { domain: 'example.test' }
  const hmail = { ...logs, todo, filename: '1_2_0_4_Ab_1_mail1', num_failures: 0 } as unknown as HMailItem
  emit(makeEvent({ hmail, isReport }))
  return told
}

const target = targetOf()
const { verdict } = target
const { host, question } = planned()
const { domain } = question
const session = { target, verdict }
const PLACE = 'mx1.example.test[192.0.2.1]:25'

function reason(code: Reason['code'], status: Reason['status'] = '4.7.5'): Reason {
  return { code, concern: 'tls', text: `text of ${code}`, source: 'RFC 1', status }
}

const clear: Opening = { status: 'open', starttls: { status: 'not-offered' }, replies: [], passedOver: undefined }
const failed = { status: 'failed', text: 'alert' } as const

function done(pkix: object): Opening {
  const peer = { protocol: 'TLSv1.3', cipher: 'AES' }
  const judgement = { level: 'Untrusted', proof: undefined, pkix, dane: undefined, refusal: undefined }
  return { status: 'open', starttls: { status: 'done', peer, judgement }, replies: [], passedOver: undefined } as never
}

function refusedWith(because: Reason): Extract<Opening, { status: 'refused' }> {
  return { status: 'refused', starttls: failed, because, handshakeFailed: true, replies: [] }
}

function deferral(because: Reason) {
  return deferralOf('example.test', [{ host: 'mx1', because }])
}

const refusal = `refused ${PLACE} for example.test: text of handshake-failed. RFC 1.`
const invalid = { status: 'invalid', why: 'certificate-not-trusted', text: 'self-signed' }
const lenient = { ...verdict, leniency: 'allow-invalid-certs' } as const
const expired = { type: 'sts-webpki-invalid', text: 'expired', id: '1' } as const
const noPolicy = { status: 'unavailable', source: undefined, fetchFailure: expired }
const network = { isLmtp: false, localAddress: '192.0.2.9', remoteAddress: '192.0.2.1' }

type Case = readonly [string, (message: DeliveredMessage) => DeliveryEvent, Partial<Told>]

const BACKGROUND = 'a fetch that failed in the background'

const cases: readonly Case[] = [
  [
    'a policy that was looked up and could not be fetched',
    (message) =>
      ({
        type: 'sts-policy-looked-up',
        message,
        domain: 'example.test',
        evidence: noPolicy,
      }) as unknown as DeliveryEvent,
    {
      log: ['logwarn MTA-STS: the policy that example.test announces (id 1) cannot be used: expired. RFC 8461 3.3.'],
      monitor: ['stsPolicies {"source":"unavailable"}'],
      outcomes: ['policy-fetch sts example.test sts-webpki-invalid'],
    },
  ],
  [
    BACKGROUND,
    () => ({ type: 'sts-fetch-failed', domain: 'example.test', failure: expired }),
    { outcomes: ['policy-fetch sts example.test sts-webpki-invalid'] },
  ],
  [
    'a domain that is refused since its MX lookup is bogus',
    (message) => ({
      ...{ type: 'domain-refused', message, domain: 'xn--a.test', bogus: true },
      because: reason('mx-lookup-failed'),
    }),
    {
      log: ['logwarn refused all hosts for example.test: text of mx-lookup-failed. RFC 1. Deferred.'],
      monitor: [
        'xn--a.test | all | refused | mx-lookup-failed | no TLS | refused all hosts for example.test: text of mx-lookup-failed. RFC 1. Deferred.',
      ],
      outcomes: ['refused tlsa xn--a.test dnssec-invalid'],
    },
  ],
  [
    'a host of another plugin that cannot be used',
    (message) => ({ type: 'route-refused', message, because: reason('connection-failed') }),
    {
      log: [
        'logerror refused a host that another plugin named for example.test: text of connection-failed. RFC 1. Not tried.',
      ],
    },
  ],
  [
    'a host that is skipped',
    (message) => ({ type: 'host-skipped', message, host, domain, because: reason('dane-required'), next: 'next-host' }),
    {
      log: ['logwarn refused mx1.example.test for example.test: text of dane-required. RFC 1. Next host.'],
      monitor: [
        'example.test | mx1.example.test | refused | dane-required | no TLS | refused mx1.example.test for example.test: text of dane-required. RFC 1. Next host.',
      ],
      outcomes: ['refused tlsa mx1.example.test dane-required'],
    },
  ],
  [
    'a host that is skipped for nothing that has to do with TLS',
    (message) => ({ type: 'host-skipped', message, host, domain, because: reason('no-address'), next: 'nowhere' }),
    { log: ['logwarn refused mx1.example.test for example.test: text of no-address. RFC 1. No host is left.'] },
  ],
  [
    'an address of this machine',
    (message) => ({ type: 'address-refused', message, target, because: reason('local-address'), next: 'next-address' }),
    { log: ['loginfo refused mx1.example.test for example.test: text of local-address. RFC 1. Next address.'] },
  ],
  ['a warning', (message) => ({ type: 'warned', message, text: 'beware' }), { log: ['logwarn beware'] }],
  [
    'a host that is tried under an audit',
    (message) => ({ type: 'refusal-waived', message, ...session, because: reason('dane-required'), next: 'next-host' }),
    {
      log: [`logwarn refused ${PLACE} for example.test: text of dane-required. RFC 1. Audit: tried all the same.`],
    },
  ],
  [
    'a negotiation',
    (message) => ({ type: 'negotiated', message, ...session, ...network, opening: clear }),
    { outcomes: ['clear-text no-policy-found example.test starttls-not-supported'] },
  ],
  [
    'a negotiation by LMTP',
    (message) => ({ type: 'negotiated', message, ...session, ...network, isLmtp: true, opening: clear }),
    {},
  ],
  [
    'a session in clear text',
    (message) => ({ type: 'opened', message, ...session, opening: clear, isReplyForCore: false }),
    {
      log: [`loginfo Clear-text connection to ${PLACE}: STARTTLS is not offered; ${verdict.because.text}`],
      monitor: [
        `example.test | mx1.example.test | clear-text | ${verdict.because.code} | no TLS | Clear-text connection to ${PLACE}: STARTTLS is not offered; ${verdict.because.text}`,
      ],
    },
  ],
  [
    'a refusal that core deals with',
    (message) => ({ type: 'opened', message, ...session, opening: clear, isReplyForCore: true }),
    { log: [`loginfo Clear-text connection to ${PLACE}: STARTTLS is not offered; ${verdict.because.text}`] },
  ],
  [
    'a session that an audit let pass',
    (message) => {
      const opening = { ...clear, passedOver: reason('starttls-not-offered') }
      return { type: 'opened', message, ...session, opening, isReplyForCore: true }
    },
    {
      log: [
        `lognotice Clear-text connection to ${PLACE}: STARTTLS is not offered; ${verdict.because.text}; audit: would have been refused: text of starttls-not-offered. RFC 1`,
      ],
    },
  ],
  [
    'a certificate that is not valid, and passes by a setting',
    (message) => {
      const opening = done(invalid)
      return { type: 'opened', message, target, verdict: lenient, opening, isReplyForCore: true } as DeliveryEvent
    },
    {
      log: [
        `lognotice Untrusted TLS connection to ${PLACE}: TLSv1.3 with cipher AES, certificate not valid (self-signed) but accepted: allow-invalid-certs (${verdict.because.source})`,
      ],
    },
  ],
  [
    'a session that is refused',
    (message) => {
      const opening = refusedWith(reason('handshake-failed'))
      return { type: 'refused', message, target, opening, next: 'next-host' }
    },
    {
      log: [`logwarn ${refusal} Next host.`],
      monitor: [`example.test | mx1.example.test | refused | handshake-failed | no TLS | ${refusal} Next host.`],
    },
  ],
  [
    'a session that is tried in clear text next',
    (message) => {
      const opening = refusedWith(reason('handshake-failed'))
      return { type: 'refused', message, target, opening, next: 'in-clear' }
    },
    {
      log: [`logwarn ${refusal} Once more, in clear text.`],
      monitor: [
        `example.test | mx1.example.test | refused | handshake-failed | no TLS | ${refusal} Once more, in clear text.`,
      ],
    },
  ],
  [
    'another try by a new policy',
    (message) => ({ type: 'tried-once-more', message, why: 'new-sts-policy' }),
    { log: ['lognotice example.test has a new MTA-STS policy: one more try at once'] },
  ],
  [
    'another try without REQUIRETLS',
    (message) => ({ type: 'tried-once-more', message, why: 'requiretls-waived' }),
    {
      log: [
        'lognotice example.test: no host can promise REQUIRETLS, and a bounce is not lost for that: one more try without',
      ],
    },
  ],
  [
    'a message that waits',
    (message) => ({
      type: 'not-delivered',
      message,
      deferral: deferral({ ...reason('dane-no-match'), concern: 'dane' }),
    }),
    {
      log: [
        'logwarn example.test deferred, 4.7.5: no host of example.test satisfied its policy: mx1 (text of dane-no-match. RFC 1)',
      ],
      monitor: ['deferrals {"status":"4.7.5"}', 'waits 1_Ab 4.7.5'],
    },
  ],
  [
    'a message that bounces for good',
    (message) => ({ type: 'not-delivered', message, deferral: deferral(reason('requiretls-not-offered', '5.7.30')) }),
    {
      log: [
        'logwarn example.test refused, 5.7.30: the message requires TLS (REQUIRETLS), which no host of example.test can promise: mx1 (text of requiretls-not-offered. RFC 1)',
      ],
      monitor: ['deferrals {"status":"5.7.30"}'],
    },
  ],
  [
    'the end of a message that has waited',
    ({ hmail, isReport }) => ({ type: 'ended', message: { hmail: { ...hmail, num_failures: 1 }, isReport } }),
    { monitor: ['waits no more 1_Ab'] },
  ],
  ['the end of a message that has not', (message) => ({ type: 'ended', message }), {}],
  [
    'an error within this server',
    (message) => ({ type: 'failed', message, error: new TypeError('x is not') }),
    { log: ['logcrit delivery to example.test failed: TypeError: x is not'] },
  ],
  [
    'a message that core cannot defer',
    (message) => ({ type: 'stuck', message, error: 'no envelope' }),
    { log: ["logcrit 1_2_0_4_Ab_1_mail1 stays in the queue until Haraka is started again: 'no envelope'"] },
  ],
]

describe('what log, monitor and outcomes get of', () => {
  for (const [what, event, told] of cases)
    test(what, () => assert.deepEqual(tell(event), { log: [], monitor: [], outcomes: [], ...told }))

  for (const [what, event, { log = [] }] of cases.filter(([name]) => name !== BACKGROUND))
    test(`R22: ${what}, for a TLS report of ours: the log line alone`, () =>
      assert.deepEqual(tell(event, true), { log, monitor: [], outcomes: [] }))
})

test('what is said of an audit names what a message asks for', () => {
  const audited = targetOf({ settings: settings({ audit: true }) })
  const waived = { ...audited.verdict, request: 'tls-required-no' } as const
  const { log } = tell((message) => ({
    ...{ type: 'refusal-waived', message, target: audited, verdict: waived, because: reason('dane-required') },
  }))
  assert.match(log.join(), /TLS-Required: No: tried all the same\.$/)
})
