import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startHaraka, type Haraka } from '../e2e/haraka.ts'
import { ask } from '../e2e/http.ts'
import { freePort } from '../internet/index.ts'
import { DESKTOP, overflow, PHONE, picture, startBrowser, type Browser } from './page/browser.ts'
import { HOSTILE, writeHostile } from './page/hostile.ts'
import { openStores } from './page/stores.ts'
import { skipWithout } from './tools.ts'

const settings = `
[rule:<script>globalThis.hacked=1</script>]
if-rcpt-domain[] = example.org
allow-invalid-certs = true
reason = <img src=x onerror=globalThis.hacked=1>
`

const LISTS = [
  '',
  '/destinations',
  '/policies',
  '/reports',
  '/received',
  '/received?unverified=true',
  '/resolver',
  '/exemptions',
]

describe('the page in Chromium, with what strangers may have put into it', { skip: skipWithout('chromium') }, () => {
  let haraka: Haraka
  let browser: Browser
  let origin: string

  before(async () => {
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    const config = { 'http.ini': `listen=127.0.0.1:${port}\n`, 'outbound-tls.ini': settings }
    haraka = await startHaraka({ plugins: ['outbound-tls/plugins/status'], config })
    const stores = openStores(haraka.folder)
    await writeHostile(stores, Date.now())
    stores.close()
    browser = await startBrowser(origin)
  })
  after(async () => {
    await browser.close()
    await haraka.stop()
  })

  /** Nothing ran, nothing is hidden, and the page is as wide as its window. */
  async function assertHarmless(path: string, width: number): Promise<string> {
    const page = await browser.open(`/tls${path}`, { width, scheme: 'light' })
    assert.equal(await page.evaluate('globalThis.hacked'), undefined)
    assert.equal(await page.evaluate('document.scripts.length + document.images.length'), 0)
    assert.equal(await page.evaluate('document.styleSheets.length'), 1)
    const links = await page.evaluate<string[]>('[...document.links].map(({ href }) => href)')
    for (const link of links) assert.ok(link.startsWith(`${origin}/tls`), link)
    assert.equal(await overflow(page), 0, `${path} at ${width} pixels`)
    const shown = await page.locator('body').innerText()
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(shown, /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/)
    if (width === PHONE) await picture(page, `hostile${path.replace(/\W+/g, '-')}`.slice(0, 60))
    assert.deepEqual(browser.misdeeds, [])
    return shown
  }

  for (const path of LISTS) {
    test(`${path === '' ? 'at a glance' : path}: nothing runs, and nothing breaks out`, async () => {
      for (const width of [DESKTOP, PHONE]) {
        const shown = await assertHarmless(path, width)
        if (path === '/destinations' || path === '/resolver')
          for (const text of HOSTILE) assert.ok(shown.includes(text.split('-')[0] ?? ''), text)
      }
    })
  }

  test('one destination, one report of ours, one of others: nothing runs, and nothing breaks out', async () => {
    const { reports } = JSON.parse((await ask(origin, '/tls/api/reports')).body) as {
      reports: { domain: string; period: { start: string } }[]
    }
    const received = JSON.parse((await ask(origin, '/tls/api/received')).body) as { reports: { id: string }[] }
    assert.equal(reports.length, HOSTILE.length)
    for (const [index, { domain, period }] of reports.entries()) {
      const name = encodeURIComponent(domain.toWellFormed())
      if (index % 2 === 1) continue // all of them are in the lists above
      const width = index % 4 === 0 ? PHONE : DESKTOP
      if (domain.length < 3000 && domain.isWellFormed()) {
        await assertHarmless(`/destinations/${name}`, width)
        await assertHarmless(`/reports/${name}/${period.start}`, width)
      }
      await assertHarmless(`/received/${received.reports[index]?.id ?? ''}`, width)
    }
  })

  test('in the JSON it is text as well, and no browser takes it for a page', async () => {
    for (const path of LISTS) {
      const { headers, body } = await ask(origin, `/tls/api${path === '' ? '/overview' : path}`)
      assert.equal(headers['content-type'], 'application/json; charset=utf-8')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      JSON.parse(body)
    }
  })

  test('what is asked for is shown as text, too', async () => {
    for (const path of [
      `/destinations?search=${encodeURIComponent(HOSTILE[1] ?? '')}`,
      `/destinations/${encodeURIComponent(HOSTILE[0] ?? '')}x`,
      `/policies?search=%22onfocus=alert(1)%20autofocus=%22`,
    ]) {
      const page = await browser.open(`/tls${path}`)
      assert.equal(await page.evaluate('globalThis.hacked'), undefined)
      assert.equal(await page.evaluate('document.scripts.length + document.images.length'), 0)
    }
  })
})
