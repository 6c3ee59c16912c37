import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import * as tables from '../dist/lib/settings/tables.js'
import { analysisSettingsOf, reportSettingsOf, settingsOf } from './lib/settings/settings.ts'

const repository = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(repository, file), 'utf8')
const pages = ['README.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: repository })]

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )
}

describe('the documentation', () => {
  for (const page of pages) {
    test(`links from ${page} lead to files and headings that are there`, () => {
      for (const [, link = ''] of read(page).matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(link)) continue
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? page : relative(repository, join(repository, dirname(page), path))
        assert.ok(existsSync(join(repository, target)), link)
        if (anchor !== undefined) assert.ok(anchorsOf(read(target)).includes(anchor), link)
      }
    })

    test(`examples of configuration in ${page} are accepted`, () => {
      for (const [, , example = ''] of read(page).matchAll(/^( *)```ini\n([^]*?)^ *```$/gm)) {
        if (example.includes('outbound-tls.report.ini')) reportSettingsOf(example)
        else if (example.includes('outbound-tls.analysis.ini')) analysisSettingsOf(example)
        else assert.ok(settingsOf(example).rules.length > 0)
      }
    })
  }

  const sections = {
    main: tables.MAIN_KEYS,
    dns: tables.DNS_KEYS,
    'mta-sts': tables.MTA_STS_KEYS,
    store: { ...tables.STORE_KEYS, ...tables.REDIS_KEYS },
    'rule:NAME': { ...tables.CONDITION_KEYS, ...tables.RULE_NOTE_KEYS },
  }
  for (const [section, keys] of Object.entries(sections)) {
    test(`the front page names every option of [${section}], and gives its default`, () => {
      const [, table = ''] = read('README.md').split(`| \`[${section}]\``)
      const rows = new Map<string, string | undefined>()
      for (const line of table.split('\n\n')[0]?.split('\n').slice(2) ?? []) {
        const [, names = '', value] = line.split('|').map((cell) => cell.trim())
        for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) rows.set(name, value)
      }
      assert.deepEqual([...rows.keys()].toSorted(), Object.values(keys).map(nameOf).toSorted())
      if (section === 'rule:NAME') return
      for (const { name, default: expected, read } of Object.values(keys) as Key[]) {
        const [, written] = /^`([^`]+)`$/.exec(rows.get(name) ?? '') ?? []
        if (expected === undefined) assert.equal(written, undefined, name)
        else assert.deepEqual(read([written ?? '']), { value: expected }, name)
      }
    })
  }
})

interface Key {
  readonly name: string
  readonly default: unknown
  readonly read: (texts: readonly string[]) => unknown
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}
