import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { privateInternet, silence } from '../internet/index.ts'
import { startReceiver } from './report-receiver.ts'
import { readReportMail } from '../support/report-mail.ts'
import { createTime, HOUR, ledgerOf, MINUTE, nextReport, recorded, reporting, sessionWith } from './reporting.ts'

describe('whichever worker sends', () => {
  test('of two workers one sends each report, and either hears what becomes of it', async (t) => {
    const net = await privateInternet(t, { haraka: { ...reporting(), nodes: 2 } })
    const time = createTime(() => net.haraka)
    await time.moveTo(time.hour)
    net.domain('rua.test')
    net.domain('told.test', { tlsrpt: 'mailto:tls@rua.test' })
    await Promise.all(Array.from({ length: 8 }, () => net.haraka.send({ to: 'one@told.test' })))
    await recorded(net.haraka, 'told.test', 8, { start: time.hour, end: time.hour + HOUR })
    await time.endPeriod(time.hour + HOUR)
    const { report } = await nextReport(net.server('mx1.rua.test'))
    assert.equal(report.policies[0]?.summary['total-successful-session-count'], 8)
    await ledgerOf(net.haraka, 'told.test', ([entry]) => entry?.state === 'sent')

    await sessionWith(net, 'told.test', time)
    await time.endPeriod(time.hour + HOUR)
    await nextReport(net.server('mx1.rua.test'))
    await ledgerOf(net.haraka, 'told.test', (entries) => entries.every(({ state }) => state === 'sent'))
    assert.equal(net.server('mx1.rua.test').messages.length, 2)
  })

  test('a store that cannot be opened delays nobody, and reports go out when it can', async (t) => {
    const net = await privateInternet(t, { haraka: reporting(), settings: { store: { path: 'away/store.db' } } })
    const time = createTime(() => net.haraka)
    await time.moveTo(time.hour)
    net.domain('rua.test')
    net.domain('told.test', { tlsrpt: 'mailto:tls@rua.test' })
    await net.haraka.send({ to: 'one@told.test' })
    await net.haraka.log.waitFor(/\[CRIT\].*away\/store\.db/)
    mkdirSync(join(net.haraka.folder, 'away'))
    await net.haraka.log.waitFor(/this worker sends TLS reports from now on/, { patience: 90_000 })
    await recorded(net.haraka, 'told.test', 1, { start: time.hour, end: time.hour + HOUR }, 'away/store.db')
    await time.endPeriod(time.hour + HOUR)
    await nextReport(net.server('mx1.rua.test'))
  })

  test('R20: a Haraka that is killed while it sends sends the same report again, under the same id', async (t) => {
    const net = await privateInternet(t, { haraka: reporting() })
    const receiver = await startReceiver(net.certificates.identity('receiver.test', 'leaf'))
    t.after(() => receiver.stop())
    net.dns.declare('receiver.test', { A: ['127.0.0.1'] })
    const time = createTime(() => net.haraka)
    await time.moveTo(time.hour)
    net.domain('rua.test')
    const mailbox = net.server('mx1.rua.test', { message: silence })
    net.domain('told.test', { tlsrpt: `mailto:tls@rua.test,https://receiver.test:${receiver.port}/` })
    await sessionWith(net, 'told.test', time)
    receiver.answer('silence')
    await time.endPeriod(time.hour + HOUR)
    const first = readReportMail((await mailbox.nextMessage(10_000)).data)
    await ledgerOf(
      net.haraka,
      'told.test',
      ([entry]) => entry?.destinations.some(({ state }) => state === 'queued') === true,
    )

    await net.haraka.restart('SIGKILL')
    receiver.answer(201)
    mailbox.behave({ message: '250 2.0.0 accepted' })
    await time.moveTo(time.hour + 20 * MINUTE)
    await ledgerOf(net.haraka, 'told.test', ([known]) => known?.state === 'sent') // by HTTPS, while the mail waits
    await net.haraka.flush()
    const [entry] = await ledgerOf(
      net.haraka,
      'told.test',
      ([known]) => known?.destinations.every(({ state }) => state === 'accepted') === true,
    )
    assert.equal(entry?.state, 'sent')
    const again = readReportMail((await mailbox.nextMessage()).data)
    assert.deepEqual([again.file, again.header['message-id']], [first.file, first.header['message-id']])
    assert.deepEqual(
      receiver.posted.map(({ body }) => body),
      [first.file, first.file],
    )
    assert.equal(mailbox.messages.length, 2)
    await net.haraka.log.waitFor(
      /whether https:\/\/receiver\.test.* has it is not known, so the same report goes again/,
    )
  })
})
