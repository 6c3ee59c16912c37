import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { privateInternet, sharedInternet } from '../internet/index.ts'
import type { Ini } from './instance.ts'
import {
  createTime,
  HOUR,
  inLedger,
  keyFiles,
  MINUTE,
  nextReport,
  reporting,
  reportSettings,
  sessionWith,
} from './reporting.ts'

const FILE = 'outbound-tls.report.ini'
const nameless = { 'from-address': '', 'org-name': '', 'contact-info': '' }

/** What the timetable of all domains without a section says. */
type Timetable = { readonly through: number; readonly length: string } | undefined

describe('the configuration of reports', () => {
  const net = sharedInternet({ haraka: reporting({ main: { ...nameless, sign: ['rsa'] } }) })
  const time = createTime(() => net.haraka)
  let since = 0

  before(async () => {
    await time.moveTo(time.hour)
    net.domain('rua.test')
    net.domain('told.test', { tlsrpt: 'mailto:tls@rua.test' })
  })

  const reconfigure = async (changes: Ini = {}): Promise<void> => {
    since = net.haraka.log.lines.length
    await net.haraka.reconfigure(FILE, reportSettings(changes))
  }
  const logged = (pattern: RegExp): Promise<string> => net.haraka.log.waitFor(pattern, { since })
  /** An hour with one session. */
  const goOn = async (): Promise<void> => {
    await sessionWith(net, 'told.test', time)
    await time.endPeriod(time.hour + HOUR)
  }
  const timetable = (isThere: (table: Timetable) => boolean) =>
    inLedger(
      net.haraka,
      (ledger) => ledger.timetables(),
      ([all]) => isThere(all),
    )
  const assertNothingSent = (): void => {
    assert.deepEqual(
      net.haraka.log.lines.slice(since).filter((line) => /TLS report.*(?:are due|accepted)/.test(line)),
      [],
    )
  }
  const assertReportOnLastHour = async (): Promise<void> => {
    const { report } = await nextReport(net.server('mx1.rua.test'))
    const instant = (at: number): string => new Date(at).toISOString().replace('.000', '')
    assert.deepEqual(report['date-range'], {
      'start-datetime': instant(time.hour - HOUR),
      'end-datetime': instant(time.hour - 1000),
    })
    await net.haraka.log.waitFor(new RegExp(`for ${instant(time.hour - HOUR).slice(0, 13)}Z: accepted by`))
  }

  test('names at CRIT what is missing, sends nothing, and goes on when it is there', async () => {
    await logged(/\[CRIT\].*no TLS reports are sent.*missing: from-address; org-name; contact-info$/)
    await goOn()
    assertNothingSent()
    await reconfigure()
    await logged(/\[NOTICE\].*nothing is missing any more/)
    await goOn()
    await assertReportOnLastHour()
  })

  test('looks again for a key that is missing', async () => {
    await reconfigure({ 'signature:rsa': { 'private-key': 'keys/forgotten.pem' } })
    await logged(/\[CRIT\].*a DKIM key: \[signature:rsa\] private-key = keys\/forgotten\.pem: there is no/)
    await goOn()
    assertNothingSent()
    net.haraka.writeConfig('keys/forgotten.pem', keyFiles['keys/rsa.pem'] ?? '')
    await time.moveTo(time.hour + 10 * MINUTE)
    await assertReportOnLastHour()
  })

  test('that is bad leaves the last good one in force', async () => {
    await reconfigure({ main: { send: 'yearly' } })
    await logged(/\[CRIT\].*send = "yearly": accepted/)
    await logged(/\[CRIT\].*outbound-tls\.report\.ini: the last good settings stay in force/)
    await goOn()
    await assertReportOnLastHour()
  })

  test('send = never sends nothing from the next period on, until it says otherwise', async () => {
    await reconfigure({ main: { send: 'never' } })
    await goOn() // the hour that is under way has been promised
    await assertReportOnLastHour()
    await timetable((table) => table?.length === 'never')
    since = net.haraka.log.lines.length
    await goOn()
    await timetable((table) => table?.through === time.hour)
    assertNothingSent()

    await reconfigure()
    await time.endPeriod(time.hour + HOUR)
    await timetable((table) => table?.length === 'hourly')
    await goOn()
    await assertReportOnLastHour()
  })

  test('needs nothing where send = never', async () => {
    await reconfigure({ main: { send: 'never', ...nameless } })
    await goOn()
    assert.deepEqual(
      net.haraka.log.lines.slice(since).filter((line) => line.includes('[CRIT]')),
      [],
    )
  })

  test('may name another store: the reports come from there', async () => {
    await reconfigure()
    await net.haraka.reconfigure('outbound-tls.ini', net.settings({ store: { path: 'elsewhere.db' } }))
    await logged(/this worker sends TLS reports from now on/)
    assert.ok(existsSync(join(net.haraka.folder, 'elsewhere.db')))
  })
})

test('a bad configuration of reports keeps Haraka from starting, with a line that names file, section, key and value', async () => {
  const starting = privateInternet(undefined, { haraka: reporting({ main: { send: 'monthly' } }) })
  await assert.rejects(
    starting,
    /plugins\/report does not load: outbound-tls\.report\.ini \[main\] send = "monthly": accepted/,
  )
})
