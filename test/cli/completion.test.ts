import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { COMMANDS } from '../../dist/cli/commands.js'
import { command } from './ground.ts'

const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

async function scriptFile(t: TestContext, shell: string): Promise<string> {
  const { code, out } = await command(['completion', shell])
  assert.equal(code, 0)
  const folder = mkdtempSync(join(tmpdir(), 'completion-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, `script.${shell}`)
  writeFileSync(file, `${out}\n`)
  return file
}

/** What is typed, the last word unfinished, and what is offered. */
const typed: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['ex'], ['explain']],
  [
    ['sts', ''],
    ['show', 'refresh', 'drop'],
  ],
  [['sts', 'refresh', '--no'], ['--no-wait']],
  [['-c', 'explain', 'sts', 'sh'], ['show']],
  [['explain', 'example.org', '--retry'], ['--retry-num']],
  [['explain', '--sender', 'sts', '--ro'], ['--route']],
  [
    ['probe', '--last-error', ''],
    ['dns', 'connection', 'tls', 'dane', 'mta-sts', 'smtp'],
  ],
  [['completion', 'b'], ['bash']],
]

describe('completion', () => {
  for (const [words, offered] of typed) {
    test(`bash: ${words.join(' ')}`, async (t) => {
      const file = await scriptFile(t, 'bash')
      const array = ['outbound-tls', ...words].map((word) => `'${word}'`).join(' ')
      const script = `source ${file}; COMP_WORDS=(${array}); COMP_CWORD=${words.length}; _outbound_tls; printf '%s\\n' "\${COMPREPLY[@]}"`
      const out = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim()
      const found = out === '' ? [] : out.split('\n').filter((word) => words.at(-1) !== '' || !word.startsWith('-'))
      assert.deepEqual(found, offered)
    })

    test(`fish: ${words.join(' ')}`, { skip: !isThere('fish') }, async (t) => {
      const file = await scriptFile(t, 'fish')
      const script = `source ${file}; complete -C 'outbound-tls ${words.join(' ')}'`
      const out = execFileSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' }).trim()
      const found = out.split('\n').map((line) => line.split('\t')[0] ?? '')
      assert.deepEqual(found.filter((word) => word !== '').toSorted(), offered.toSorted())
    })
  }

  test('zsh: the script can be read', { skip: !isThere('zsh') }, async (t) => {
    execFileSync('zsh', ['-f', '-n', await scriptFile(t, 'zsh')])
  })

  for (const shell of ['bash', 'zsh', 'fish'])
    test(`${shell}: every command and option is in the script`, async () => {
      const { out } = await command(['completion', shell])
      for (const { name, options = {} } of COMMANDS) {
        for (const word of name) assert.ok(out.includes(word), word)
        for (const option of Object.keys(options)) assert.ok(out.includes(option), option)
      }
    })

  test('as JSON: the script', async () => {
    const { out } = await command(['completion', 'bash', '--json'])
    const { script, ...rest } = JSON.parse(out) as { script: string }
    assert.deepEqual(rest, { schema: 1, shell: 'bash' })
    assert.match(script, /\ncomplete -F _outbound_tls outbound-tls\n$/)
  })

  for (const shell of ['tcsh', 'toString'])
    test(`there is none for ${shell}`, async () => {
      const { code, err } = await command(['completion', shell])
      assert.equal(code, 2)
      assert.match(err, /none of bash, zsh, fish/)
    })
})
