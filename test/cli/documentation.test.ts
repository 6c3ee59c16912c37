import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { COMMANDS } from '../../dist/cli/commands.js'
import { ADVICE_CODES } from '../../dist/cli/explain/advice.js'
import { GENERAL_OPTIONS } from '../../dist/cli/options.js'
import { command, createInstance, policy } from './ground.ts'

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
  test('has the fields of a policy', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('good.test'))
    const { out } = await command(['sts', 'show', '--json', '-c', folder])
    const { policies } = JSON.parse(out) as { policies: [object] }
    for (const field of Object.keys(policies[0])) assert.ok(page.includes(`"${field}":`), field)
  })
})
