import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import { harakaVersions } from './haraka.ts'
import { createTime, FROM, HOUR, ledgerOf, nextReport, reporting, sessionWith } from './reporting.ts'

/** In quoted-printable, its lines begin with dots. */
const DOTTED = `Größe ${'.'.repeat(100)}`

for (const version of harakaVersions) {
  describe(`Haraka ${version} beside haraka-plugin-dkim`, () => {
    const { config, plugins, ...more } = reporting({ main: { 'org-name': DOTTED } })
    const { main = {} } = config['outbound-tls.report.ini']
    const withoutSign = Object.fromEntries(Object.entries(main).filter(([key]) => key !== 'sign'))
    const net = sharedInternet({
      haraka: {
        ...more,
        version,
        plugins: [...plugins, 'dkim', 'resigning'],
        config: {
          ...config,
          'outbound-tls.report.ini': { main: withoutSign },
          'dkim.ini': { sign: { enabled: true }, verify: { enabled: false } },
        },
      },
    })
    const time = createTime(() => net.haraka)

    test('R21: a report is signed once, with the key that the plugin has, and noted when it has arrived', async () => {
      await time.moveTo(time.hour)
      net.domain('rua.test')
      net.domain('told.test', { tlsrpt: 'mailto:tls@rua.test' })
      await sessionWith(net, 'told.test', time)
      await time.endPeriod(time.hour + HOUR)
      const { report, from } = await nextReport(net.server('mx1.rua.test'), ['plugin'])
      assert.deepEqual([from, report['organization-name']], [FROM, DOTTED])
      await ledgerOf(net.haraka, 'told.test', ([entry]) => entry?.state === 'sent')
    })

    test('other mail of the same sender is signed by the plugin', async () => {
      net.domain('other.test')
      await net.haraka.send({ from: FROM, to: 'one@other.test' })
      const { data } = await net.server('mx1.other.test').nextMessage()
      assert.match(data, /^DKIM-Signature:[^]*s=plugin/m)
    })

    test('no human hears of a report that bounces', async () => {
      net.domain('reporter.test')
      net.domain('told.test', { tlsrpt: 'mailto:tls@closed.test' })
      net.domain('closed.test')
      net.server('mx1.closed.test', { rcpt: '550 5.1.1 nobody here reads reports' })
      await sessionWith(net, 'told.test', time)
      await time.endPeriod(time.hour + HOUR)
      const [entry] = await ledgerOf(net.haraka, 'told.test', ([latest]) => latest?.state === 'given-up')
      assert.match(entry?.destinations[0]?.note ?? '', /nobody here reads reports/)
      await net.haraka.queueIsEmpty()
      assert.deepEqual(net.server('mx1.reporter.test').connections, [])
    })
  })
}
