import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import * as tables from '../dist/lib/settings/tables.js'
import { analysisSettingsOf, reportSettingsOf, settingsOf, statusSettingsOf } from './lib/settings/settings.ts'

const repository = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(repository, file), 'utf8')
const others = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'test/real/README.md']
const pages = [...others, ...globSync('docs/*.md', { cwd: repository })]

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
        if (example.includes('; config/http.ini')) continue // Haraka's own
        if (example.includes('outbound-tls.status.ini')) statusSettingsOf(example)
        else if (example.includes('outbound-tls.report.ini')) reportSettingsOf(example)
        else if (example.includes('outbound-tls.analysis.ini')) analysisSettingsOf(example)
        else assert.equal(settingsOf(example).rules.length > 0, example.includes('[rule:'))
      }
    })
  }

  test('docs/store.md has every table, with every column', async () => {
    const words = new Set(Array.from(read('docs/store.md').matchAll(/`([a-z_]+)`/g), ([, word = '']) => word))
    const files = globSync('dist/lib/**/tables.js', { cwd: repository }).filter((file) => !file.includes('settings'))
    for (const file of files)
      for (const statement of await tablesOf(file)) {
        const [, table, columns] = /^CREATE TABLE (\w+) \(([^]*)\)/.exec(statement) ?? []
        if (table === undefined) continue // an index
        const names = Array.from(
          columns?.matchAll(/(?:^|,)\s*([a-z_]+) (?:INTEGER|REAL|TEXT|BLOB)/g) ?? [],
          ([, name = '']) => name,
        )
        assert.ok(names.length > 0, table)
        for (const name of [table, ...names]) assert.ok(words.has(name), `${table}: ${name}`)
      }
  })

  test('docs/architecture.md has the arrows between modules that are checked, and no others', () => {
    const [, diagram = ''] = /```mermaid\n([^]*?)```/.exec(read('docs/architecture.md')) ?? []
    const drawn = Array.from(diagram.matchAll(/^ +(\S+) --> (.*)$/gm), ([, from, to]) => `${from}: ${to}`)
    const rules = read('.dependency-cruiser.cjs').split('const modules')[0] ?? ''
    const checked = Array.from(rules.matchAll(/^ {2}'?([a-z-]+)'?: \[(.+)\],$/gm), ([, from, to = '']) => {
      return `${from}: ${to.replaceAll("'", '').replaceAll(', ', ' & ')}`
    })
    assert.ok(checked.length > 0)
    assert.deepEqual(drawn.sort(), checked.sort())
  })

  test('the front page gives the defaults of the options that it names', () => {
    const [, table = ''] = read('README.md').split('| `[main]`')
    const rows = table.split('\n\n')[0]?.split('\n').slice(2) ?? []
    const named = rows.flatMap((line) => {
      const [, names = '', value = ''] = line.split('|').map((cell) => cell.trim())
      return [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, value.slice(1, -1)] as const)
    })
    assert.ok(named.length > 0)
    for (const [name, value] of named) {
      const key = (Object.values(tables.MAIN_KEYS) as Key[]).find((key) => key.name === name)
      assert.deepEqual(key?.read([value]), { value: key?.default }, name)
    }
  })
})

async function tablesOf(file: string): Promise<readonly string[]> {
  const exported = (await import(join(repository, file))) as Readonly<Record<string, readonly string[]>>
  return Object.values(exported).flat()
}

interface Key {
  readonly name: string
  readonly default: unknown
  readonly read: (texts: readonly string[]) => unknown
}
