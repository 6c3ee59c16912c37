import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startHaraka, type Haraka } from '../e2e/haraka.ts'
import { ask } from '../e2e/http.ts'
import { freePort } from '../internet/index.ts'
import {
  assertAccessible,
  DESKTOP,
  overflow,
  PHONE,
  picture,
  PICTURES,
  startBrowser,
  type Browser,
  type Look,
} from './page/browser.ts'
import { openStores } from './page/stores.ts'
import { dayStart, writeWeek } from './page/week.ts'
import { skipWithout } from './tools.ts'

const WORKERS = 4
const NOW = Date.now()
const inDays = (days: number): string => new Date(NOW + days * 86_400_000).toISOString().slice(0, 10)

const settings = `
[rule:krause]
if-mx[] = *.krause-logistik.example
dane = disable
until = ${inDays(4)}
reason = their TLSA records are wrong, ticket 4711

[rule:oldpost]
if-rcpt-domain[] = oldpost.example
allow-invalid-certs = true

[rule:partner]
if-rcpt-domain[] = *.partner.example
starttls = require
reason = contract of 2026
`

const start = new Date(dayStart(NOW, 3)).toISOString()

/** Every view, and what one must see there. */
const views: Readonly<Record<string, readonly [path: string, ...texts: readonly (string | RegExp)[]]>> = {
  overview: [
    '',
    '4 messages wait because of TLS. 3 destinations are failing.',
    /krause-logistik\.example\s*2\s/,
    '4.7.5 certificate-expired',
    'Verified',
    'What others report about our hosts',
    'their TLSA records are wrong, ticket 4711',
  ],
  destinations: [
    '/destinations',
    '3 of 19 destinations failing',
    /alpenverein\.example[^]*museum\.example[^]*posthaus\.example/,
  ],
  destination: [
    '/destinations/krause-logistik.example',
    /failing, last refused/,
    'matched DANE-EE 3 1 1 151098f4…',
    'validation-failure (dane-no-match)',
    'mx2.krause-logistik.example',
    'deferred: 451 4.3.0 try again later',
  ],
  'destination-fine': ['/destinations/posthaus.example', 'mx1.posthaus.example, *.posthaus.example', '7 days'],
  policies: [
    '/policies',
    '11 policies in the cache',
    /segelclub\.example[^]*failed 4 times in a row[^]*certificate has expired[^]*alpenverein/,
  ],
  reports: ['/reports', 'Sent 36', 'Given up 1', 'it has no TLSRPT record'],
  report: [
    `/reports/stadtwerke-nord.example/${start}`,
    'given up',
    'HTTP status 503',
    '"organization-name": "Example Hosting"',
  ],
  received: [
    '/received',
    '132 reports of the last 30 days',
    /mx2\.example\.net\s*\d+\s*certificate-expired[^]*microsoft\.com, google\.com/,
    'Unverified 1',
  ],
  unverified: ['/received?unverified=true', 'Somebody', 'nobody'],
  resolver: ['/resolver', 'mail1.example.net', '127.0.0.1:53: org comes with AD'],
  exemptions: [
    '/exemptions',
    /krause\s*soon[^]*oldpost\s*never[^]*Other rules[^]*partner/,
    'if-mx[] = *.krause-logistik.example',
  ],
}

/** Each width, and each scheme of colours. */
const LOOKS: readonly Look[] = [
  { width: DESKTOP, scheme: 'light' },
  { width: PHONE, scheme: 'dark' },
]
const OTHER_LOOKS: readonly Look[] = [
  { width: DESKTOP, scheme: 'dark' },
  { width: PHONE, scheme: 'light' },
]

describe('the page in Chromium, with a week of data and four workers', { skip: skipWithout('chromium') }, () => {
  let haraka: Haraka
  let browser: Browser
  let origin: string

  before(async () => {
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    const config = { 'http.ini': `listen=127.0.0.1:${port}\n`, 'outbound-tls.ini': settings }
    haraka = await startHaraka({ plugins: ['who-answers', 'outbound-tls/plugins/status'], nodes: WORKERS, config })
    const stores = openStores(haraka.folder)
    await writeWeek(stores, NOW)
    stores.close()
    browser = await startBrowser(origin)
  })
  after(async () => {
    await browser.close()
    await haraka.stop()
    console.log(`pictures of the page: ${PICTURES}`)
  })

  for (const [name, [path, ...texts]] of Object.entries(views)) {
    test(`${name}: shows what is known, fits a desktop and a phone, in light and dark, and is accessible`, async () => {
      for (const { width, scheme } of name === 'overview' ? [...LOOKS, ...OTHER_LOOKS] : LOOKS) {
        const page = await browser.open(`/tls${path}`, { width, scheme })
        const shown = await page.locator('body').innerText()
        for (const text of texts) {
          if (typeof text === 'string') assert.ok(shown.includes(text), `${text} in:\n${shown}`)
          else assert.match(shown, text)
        }
        assert.equal(await overflow(page), 0, `${width} pixels`)
        await assertAccessible(page)
        await picture(page, `${name}-${width}-${scheme}`)
      }
      assert.deepEqual(browser.misdeeds, [])
    })
  }

  test('can be walked through with the keyboard alone', async () => {
    const page = await browser.open('/tls')
    const focused = () => page.evaluate('document.activeElement.textContent')
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'To the content')
    for (let tabs = 0; tabs < 3; tabs++) await page.keyboard.press('Tab')
    assert.equal(await focused(), 'Destinations')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/tls/destinations')
  })

  test('finds a destination by a part of its name, and leads to all that is known of it', async () => {
    const page = await browser.open('/tls/destinations')
    await page.getByRole('searchbox').fill('Logistik')
    await page.getByRole('button', { name: 'Search' }).click()
    assert.match(page.url(), /\?search=Logistik$/)
    await page.getByRole('link', { name: 'krause-logistik.example' }).click()
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'krause-logistik.example')
  })

  test('every worker serves the same figures, as pages, as JSON and for Prometheus', async () => {
    for (const path of [
      '/tls',
      '/tls/destinations',
      '/tls/received',
      '/tls/reports',
      '/tls/policies',
      '/tls/api/overview',
      '/tls/api/received',
      '/metrics',
    ]) {
      const answers = new Map<string, string>()
      for (let tries = 0; tries < 40 && answers.size < WORKERS; tries++) {
        const { status, headers, body } = await ask(origin, path)
        assert.equal(status, 200)
        answers.set(String(headers['x-process']), steady(body))
      }
      assert.equal(answers.size, WORKERS, path)
      assert.equal(new Set(answers.values()).size, 1, path)
    }
  })
})

/** Without what differs from one moment to the next. */
function steady(text: string): string {
  return text.replace(/"at": "[^"]*",\n {2}"|>(?:in )?\d+ (?:min|h|d)(?: ago)?<|It is of [^<]*/g, '')
}
