/** What only a SQLite file can do to a store. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Calls, Done, StoreOptions } from '../../../dist/lib/store/index.js'
import { open, pathOf, sqlite } from '../../support/store.ts'
import { child, says, start } from './child.ts'
import { sql } from './probe.ts'

interface World {
  readonly probe: Calls<typeof sql.methods>
  readonly log: string[]
  readonly path: string
  readonly folder: string
  readonly names: () => Promise<string>
  readonly end: () => void
}

function world(t: TestContext, changes: Partial<StoreOptions & { readonly create: boolean }> = {}): World {
  const log: string[] = []
  const options = { ...sqlite.options(t), ...changes } as StoreOptions
  const store = open(t, options, (level, text) => log.push(`${level} ${text}`))
  const probe = store.module(sql)
  const path = 'path' in options ? options.path : ''
  const names = async (): Promise<string> => (await value(probe.all())).map(({ name }) => String(name)).join()
  return { probe, log, path, folder: dirname(pathOf(t)), names, end: store.end }
}

async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

async function failure(done: Promise<Done<unknown>>): Promise<string> {
  const result = await done
  return result.ok ? 'it went well' : result.text
}

const damaged = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => /^store\.db\.damaged-[\dTZ-]+$/.test(name))

describe('a SQLite file', () => {
  test('is made when it is first needed, for its owner only, as are its log and memory', async (t) => {
    const { probe, folder } = world(t)
    assert.deepEqual(readdirSync(folder), [])
    await value(probe.add('a'))
    const modes = readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)])
    assert.deepEqual(modes.sort(), [
      ['store.db', '600'],
      ['store.db-shm', '600'],
      ['store.db-wal', '600'],
    ])
  })

  test('is not made by those who must not', async (t) => {
    const { probe, folder } = world(t, { create: false, readOnly: true })
    assert.match(await failure(probe.all()), /store\.db: no such file$/)
    assert.deepEqual(readdirSync(folder), [])
  })

  test('is made by several processes at once', async (t) => {
    const script = `
      for (let i = 0; i < 20; i++) {
        const done = await probe.add('a')
        if (!done.ok) console.log(done.text)
      }`
    const said = await Promise.all(Array.from({ length: 4 }, () => child(t, script)))
    assert.deepEqual(said, Array(4).fill({ code: 0, out: '' }))
    assert.deepEqual(await value(world(t).probe.all()), [{ name: 'a', count: 80 }])
  })

  test('that is no database is put aside under a new name, loudly, by one of many, and a new one begun', async (t) => {
    writeFileSync(pathOf(t), 'garbage '.repeat(1000))
    const worlds = [world(t), world(t), world(t)]
    await Promise.all(worlds.map(({ probe }, index) => value(probe.add(String(index)))))
    assert.equal(await worlds[0]?.names(), '0,1,2')
    const [aside = '', ...others] = damaged(dirname(pathOf(t)))
    assert.equal(others.length, 0)
    assert.match(readFileSync(join(dirname(pathOf(t)), aside), 'utf8'), /^garbage /)
    const log = worlds.flatMap((each) => each.log)
    assert.deepEqual(log, [
      `crit ${pathOf(t)} is damaged: it has been put aside as ${pathOf(t)}${aside.slice(8)}, and a new one has been begun`,
    ])
  })

  test('that is damaged is left to those who may make one', async (t) => {
    writeFileSync(pathOf(t), 'garbage '.repeat(1000))
    const { probe, folder } = world(t, { create: false, readOnly: true })
    assert.match(await failure(probe.all()), /file is not a database/)
    assert.deepEqual(damaged(folder), [])
  })

  test('in which a page is damaged is put aside when the page is read', async (t) => {
    const first = world(t)
    const names = Array.from({ length: 2000 }, (_, index) => `${index} `.repeat(20))
    await value(first.probe.addBatch('w', 1, names))
    first.end()
    await sleep(300)
    const database = new DatabaseSync(first.path)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    writeFileSync(first.path, readFileSync(first.path).fill(0xee, 40_960))
    const second = world(t)
    assert.equal(await second.names(), '')
    assert.equal(damaged(first.folder).length, 1)
    assert.equal(await value(second.probe.add('a')), 1)
  })

  test('that is moved away or replaced is noticed, and another one used', async (t) => {
    const { probe, path, folder, log, names } = world(t)
    await value(probe.add('a'))
    for (const end of ['', '-wal', '-shm']) renameSync(path + end, join(folder, `moved${end}`))
    assert.equal(await names(), '')
    await value(probe.add('b'))
    assert.equal(await names(), 'b')
    assert.deepEqual(log, [
      `warn ${path} is another file than before, which has been moved, removed or replaced: this one is used`,
    ])
  })

  test('the log of one that is gone is not taken for that of the next one', async (t) => {
    const first = world(t)
    await value(first.probe.add('old'))
    const log = readFileSync(`${first.path}-wal`)
    first.end()
    await sleep(300)
    for (const end of ['', '-wal', '-shm']) rmSync(first.path + end, { force: true })
    writeFileSync(`${first.path}-wal`, log)
    assert.equal(await world(t).names(), '')
  })

  test('whose folder is missing fails calls, is told of once, and heals', async (t) => {
    const folder = join(dirname(pathOf(t)), 'missing')
    const { probe, log } = world(t, { path: join(folder, 'store.db') })
    for (let count = 0; count < 3; count++)
      assert.match(await failure(probe.add('a')), /store\.db: ENOENT: no such file or directory/)
    assert.equal(log.length, 1)
    mkdirSync(folder)
    assert.equal(await value(probe.add('a')), 1)
    assert.equal(log[1], 'notice store available again')
  })

  test('that cannot be looked at fails calls, and heals', async (t) => {
    const folder = join(dirname(pathOf(t)), 'folder')
    mkdirSync(folder)
    const { probe, log, names } = world(t, { path: join(folder, 'store.db') })
    await value(probe.add('a'))
    renameSync(folder, `${folder}-moved`)
    symlinkSync(folder, folder) // as a directory that may not be searched: stat fails, and not for want of a file
    for (let count = 0; count < 3; count++) assert.match(await failure(probe.add('b')), /ELOOP/)
    assert.equal(log.filter((line) => line.startsWith('crit')).length, 1)
    rmSync(folder)
    renameSync(`${folder}-moved`, folder)
    assert.equal(await value(probe.add('b')), 1)
    assert.equal(await names(), 'a,b')
  })

  test('that cannot be written is still read', async (t) => {
    const { probe, path, folder } = world(t)
    await value(probe.add('a'))
    chmodSync(folder, 0o555)
    for (const end of ['', '-wal', '-shm']) chmodSync(path + end, 0o444)
    const script = `console.log((await probe.all()).ok, (await probe.add('b')).text)`
    const isRoot = process.getuid?.() === 0
    const as = isRoot ? 'exec setpriv --reuid=65534 --regid=65534 --clear-groups' : undefined // root may write it
    const { out } = await child(t, script, sqlite.options(t), as)
    chmodSync(folder, 0o755)
    const [told, said] = out.trim().split('\n')
    assert.match(told ?? '', /^crit store unavailable: .*store\.db: attempt to write a readonly database$/)
    assert.match(said ?? '', /^true .*attempt to write a readonly database$/)
  })

  test('another process that is stopped in mid-transaction fails writes after some seconds, and no reads', async (t) => {
    const { probe, log, names } = world(t)
    await value(probe.add('a'))
    const stopped = start(t, `void probe.hold('b', 60_000); setInterval(() => console.log('holds'), 300)`)
    await says(stopped, 'holds')
    stopped.kill('SIGSTOP')
    const writing = failure(probe.add('c'))
    let isOver = false
    void writing.then(() => (isOver = true))
    for (let count = 0; count < 20; count++) assert.equal(await names(), 'a')
    assert.equal(isOver, false)
    assert.match(await writing, /database is locked/)
    assert.match(log.join(), /^crit store unavailable: .*store\.db: database is locked$/)
    stopped.kill('SIGKILL')
    assert.equal(await value(probe.add('c')), 1)
    assert.equal(await names(), 'a,c')
    assert.equal(log[1], 'notice store available again')
  })

  test('on a full disk takes no writes, loses nothing, and gives what it has', async (t) => {
    // as a full disk: no file of the process may grow beyond a size
    const script = `
      let written = 0, failed = ''
      for (let number = 1; number < 400 && failed === ''; number++) {
        const done = await probe.addBatch('w', number, Array.from({ length: 100 }, (_, i) => number + ' ' + i + 'x'.repeat(100)))
        if (done.ok) written += 100
        else failed = done.text
      }
      const [{ n }] = (await probe.all('SELECT count(*) AS n FROM probe')).value
      console.log(n === written, written > 0, failed)`
    const { out } = await child(t, script, sqlite.options(t), 'ulimit -f 2000; trap "" XFSZ; exec')
    const lines = out.trim().split('\n')
    assert.match(lines.at(-1) ?? '', /^true true .*(disk is full|disk I\/O error)/)
    assert.match(lines[0] ?? '', /^crit store unavailable: /)
  })
})
