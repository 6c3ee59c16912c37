import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { privateInternet, type PrivateInternet } from '../internet/index.ts'
import type { Ini } from './instance.ts'
import {
  createTime,
  HOUR,
  inLedger,
  keyFiles,
  nextReport,
  reporting,
  reportSettings,
  sessionWith,
} from './reporting.ts'

const FILE = 'outbound-tls.report.ini'

describe('the configuration of reports', () => {
  /** A Haraka, and told.test, which wants its reports. `goOn` has one session with it, and ends the hour. */
  const ground = async (t: TestContext, changes: Ini) => {
    const net = await privateInternet(t, { haraka: reporting(changes) })
    const time = createTime(() => net.haraka)
    await time.moveTo(time.hour)
    net.domain('rua.test')
    net.domain('told.test', { tlsrpt: 'mailto:tls@rua.test' })
    const goOn = async (): Promise<void> => {
      await sessionWith(net, 'told.test', time)
      await time.endPeriod(time.hour + HOUR)
    }
    await goOn()
    return { net, time, goOn }
  }
  const assertNothingSent = (net: PrivateInternet): void => {
    assert.deepEqual(net.server('mx1.rua.test').messages, [])
    assert.deepEqual(net.haraka.log.find(/TLS reports? .*(?:are due|queued)/), [])
  }
  const periodBefore = (end: number) => ({
    'start-datetime': new Date(end - HOUR).toISOString().replace('.000', ''),
    'end-datetime': new Date(end - 1000).toISOString().replace('.000', ''),
  })

  test('names at CRIT what is missing, sends nothing, and goes on when it is there', async (t) => {
    const nameless = { 'from-address': '', 'org-name': '', 'contact-info': '' }
    const { net, time, goOn } = await ground(t, { main: { ...nameless, sign: ['rsa'] } })
    await net.haraka.log.waitFor(/\[CRIT\].*no TLS reports are sent.*missing: from-address; org-name; contact-info$/)
    assertNothingSent(net)

    await net.haraka.reconfigure(FILE, reportSettings())
    await net.haraka.log.waitFor(/\[NOTICE\].*nothing is missing any more/)
    await goOn()
    const { report } = await nextReport(net.server('mx1.rua.test'))
    assert.deepEqual(report['date-range'], periodBefore(time.hour))
  })

  test('looks again for a key that is missing', async (t) => {
    const { net, goOn } = await ground(t, { 'signature:rsa': { 'private-key': 'keys/forgotten.pem' } })
    await net.haraka.log.waitFor(
      /\[CRIT\].*a DKIM key: \[signature:rsa\] private-key = keys\/forgotten\.pem: there is no/,
    )
    assertNothingSent(net)
    net.haraka.writeConfig('keys/forgotten.pem', keyFiles['keys/rsa.pem'] ?? '')
    await goOn()
    await nextReport(net.server('mx1.rua.test'))
  })

  test('needs nothing where send = never, and nothing is sent', async (t) => {
    const { net, goOn } = await ground(t, { main: { send: 'never', 'from-address': '' } })
    await goOn()
    assert.deepEqual(net.haraka.log.find(/\[CRIT\]/), [])
    assertNothingSent(net)
  })

  test('keeps Haraka from starting when it is bad, with a line that names file, section, key and value', async () => {
    const starting = privateInternet(undefined, { haraka: reporting({ main: { send: 'monthly' } }) })
    await assert.rejects(
      starting,
      /plugins\/report does not load: outbound-tls\.report\.ini \[main\] send = "monthly": accepted/,
    )
  })

  test('is read again when it has changed; while it is bad the last good one stays in force', async (t) => {
    const { net, time, goOn } = await ground(t, { main: { send: 'never' } })
    await net.haraka.reconfigure(FILE, reportSettings({ main: { send: 'yearly' } }))
    await net.haraka.log.waitFor(/\[CRIT\].*send = "yearly": accepted/)
    await net.haraka.log.waitFor(/\[CRIT\].*outbound-tls\.report\.ini: the last good settings stay in force/)
    assertNothingSent(net)

    await net.haraka.reconfigure(FILE, reportSettings())
    await time.endPeriod(time.hour + HOUR) // the hour of `never` is over
    await inLedger(
      net.haraka,
      (ledger) => ledger.timetables(),
      ([all]) => all?.length === 'hourly',
    )
    await goOn()
    const { report } = await nextReport(net.server('mx1.rua.test'))
    assert.deepEqual(report['date-range'], periodBefore(time.hour))
  })

  test('may name another store: the reports come from there', async (t) => {
    const { net } = await ground(t, { main: { send: 'never' } })
    const since = net.haraka.log.lines.length
    await net.haraka.reconfigure('outbound-tls.ini', net.settings({ store: { path: 'elsewhere.db' } }))
    await net.haraka.log.waitFor(/this worker sends TLS reports from now on/, { since })
  })
})
