/**
 * A browser that looks at pages and notes all that they do besides: messages to its console, violations of their policy, requests to
 * anywhere else.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { repository } from '../../e2e/package.ts'
import { needTool } from '../tools.ts'

export const DESKTOP = 1280
export const PHONE = 360

export interface Look {
  readonly width: number
  readonly scheme: 'light' | 'dark'
}

export interface Browser {
  /** Opens a page, and returns it when all of it is there. @param path - below the origin */
  readonly open: (path: string, look?: Look) => Promise<Page>
  /** What pages have done that they should not. */
  readonly misdeeds: readonly string[]
  readonly close: () => Promise<void>
}

const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

export async function startBrowser(origin: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: needTool('chromium'),
    args: ARGUMENTS,
    viewport: { width: DESKTOP, height: 900 },
  })
  const misdeeds: string[] = []
  await watch(context, origin, misdeeds)
  const page = await context.newPage()
  return {
    open: async (path, { width, scheme } = { width: DESKTOP, scheme: 'light' }) => {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme: scheme })
      await page.goto(`${origin}${path}`)
      return page
    },
    misdeeds,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function watch(context: BrowserContext, origin: string, misdeeds: string[]): Promise<void> {
  // a violation that is reported nowhere else
  const report = '({ violatedDirective, blockedURI }) => console.error(violatedDirective, blockedURI)'
  await context.addInitScript(`addEventListener('securitypolicyviolation', ${report})`)
  context.on('console', (message) => misdeeds.push(`${message.type()} in the console: ${message.text()}`))
  context.on('weberror', (error) => misdeeds.push(`error: ${error.error().message}`))
  context.on('dialog', (dialog) => {
    misdeeds.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  context.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:image/svg+xml,')) misdeeds.push(`request to ${url}`)
  })
}

/** How far the page is wider than its window: pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
  }[]
}

/** Asserts that a page can be used by everybody: nothing serious by the rules of WCAG 2.2 AA. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<AxeResult>('axe.run(document, { resultTypes: ["violations"] })')
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  assert.deepEqual(
    serious.map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3) })),
    [],
    page.url(),
  )
}

/** Where pictures are kept: for whoever looks into a run of the tests. */
export const PICTURES = join(repository, 'test-results', 'page')

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}
