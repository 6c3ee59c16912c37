import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createTlsOptions,
  dial,
  followCourse,
  probeTarget,
  type ProbeTerms,
  type Session,
  type Skipped,
  type Target,
} from '../../../dist/lib/delivery/index.js'
import type { Reason } from '../../../dist/lib/policy/index.js'
import { targetOf } from '../../enforce/target.ts'
import { endlessReply, hangUp, silence } from '../../internet/index.ts'
import type { MailServer } from '../../internet/mail-server.ts'
import { settings, type Changes } from '../policy/question.ts'
import { PATIENCE, serve, world } from './client.ts'

const terms = (changes: Partial<ProbeTerms> = {}): ProbeTerms => ({
  lookup: () => assert.fail('nothing is to be looked up'),
  tlsOptionsFor: createTlsOptions({ mutual: false }, () => world.caPem),
  findKnown: () => Promise.resolve(undefined),
  helo: 'sender.test',
  timeout: PATIENCE,
  isLocal: () => false,
  dial,
  ...changes,
})

const trusting = settings({ caFile: 'private roots', tlsTimeout: PATIENCE })

function at(server: MailServer, changes: Changes = {}): Target {
  const target = targetOf({ settings: trusting, ...changes }, server.address)
  return { ...target, host: { ...target.host, port: server.port } }
}

const opened = ({ met }: Session) => (met.status === 'opened' ? met : assert.fail('no connection'))

describe('a probe', () => {
  test('says EHLO, STARTTLS, EHLO and QUIT, and nothing else', async (t) => {
    const server = await serve(t)
    const { opening, exchanges } = opened(await probeTarget(terms(), at(server)))
    assert.equal(opening.status, 'open')
    assert.deepEqual(server.commands, ['EHLO', 'STARTTLS', 'EHLO', 'QUIT'])
    assert.deepEqual(
      exchanges.map(({ command, tls }) => [command, tls]),
      [
        [undefined, false],
        ['EHLO sender.test', false],
        ['STARTTLS', false],
        ['EHLO sender.test', true],
        ['QUIT', true],
      ],
    )
    assert.match(exchanges[0]?.reply ?? '', /^220 /)
    assert.match(exchanges[3]?.reply ?? '', /^250[ -]/)
    assert.equal(await server.quiet(PATIENCE), true)
  })

  test('says QUIT where STARTTLS is not offered', async (t) => {
    const server = await serve(t, { offersTls: false })
    const { opening } = opened(await probeTarget(terms(), at(server)))
    assert.deepEqual([opening.starttls.status, server.commands], ['not-offered', ['EHLO', 'QUIT']])
  })

  test('says nothing more to a server that its verdict refuses, but QUIT', async (t) => {
    const server = await serve(t, { identity: world.identity('mx1.example.test', 'expired') })
    const { opening } = opened(await probeTarget(terms(), at(server)))
    assert.deepEqual([opening.status, server.commands], ['refused', ['EHLO', 'STARTTLS', 'QUIT']])
  })

  for (const [what, behaviour] of [
    ['hangs up at once', { greeting: hangUp }],
    ['never comes to an end', { ehlo: endlessReply }],
    ['breaks the handshake', { handshake: 'garbage' }],
    ['does not answer QUIT', { quit: silence }],
  ] as const)
    test(`leaves a server that ${what}`, async (t) => {
      const server = await serve(t, behaviour)
      const { exchanges } = opened(await probeTarget(terms(), at(server)))
      assert.equal(await server.quiet(PATIENCE), true)
      for (const { reply } of exchanges) assert.ok(reply.length <= 8192)
    })

  test('of an address where nobody listens says so', async (t) => {
    const server = await serve(t)
    await server.stop()
    const { met } = await probeTarget(terms(), at(server))
    assert.ok(met.status === 'unreachable')
    assert.equal(met.because.code, 'connection-failed')
    assert.match(met.detail, /ECONNREFUSED/)
  })

  test('of an address that does not answer in time says so', async () => {
    const late = () => Promise.reject(new Error('no answer within 30 s'))
    const { met } = await probeTarget(terms({ dial: late }), targetOf())
    assert.ok(met.status === 'unreachable')
    assert.equal(met.detail, 'no answer within 30 s')
  })

  test('does not connect to this very machine', async () => {
    const isLocal = (address: string) => address === '192.0.2.1'
    const { met } = await probeTarget(terms({ isLocal, dial: () => assert.fail('connected') }), targetOf())
    assert.ok(met.status === 'unreachable')
    assert.equal(met.because.status, '4.4.6')
  })
})

describe('the way of a delivery', () => {
  const reason = (changes: Partial<Reason> = {}): Reason => ({
    ...{ code: 'handshake-failed', concern: 'tls', text: 'it failed', source: 'RFC 3207 4', status: '4.7.5' },
    ...changes,
  })
  const lost = reason({ code: 'connection-failed', concern: 'connection', status: '4.4.1' })
  type Met = Session['met']
  const unreachable: Met = { status: 'unreachable', because: lost, detail: '' }
  const open: Met = {
    status: 'opened',
    exchanges: [],
    opening: { status: 'open', starttls: { status: 'not-tried' }, replies: [], passedOver: undefined },
  }
  const refused = (because = reason(), handshakeFailed = false, code?: number): Met => ({
    status: 'opened',
    exchanges: [],
    opening: {
      ...{ status: 'refused', starttls: { status: 'not-tried' }, because, handshakeFailed },
      replies: code === undefined ? [] : [{ code, lines: [`${code} no\r\n`] }],
    },
  })
  const one = targetOf()
  const other = { ...one, address: '192.0.2.2' }
  const second = targetOf({}, '192.0.2.3')

  /** Follows the course where each address is met like this; what was tried, and where it ended. */
  const follow = async (candidates: (Target | Skipped)[], met: (target: Target) => Met) => {
    const tried: string[] = []
    const end = await followCourse('example.test', candidates, (target) => {
      tried.push(`${target.address}${target.afterFailure === undefined ? '' : ' in clear'}`)
      return Promise.resolve({ target, verdict: target.verdict, met: met(target) })
    })
    return [tried, end] as const
  }

  test('leads to the next address where nobody answers', async () => {
    const [tried, end] = await follow([one, other], ({ address }) => (address === '192.0.2.1' ? unreachable : open))
    assert.deepEqual([tried, end.status], [['192.0.2.1', '192.0.2.2'], 'delivered'])
  })

  test('leads to the next address, then to the next host, where a policy refuses', async () => {
    const met = ({ address }: Target) => (address === '192.0.2.3' ? open : refused())
    const [tried, end] = await follow([one, other, second], met)
    assert.deepEqual([tried, end.status], [['192.0.2.1', '192.0.2.2', '192.0.2.3'], 'delivered'])
  })

  test('leads once more to the same address, in clear text, where the verdict says so', async () => {
    const met = ({ afterFailure }: Target) => (afterFailure === undefined ? refused(reason(), true) : open)
    assert.equal(one.verdict.clearTextAfterFailure, true)
    const [tried] = await follow([one, other], met)
    assert.deepEqual(tried, ['192.0.2.1', '192.0.2.1 in clear'])
  })

  test('passes by hosts with a verdict against them', async () => {
    const skipped = { host: one.host, domain: one.domain, because: reason() }
    const [tried, end] = await follow([skipped, second], () => open)
    assert.deepEqual([tried, end.status], [['192.0.2.3'], 'delivered'])
  })

  test('ends with the last word of a server where no policy is involved', async () => {
    const smtp = reason({ concern: 'smtp', code: 'greeting-refused' })
    const [, end] = await follow([one], () => refused(smtp, false, 554))
    assert.ok(end.status === 'refused-by-server')
    assert.equal(end.reply.code, 554)
  })

  test('ends in the deferral that sums all of it up', async () => {
    const [, end] = await follow([one, second], () => refused())
    assert.ok(end.status === 'deferred')
    assert.deepEqual([end.deferral.status, end.refusals.length], ['4.7.5', 2])
  })
})
