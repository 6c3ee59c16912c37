import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { createSqliteMonitor } from '../../dist/lib/monitor/index.js'
import { machineName } from '../../dist/runtime/monitoring.js'
import { sharedInternet } from '../internet/index.ts'
import { domainNames } from './far-end.ts'
import { startReceiver, type Receiver } from './report-receiver.ts'
import {
  asReport,
  createTime,
  FROM,
  HOUR,
  ledgerOf,
  MINUTE,
  nextReport,
  reporting,
  sessionWith,
  valueOf,
  type ReportEntry,
} from './reporting.ts'

const is =
  (state: ReportEntry['state']) =>
  ([entry]: readonly ReportEntry[]): boolean =>
    entry?.state === state

describe('a TLS report', () => {
  const net = sharedInternet({ haraka: reporting() })
  const time = createTime(() => net.haraka)
  const newDomain = domainNames('told')
  let receiver: Receiver

  before(async () => {
    const host = 'receiver.test'
    receiver = await startReceiver(net.certificates.identity(host, 'leaf'))
    net.dns.declare(host, { A: ['127.0.0.1'] })
    net.domain('reporter.test') // where bounces would come
    await time.moveTo(time.hour)
  })
  after(() => receiver.stop())

  /** One session with a domain that wants its reports at these addresses, in an hour that is over then. */
  const report = async (rua: string): Promise<string> => {
    const domain = newDomain()
    net.domain(domain, { tlsrpt: rua })
    await sessionWith(net, domain, time)
    await time.endPeriod(time.hour + HOUR)
    return domain
  }
  const endpoint = (path: string): string => `https://receiver.test:${receiver.port}/${path}`
  const posted = (path: string) => receiver.posted.filter((one) => one.path === `/${path}`)

  test('R18, R19, R21: arrives by mail, signed with all keys, and is accepted when the server has taken it', async () => {
    net.domain('rua.test')
    const domain = await report('mailto:tls@rua.test')
    const mail = await nextReport(net.server('mx1.rua.test'))
    assert.equal(mail.from, FROM)
    assert.equal(mail.header['tls-report-domain'], domain)
    assert.equal(mail.header['tls-report-submitter'], 'reporter.test')
    assert.equal(mail.report['organization-name'], 'The Reporters of the Private Internet')
    const [entry] = await ledgerOf(net.haraka, domain, is('sent'))
    assert.equal(entry?.reportId, mail.report['report-id'])
    assert.match(entry.destinations[0]?.note ?? '', /^mx1\.rua\.test\[.*accepted/)
  })

  test('is counted: its attempts, and its end', async () => {
    const store = createSqliteMonitor({ path: join(net.haraka.folder, 'outbound-tls-status.db'), log: () => undefined })
    const counted = async (): Promise<string[]> =>
      valueOf(await store.amounts(machineName))
        .filter(({ meter }) => meter.startsWith('outbound_tls_report'))
        .map(({ meter, labels, value }) => `${meter} ${labels} ${value}`)
        .sort()
    for (let patience = 200; patience > 0 && (await counted()).length < 3; patience--) await sleep(20)
    assert.deepEqual(await counted(), [
      'outbound_tls_report_attempts_total {"scheme":"mailto","result":"accepted"} 1',
      'outbound_tls_report_attempts_total {"scheme":"mailto","result":"queued"} 1',
      'outbound_tls_reports_total {"state":"sent"} 1',
    ])
    store.end()
  })

  test('R23: is posted to an https endpoint, compressed', async () => {
    const domain = await report(endpoint('one'))
    await ledgerOf(net.haraka, domain, is('sent'))
    const [first, ...more] = posted('one')
    assert.ok(first !== undefined && more.length === 0)
    assert.equal(first.method, 'POST')
    assert.equal(first.contentType, 'application/tlsrpt+gzip')
    assert.equal(asReport(JSON.parse(gunzipSync(first.body).toString())).policies.length, 1)
  })

  test('R6: goes to each of several, the same bytes under the same id', async () => {
    net.domain('rua1.test')
    net.domain('rua2.test')
    const domain = await report(`mailto:a@rua1.test,mailto:b@rua2.test,${endpoint('several')}`)
    const mails = [await nextReport(net.server('mx1.rua1.test')), await nextReport(net.server('mx1.rua2.test'))]
    const [entry] = await ledgerOf(
      net.haraka,
      domain,
      ([first]) => first?.destinations.every(({ state }) => state === 'accepted') === true,
    )
    assert.equal(entry?.state, 'sent')
    for (const { file } of mails) assert.deepEqual(file, posted('several')[0]?.body)
  })

  test('R24: is posted again, the same bytes, when the endpoint has answered with 500', async () => {
    receiver.answer(500)
    const domain = await report(endpoint('again'))
    const isTried = ([entry]: readonly ReportEntry[]): boolean =>
      entry?.destinations[0]?.state === 'waiting' && entry.destinations[0].attempts === 1 // before that it waits, too
    await ledgerOf(net.haraka, domain, isTried)
    receiver.answer(200)
    await time.moveTo(time.hour + 20 * MINUTE)
    await ledgerOf(net.haraka, domain, is('sent'))
    const [first, second] = posted('again')
    assert.deepEqual(first?.body, second?.body)
  })

  test("is not accepted while it waits in Haraka's queue, and is when it has arrived from there", async () => {
    net.domain('slow.test')
    net.server('mx1.slow.test', { rcpt: '450 4.2.1 come back later' })
    const domain = await report('mailto:tls@slow.test')
    const noted = (entries: readonly ReportEntry[]): boolean =>
      entries[0]?.destinations[0]?.note?.includes('come back later') === true
    const [waiting] = await ledgerOf(net.haraka, domain, noted)
    assert.deepEqual([waiting?.state, waiting?.destinations[0]?.state], ['sending', 'queued'])
    net.server('mx1.slow.test', {})
    await net.ready()
    assert.ok(await net.haraka.flush())
    await nextReport(net.server('mx1.slow.test'))
    await ledgerOf(net.haraka, domain, is('sent'))
  })

  test("is taken out of Haraka's queue when retry-for is over before the next attempt", async () => {
    net.domain('never.test')
    net.server('mx1.never.test', { rcpt: '450 4.2.1 come back later' })
    await net.haraka.setIntervals([90_000])
    const domain = await report('mailto:tls@never.test')
    const [entry] = await ledgerOf(net.haraka, domain, is('given-up'))
    await net.haraka.setIntervals([3600])
    assert.match(entry?.destinations[0]?.note ?? '', /come back later.*retry-for is over/)
    await net.haraka.queueIsEmpty()
  })

  test('that bounces reaches no human, and is noted', async () => {
    net.domain('closed.test')
    net.server('mx1.closed.test', { rcpt: '550 5.1.1 nobody here reads reports' })
    const domain = await report('mailto:tls@closed.test')
    const [entry] = await ledgerOf(net.haraka, domain, is('given-up'))
    assert.match(entry?.destinations[0]?.note ?? '', /nobody here reads reports/)
    await net.haraka.log.waitFor(new RegExp(`\\[WARN\\].*TLS report on ${domain} .*given up.*nobody here reads`))
    await net.haraka.queueIsEmpty()
    assert.equal(net.server('mx1.reporter.test').connections.length, 0)
  })

  test('R22: is not held back by DANE, MTA-STS or a missing STARTTLS, and nothing is counted for its delivery', async () => {
    net.domain('strict.test', { signed: true, sts: { mx: ['elsewhere.test'] }, tlsrpt: 'mailto:tls@strict.test' })
    net.server('mx1.strict.test', { tlsa: '3 1 1 of other', offersTls: false })
    const domain = await report('mailto:tls@strict.test')
    assert.equal((await nextReport(net.server('mx1.strict.test'))).tls, false)
    await ledgerOf(net.haraka, domain, is('sent'))
    assert.deepEqual(net.haraka.log.find(/outcome for strict\.test/), [])
  })

  test('R3: is not sent where nobody asks for it', async () => {
    const domain = newDomain()
    net.domain(domain)
    await sessionWith(net, domain, time)
    await time.endPeriod(time.hour + HOUR)
    const [entry] = await ledgerOf(net.haraka, domain, is('not-wanted'))
    assert.equal(entry?.note, 'no TLSRPT record')
  })

  test('waits for a name server that fails: that is not the same as no record', async () => {
    const domain = newDomain()
    net.domain(domain, { tlsrpt: endpoint('patient') })
    net.dns.declare(`_smtp._tls.${domain}`, { trouble: 'servfail' })
    await sessionWith(net, domain, time)
    await time.endPeriod(time.hour + HOUR)
    const [entry] = await ledgerOf(net.haraka, domain, ([first]) => first?.note !== undefined)
    assert.equal(entry?.state, 'scheduled')
    assert.match(entry.note ?? '', /TLSRPT lookup failed: SERVFAIL/)
    net.dns.declare(`_smtp._tls.${domain}`, { trouble: undefined })
    await time.moveTo(time.hour + 20 * MINUTE)
    await ledgerOf(net.haraka, domain, is('sent'))
  })
})
