import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { follow, readMain, statusFile } from '../../dist/runtime/config.js'
import type { Plugin } from '../../dist/runtime/haraka.js'

const FILE = 'outbound-tls.status.ini'

/** Plugins of one Haraka, whose haraka-config tells only the last one who asked for a file that it has changed. */
function instance(t: TestContext, path: string, text = '') {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const log: string[] = []
  let [now, asked] = [path, 0]
  let last: (() => void) | undefined
  const write = (content: string) => writeFileSync(join(folder, FILE), content)
  const config = {
    root_path: folder,
    get: (_file: string, _type: 'ini', changed: () => void) => {
      last = changed
      asked++
      return { main: { path: now } }
    },
  }
  const level = (name: string) => (line: string) => log.push(`${name} ${line}`)
  write(text)
  return {
    plugin: () =>
      ({
        config,
        logcrit: level('crit'),
        lognotice: level('notice'),
        logwarn: level('warn'),
        loginfo: level('info'),
      }) as unknown as Plugin,
    log,
    write,
    asked: () => asked,
    change: (changed: string) => {
      now = changed
      last?.()
    },
  }
}

describe('a file of ours', () => {
  test('is read once for all plugins, and each of them hears that it has changed', (t) => {
    const { plugin, asked, change } = instance(t, '/tls')
    const heard: string[] = []
    const [one, other] = ['one', 'other'].map((name) => follow(plugin(), statusFile, () => heard.push(name)))
    assert.deepEqual([asked(), heard], [1, []])
    change('/other')
    assert.deepEqual([asked(), heard], [2, ['one', 'other']])
    assert.deepEqual([one?.settings?.path, other?.settings?.path], ['/other', '/other'])
  })

  test('is read once more where something else that it depends on has changed', (t) => {
    const { plugin, asked } = instance(t, '/tls')
    let heard = 0
    follow(plugin(), statusFile, () => heard++).reread()
    assert.deepEqual([asked(), heard], [2, 1])
  })

  test('never takes effect where it is wrong: the last good settings stay in force, where there are any', (t) => {
    for (const [before, isConfigured] of [
      ['/tls', true],
      ['nonsense', false],
    ] as const) {
      const { plugin, log, change } = instance(t, before)
      const followed = follow(plugin(), statusFile, () => assert.fail('nothing has changed'))
      log.length = 0
      change('no path')
      assert.match(log.join('\n'), /crit outbound-tls\.status\.ini \[main\] path/)
      assert.equal(log.join('\n').includes('the last good settings stay in force'), isConfigured)
      assert.equal(followed.settings?.path, isConfigured ? '/tls' : undefined)
      assert.equal(followed.errors.length, 1)
    }
  })

  test('says what is wrong at each reading, and once that nothing is any more', (t) => {
    const { plugin, log, change } = instance(t, '/tls')
    const followed = follow(plugin(), statusFile, () => undefined)
    for (const path of ['no path', '/tls', '/tls']) change(path)
    assert.match(log[0] ?? '', /^crit outbound-tls\.status\.ini \[main\] path/)
    assert.deepEqual(log.slice(1), [
      `crit ${FILE}: the last good settings stay in force`,
      `notice ${FILE}: nothing is wrong any more, the new settings are in force`,
    ])
    assert.deepEqual(followed.errors, [])
  })

  test('is wrong where haraka-config drops a line of it', (t) => {
    const { plugin } = instance(t, '/tls', 'nonsense\n')
    assert.match(
      follow(plugin(), statusFile, () => undefined).errors.join(),
      /outbound-tls\.status\.ini \[main\].*neither \[section\] nor key = value/,
    )
  })
})

describe('outbound-tls.ini', () => {
  const read = (ini: object) => readMain({ root_path: '/nowhere' }, ini, '')

  test('is wrong where a ca-file is not there', () => {
    const result = read({ main: { 'ca-file': 'missing.pem' } })
    assert.ok(!result.ok)
    assert.match(result.errors.join(), /ca-file = "missing\.pem".*ENOENT/)
  })

  test('leaves everything at its default where it is empty', () => {
    const result = read({ main: {} })
    assert.ok(result.ok)
    assert.equal(result.settings.store.path, 'outbound-tls.db')
  })

  for (const [what, store, expected] of [
    ['an sslmode that is not safe', 'postgresql://u:secret@db.example/n?sslmode=prefer', /sslmode = prefer/],
    ['a parameter that is not known', 'postgresql://u:secret@db.example/n?foo=bar', /not known: foo/],
    ['a root certificate that is not there', 'postgresql://u:secret@db.example/n?sslrootcert=/no.pem', /ENOENT/],
  ] as const)
    test(`is wrong where the url of PostgreSQL has ${what}, and the url is not shown`, () => {
      const result = read({ store: { engine: 'postgres', url: store } })
      assert.ok(!result.ok)
      assert.match(result.errors.join(), /^outbound-tls\.ini \[store\] url: /)
      assert.match(result.errors.join(), expected)
      assert.doesNotMatch(result.errors.join(), /secret|db\.example/)
      assert.ok(read({ store: { engine: 'sqlite', url: store } }).ok) // not in use
    })

  test("is wrong where libpq's variables say what cannot be used", (t) => {
    const before = process.env.PGPORT
    t.after(() => (before === undefined ? delete process.env.PGPORT : (process.env.PGPORT = before)))
    process.env.PGPORT = 'none'
    const result = read({ store: { engine: 'postgres' } })
    assert.ok(!result.ok)
    assert.match(result.errors.join(), /\[store\] engine = "postgres": the port of the server is not a number/)
  })
})
