import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { COMMANDS } from '../../dist/cli/commands.js'
import { ADVICE_CODES } from '../../dist/cli/explain/advice.js'
import { GENERAL_OPTIONS } from '../../dist/cli/options.js'
import { createReporting, kept, reportJson, sessions } from './reports.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/command.md'), 'utf8')

describe('docs/command.md', () => {
  for (const { name, operands, options = {} } of COMMANDS) {
    test(`has a section on ${name.join(' ')}, with its options`, () => {
      assert.ok(page.includes(`\n## \`${[...name, ...operands].join(' ')}\`\n`))
      for (const option of Object.keys(options)) assert.ok(page.includes(`\`--${option}\``), option)
    })
  }
  test('has the options of all commands', () => {
    for (const option of Object.keys(GENERAL_OPTIONS)) assert.match(page, new RegExp(`--${option}\\b`))
  })
  test('has every word of advice', () => {
    for (const code of ADVICE_CODES) assert.ok(page.includes(`\n| \`${code}\` `), code)
  })
  test('has the fields of what is told about reports', async (t) => {
    const reporting = createReporting(t)
    await sessions(reporting.outcomes, 'a.test')
    await kept(reporting.ledger, 'a.test')
    const listed = (await reportJson(reporting, ['list'])) as object
    const shown = await reportJson(reporting, ['show', 'a.test'])
    for (const object of [listed, shown])
      for (const field of Object.keys(object)) assert.ok(page.includes(`"${field}":`), field)
  })
})
