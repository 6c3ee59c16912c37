import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ANALYSIS_KEYS } from '../../../dist/lib/settings/analysis.js'
import { REPORT_KEYS } from '../../../dist/lib/settings/report.js'
import { STATUS_KEYS } from '../../../dist/lib/settings/status.js'
import * as tables from '../../../dist/lib/settings/tables.js'
import { shippedFile } from './haraka-config.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8')

interface DocumentedKey {
  readonly name: string
  readonly default: unknown
  readonly read: (texts: readonly string[]) => { readonly value: unknown } | { readonly refused: string }
}

const sections: Readonly<Record<string, Readonly<Record<string, DocumentedKey>>>> = {
  main: tables.MAIN_KEYS,
  dns: tables.DNS_KEYS,
  'mta-sts': tables.MTA_STS_KEYS,
  store: tables.STORE_KEYS,
}

/** What stands below a heading, up to the next one that is not below it. */
function below(heading: string): string {
  const level = heading.indexOf(' ')
  const [, rest = ''] = page.split(`\n${heading}\n`)
  return rest.split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? ''
}

/** The rows of the tables in a text whose first cell is a key. */
function rows(text: string): readonly (readonly string[])[] {
  const cells = text.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  return cells.filter(([first]) => /^`[a-z[\]-]+`$/.test(first ?? ''))
}

const names = (keys: object) => Object.values(keys).map(({ name }: DocumentedKey) => name)
const keysIn = (text: string) => rows(text).map(([first = '']) => first.slice(1, -1))

describe('docs/configuration.md', () => {
  for (const [section, keys] of Object.entries(sections)) {
    const text = below(`## \`[${section}]\``)

    test(`lists every key of [${section}], and no other`, () => {
      const table = text.split('\n### ')[0] ?? ''
      assert.deepEqual(keysIn(table).toSorted(), names(keys).toSorted())
    })

    for (const key of Object.values(keys)) {
      test(`gives the default of ${key.name} in [${section}]`, () => {
        const [, documented = ''] = rows(text).find(([first]) => first === `\`${key.name}\``) ?? []
        if (key.default === undefined) assert.equal(documented, '–')
        else assert.deepEqual(key.read([documented.slice(1, -1)]), { value: key.default })
      })

      test(`explains ${key.name} in [${section}] under a heading`, () => {
        const headings = text.split('\n').filter((line) => line.startsWith('### '))
        assert.ok(headings.some((heading) => heading.includes(`\`${key.name}\``)))
      })
    }
  }

  for (const [file, heading, keys] of [
    ['outbound-tls.report.ini', '## TLS reports', REPORT_KEYS],
    ['outbound-tls.analysis.ini', '## Reports of others', ANALYSIS_KEYS],
    ['outbound-tls.status.ini', '## The page', STATUS_KEYS],
  ] as const)
    test(`lists every key of ${file} with its default, and explains it`, () => {
      const text = below(heading)
      assert.deepEqual(keysIn(text).toSorted(), names(keys).toSorted())
      for (const key of Object.values<DocumentedKey>(keys)) {
        const [, documented = ''] = rows(text).find(([first]) => first === `\`${key.name}\``) ?? []
        if (key.default === undefined) assert.equal(documented, '–', key.name)
        else assert.deepEqual(key.read([documented.slice(1, -1)]), { value: key.default })
        assert.match(
          text,
          new RegExp(`^- (?:.*, )?\`${key.name.replace('[]', '\\[\\]')}\`.*:|^- .*\`${key.name}\``, 'm'),
        )
      }
    })

  test('lists every condition of a rule, what else it may say, and no other', () => {
    const expected = [...names(tables.CONDITION_KEYS), ...names(tables.RULE_NOTE_KEYS)]
    assert.deepEqual(keysIn(below('## Rules')), expected)
  })

  test('lists what a rule may set, and nothing else', () => {
    const [, list = ''] = /A rule may set ([^.]*), with the values/.exec(below('## Rules')) ?? []
    assert.deepEqual(
      list.match(/`[^`]+`/g)?.map((name) => name.slice(1, -1)),
      names(tables.RULE_KEYS),
    )
  })
})

describe('the shipped file', () => {
  test('shows every key in its section, and no other', () => {
    for (const [section, keys] of Object.entries(sections)) {
      const [, text = ''] = new RegExp(`^\\[${section}\\]\\n([^]*?)(?=^\\[|$(?![^]))`, 'm').exec(shippedFile) ?? []
      const shown = [...text.matchAll(/^;(\S+) =/gm)].map(([, name]) => name)
      assert.deepEqual(shown.toSorted(), names(keys).toSorted())
    }
  })
})
