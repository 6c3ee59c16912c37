/**
 * What deliveries leave for people to look at, as it is in the store: with two workers, over a restart, and without TLS reports of ours.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { METERS, type MeterName, type MonitorStore } from '../../dist/lib/monitor/index.js'
import type { OutcomeStore } from '../../dist/lib/tlsrpt/counting/index.js'
import { machineName } from '../../dist/runtime/monitoring.js'
import { markTlsReport, newNotes } from '../../dist/lib/requiretls/index.js'
import { sharedInternet } from '../internet/index.ts'
import { done } from '../lib/monitor/facts.ts'
import { openMonitor, openOutcomes } from '../support/modules.ts'
import { assertDeferred, assertLogged, fateIn, sendTo, tryAgain } from './telling.ts'

describe('what deliveries leave for people to look at', () => {
  const net = sharedInternet({
    settings: { main: { requiretls: true } },
    haraka: { nodes: 2, tls: true, plugins: ['marking', 'outbound-tls'] },
  })
  let store: MonitorStore
  let outcomes: OutcomeStore
  before(async () => {
    const path = join(net.haraka.folder, 'outbound-tls.db')
    store = openMonitor({ path, create: false })
    outcomes = openOutcomes({ path, create: false })
    await untilSeen(() => Promise.resolve(existsSync(path) || undefined)) // the resolver's self-test is the first in it
  })
  after(() => {
    store.end()
    outcomes.end()
  })

  /** Waits until the store, which is a second behind, has something. */
  const untilSeen = async <Value>(look: () => Promise<Value | undefined>): Promise<Value> => {
    for (let patience = 200; patience > 0; patience--) {
      const seen = await look()
      if (seen !== undefined) return seen
      await sleep(50)
    }
    throw new Error('nothing of that kind is in the store')
  }
  const amounts = async (meter: MeterName): Promise<Record<string, number>> => {
    const all = await done(store.amounts(machineName))
    const ours = all.filter(({ meter: name }) => name === METERS[meter].name)
    return Object.fromEntries(ours.map(({ labels, value }) => [labels, value]))
  }
  const untilCounted = (meter: MeterName, labels: object, value: number): Promise<number> =>
    untilSeen(async () => {
      const count = (await amounts(meter))[JSON.stringify(labels)]
      return count === value ? count : undefined
    })
  const untilWaiting = (domain: string, messages: number) =>
    untilSeen(async () => {
      const waiting = await done(store.waitingFor(domain, Date.now(), 10))
      return waiting.length === messages ? waiting : undefined
    })

  test('both workers test the resolver: one machine, and what it says', async () => {
    await untilCounted('resolverTests', { result: 'passed' }, 2)
    const [resolver, ...others] = await done(store.resolvers())
    assert.deepEqual([resolver?.machine, resolver?.validates, resolver?.secureAnswers], [machineName, true, true])
    assert.deepEqual(
      resolver?.servers.map(({ server }) => server),
      [net.dns.endpoint],
    )
    assert.equal(others.length, 0)
  })

  test('connections by level and reason, whichever worker made them', async () => {
    net.domain('dane.test', { signed: true })
    net.server('mx1.dane.test', { tlsa: '3 1 1' })
    net.domain('clear.test')
    net.server('mx1.clear.test', { offersTls: false })
    for (let message = 0; message < 4; message++) await sendTo(net, 'dane.test')
    await sendTo(net, 'clear.test')

    await untilCounted('connections', { level: 'verified', reason: 'dane-match' }, 4)
    await untilCounted('connections', { level: 'clear-text', reason: 'starttls-optional' }, 1)
    const known = await untilSeen(() => done(store.destination('dane.test')))
    assert.equal(known.state, 'fine')
    assert.match(known.delivered?.text ?? '', /^Verified TLS connection to mx1\.dane\.test\[[\d.]+\]:\d+: TLSv1\.3/)
    const hours = await done(outcomes.levels({ start: 0, end: Infinity }))
    const verified = hours.filter(({ level, tlsVersion }) => level === 'verified' && tlsVersion === 'TLSv1.3')
    assert.equal(
      verified.reduce((sum, { count }) => sum + count, 0),
      4,
    )
    await untilCounted('policyResults', { policy: 'tlsa', result: 'success' }, 4)
    await untilCounted('policyResults', { policy: 'no-policy-found', result: 'starttls-not-supported' }, 1)
    await untilCounted('tlsVersions', { version: 'TLSv1.3' }, 4)
  })

  test('messages that say themselves what they want of TLS, and how those that cannot have it end', async () => {
    net.domain('none.test', { signed: true })
    net.domain('wrong.test', { signed: true })
    net.server('mx1.wrong.test', { certificate: 'foreign' })
    const requiring = { tls: true, parameters: ['REQUIRETLS'] }
    assert.equal((await sendTo(net, 'none.test', requiring)).recipient.status, '5.7.30')
    assert.equal((await sendTo(net, 'wrong.test', requiring)).recipient.status, '5.7.10')
    await sendTo(net, 'wrong.test', { headers: { 'TLS-Required': 'No' } })

    await untilCounted('requests', { request: 'requiretls' }, 4) // the bounces, too
    await untilCounted('requests', { request: 'tls-required-no' }, 1)
    await untilCounted('deferrals', { status: '5.7.30' }, 1)
    await untilCounted('deferrals', { status: '5.7.10' }, 1)
    await untilCounted('connections', { level: 'refused', reason: 'requiretls-not-offered' }, 1)
    assert.match(net.haraka.log.tail(), /: REQUIRETLS goes with the message$/m)
    assert.match(net.haraka.log.tail(), /: TLS-Required: No goes with the message$/m)
    assert.equal((await done(store.destination('none.test')))?.state, 'failing')
  })

  test('what was asked of name servers and policy hosts, and how long it took', async () => {
    net.domain('sts.test', { sts: {} })
    await sendTo(net, 'sts.test')
    await untilCounted('stsPolicies', { source: 'fetched' }, 1)
    const fetches = await untilSeen(async () => {
      const all = Object.entries(await amounts('stsFetches'))
      return all.length > 0 ? all : undefined
    })
    const counted = fetches.filter(([labels]) => !labels.includes('"le":"sum"'))
    assert.deepEqual(
      counted.map(([labels, value]) => [(JSON.parse(labels) as { result: string }).result, value]),
      [['fetched', 1]],
    )
    const types = Object.keys(await amounts('dnsQueries')).map(
      (labels) => (JSON.parse(labels) as { type: string }).type,
    )
    assert.deepEqual([...new Set(types)].toSorted(), ['A', 'AAAA', 'MX', 'SOA', 'TLSA', 'TXT'])
  })

  test('a host that is refused, and the next one that is not', async () => {
    net.domain('second.test', { mx: ['mx1', 'mx2'], signed: true })
    net.server('mx1.second.test', { tlsa: '3 1 1 of other' })
    net.server('mx2.second.test', { tlsa: '3 1 1' })
    await sendTo(net, 'second.test')
    const known = await untilSeen(async () => {
      const seen = await done(store.destination('second.test'))
      return seen?.hosts.length === 2 ? seen : undefined
    })
    assert.equal(known.state, 'recovered')
    assert.deepEqual(
      [known.refused?.host, known.refused?.reason, known.refused?.tlsVersion],
      ['mx1.second.test', 'dane-no-match', 'TLSv1.3'],
    )
    assert.match(known.refused?.text ?? '', /^refused mx1\.second\.test\[.*for second\.test: DANE: .*Next host\.$/)
  })

  test('a domain whose hosts cannot be known', async () => {
    net.domain('bogus.test', { dns: { security: 'bogus' } })
    assertDeferred(await sendTo(net, 'bogus.test'), '4.4.3')
    const { refused, state } = await untilSeen(() => done(store.destination('bogus.test')))
    assert.deepEqual([state, refused?.host, refused?.reason], ['failing', undefined, 'mx-lookup-failed'])
  })

  test('TLS reports of ours are not among it (R22)', async () => {
    net.domain('reported.test', { signed: true })
    net.server('mx1.reported.test', { tlsa: '3 1 1 of other' })
    const notes = newNotes()
    markTlsReport(notes, { domain: 'reported.test', start: 0, rua: 'mailto:tls@reported.test' })
    const { fate } = await sendTo(net, 'reported.test', { headers: { 'X-Notes': JSON.stringify(notes) } })
    assert.equal(fate, 'delivered')
    net.domain('after.test')
    for (let message = 0; message < 2; message++) await sendTo(net, 'after.test') // one of each worker
    await untilSeen(() => done(store.destination('after.test')))
    await sleep(1100) // what both workers have is written once a second
    assert.equal(await done(store.destination('reported.test')), undefined)
  })

  test('a message waits from its first deferral on, over a restart, until it is delivered by whichever worker', async () => {
    net.domain('waits.test', { signed: true })
    net.server('mx1.waits.test', { tlsa: '3 1 1 of other' })
    const first = await sendTo(net, 'waits.test')
    assertDeferred(first, '4.7.5')
    await net.haraka.restart('SIGINT')
    const [message] = await done(store.waitingFor('waits.test', Date.now(), 10))
    assert.deepEqual([message?.status, message?.reasons], ['4.7.5', ['dane-no-match']])
    assert.ok((message?.nextAt ?? 0) > Date.now() + 3_000_000)
    assert.equal((await amounts('deferrals'))[JSON.stringify({ status: '4.7.5' })], 1)

    await net.haraka.flush()
    const second = fateIn(await net.haraka.settled({ uuid: first.outcome.uuid, to: ['one@waits.test'] }))
    assertDeferred(second, '4.7.5')
    await untilCounted('deferrals', { status: '4.7.5' }, 2)
    const [again] = await untilWaiting('waits.test', 1)
    assert.deepEqual([again?.id, again?.since], [message?.id, message?.since])

    net.server('mx1.waits.test', { tlsa: '3 1 1' })
    assert.equal((await tryAgain(net, second)).fate, 'delivered')
    await untilWaiting('waits.test', 0)
    assert.equal((await done(store.destination('waits.test')))?.state, 'recovered')
  })

  test('a message that is deferred for another reason, or bounces, does not wait for the sake of TLS any more', async () => {
    net.domain('ends.test', { signed: true })
    net.server('mx1.ends.test', { tlsa: '3 1 1 of other' })
    const first = await sendTo(net, 'ends.test')
    const other = await sendTo(net, 'ends.test')
    await untilWaiting('ends.test', 2)

    net.server('mx1.ends.test', { tlsa: '3 1 1', rcpt: { 'one@ends.test': '451 4.2.0 later' } })
    assert.equal((await tryAgain(net, first)).fate, 'deferred')
    await untilWaiting('ends.test', 1)

    net.server('mx1.ends.test', { tlsa: '3 1 1', rcpt: { 'one@ends.test': '550 5.1.1 never' } })
    assert.equal((await tryAgain(net, other)).fate, 'bounced')
    await untilWaiting('ends.test', 0)
  })

  test('a host that was Verified or Trusted for a week, and is not any more, is told of, counted and marked', async () => {
    net.domain('better.test')
    const server = net.server('mx1.better.test')
    assert.equal((await sendTo(net, 'better.test')).fate, 'delivered')
    const file = new DatabaseSync(join(net.haraka.folder, 'outbound-tls.db'), { timeout: 5000 })
    const age = file.prepare('UPDATE monitor_good SET good_since = good_since - ? WHERE host = ?')
    await untilSeen(() => Promise.resolve(age.run(8 * 86_400_000, server.name).changes === 1 || undefined))
    file.close()
    server.behave({ identity: net.certificates.identity(server.name, 'self-signed') })
    for (let messages = 0; messages < 2; messages++)
      assertDeferred(await sendTo(net, 'better.test'), '4.7.5', /does not validate/)
    await untilCounted('downgrades', {}, 1)
    await assertLogged(
      net,
      '[WARN]',
      'mx1.better.test for better.test was Verified or Trusted from 2',
      'and is not any more',
    )
    const seen = await untilSeen(() => done(store.destination('better.test')))
    assert.ok(seen.refused?.goodUntil !== undefined)
  })
})
