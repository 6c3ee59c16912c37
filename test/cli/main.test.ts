import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { COMMANDS } from '../../dist/cli/commands.js'
import { command, createInstance, realCommand } from './ground.ts'

describe('--help', () => {
  const calls = [['--help'], ['-h'], ['sts', '--help'], ...COMMANDS.map(({ name }) => [...name, '--help'])]
  for (const args of calls) {
    test(`${args.join(' ')} fits a terminal, has examples, and is an answer`, async () => {
      const { code, out, err } = await command(args)
      assert.equal(code, 0)
      assert.equal(err, '')
      assert.match(out, /^Usage: outbound-tls/)
      assert.match(out, /\nExamples:\n {2}outbound-tls /)
      for (const line of out.split('\n')) assert.ok(line.length <= 80, line)
    })
  }
})

describe('a wrong call', () => {
  const calls: [string, string[], RegExp][] = [
    ['without a command', [], /^Usage:/],
    ['of half a command', ['sts'], /sts show/],
    ['of an unknown command', ['frobnicate'], /no command frobnicate/],
    ['of an unknown command that would steer the terminal', ['\x1b[2J'], /no command \\u\{1b\}\[2J/],
    ['with an unknown option', ['sts', 'show', '--frobnicate'], /--frobnicate/],
    ['with the option of another command', ['sts', 'show', '--no-wait'], /--no-wait/],
    ['with an option that lacks its value', ['sts', 'show', '-c'], /argument missing/],
    ['with too little', ['sts', 'drop'], /usage: outbound-tls sts drop DOMAIN/],
    ['with too much', ['sts', 'show', 'a.test', 'b.test'], /usage: outbound-tls sts show \[DOMAIN\]/],
    ['with what is no domain', ['sts', 'show', 'a..b'], /"a\.\.b" is no domain name/],
  ]
  for (const [what, args, problem] of calls) {
    test(`${what} ends with 2, and says so on standard error alone`, async () => {
      const { code, out, err } = await command(args)
      assert.equal(code, 2)
      assert.equal(out, '')
      assert.match(err, problem)
    })
  }
})

test('--version is that of the package', async () => {
  const manifest = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, 'utf8')) as { version: string }
  assert.equal((await command(['--version'])).out, manifest.version)
})

test('options may stand before the command', async (t) => {
  const { folder, cache } = createInstance(t)
  await cache.listPolicies()
  const { code, out } = await command(['--json', '-c', folder, 'sts', 'show'])
  assert.equal(code, 1)
  assert.deepEqual(JSON.parse(out), { schema: 1, policies: [] })
})

describe('the instance', () => {
  const read = async (t: test.TestContext, ini: string) => {
    const { folder, cache } = createInstance(t, { 'outbound-tls.ini': ini })
    await cache.listPolicies()
    return realCommand(['sts', 'show', '--json', '-c', folder])
  }

  test('is given by -c, else by HARAKA, else it is the current directory', async (t) => {
    const [one, two, three] = [createInstance(t), createInstance(t), createInstance(t)]
    const which = async (args: string[], env: Record<string, string>, cwd: string) =>
      /instance-\w+/.exec((await command(['sts', 'show', ...args], { env, cwd })).err)?.[0]
    const name = ({ folder }: { folder: string }) => folder.split('/').at(-1)
    assert.equal(await which(['-c', one.folder], { HARAKA: two.folder }, three.folder), name(one))
    assert.equal(await which([], { HARAKA: two.folder }, three.folder), name(two))
    assert.equal(await which([], {}, three.folder), name(three))
  })
  test('is asked for where there is none', async () => {
    const { code, err } = await command(['sts', 'show'], { cwd: '/' })
    assert.equal(code, 2)
    assert.match(err, /-c DIR/)
  })
  test('that has no configuration could not be read', async () => {
    const { code, err } = await command(['sts', 'show', '-c', '/nowhere'])
    assert.equal(code, 3)
    assert.match(err, /\/nowhere is no Haraka instance/)
  })
  test('says where its cache is', async (t) => {
    const { folder, cache } = createInstance(t, { 'outbound-tls.ini': '[store]\npath = data/tls.db\n' })
    await cache.listPolicies()
    const { code, err } = await command(['sts', 'show', '-c', folder])
    assert.equal(code, 3)
    assert.match(err.replaceAll('\n', ''), /data\/tls\.db: no such file/)
  })
  test('with a value that is not accepted: the words of the log, on standard error alone', async (t) => {
    const { code, out, err } = await read(t, '[main]\ndane = required\n')
    assert.equal(code, 3)
    assert.equal(out, '')
    assert.match(err, /^outbound-tls\.ini \[main\] dane = "required": accepted: optional, require, disable$/m)
  })
  test('with a line that haraka-config drops: standard output stays clean', async (t) => {
    const { code, out, err } = await read(t, '[main] ; comment\ndane\n')
    assert.equal(code, 3)
    assert.equal(out, '')
    assert.match(err, /line 1/)
  })
  test("with what contradicts Haraka's own settings", async (t) => {
    const { folder } = createInstance(t, {
      'outbound-tls.ini': '[main]\nstarttls = require\n',
      'outbound.ini': 'enable_tls = false\n',
    })
    const { code, err } = await command(['sts', 'show', '-c', folder])
    assert.equal(code, 3)
    assert.match(err, /enable_tls/)
  })
})
