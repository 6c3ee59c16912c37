import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CachedPolicy, StsCache } from '../../../dist/lib/mta-sts/index.js'
import { createWorld, DAY, DOMAIN, policyOf, policyText, UNREACHABLE, type World } from './world.ts'

function entry(world: World, change: Partial<CachedPolicy> = {}): CachedPolicy {
  const policy = policyOf(policyText('enforce'))
  const times = { fetchedAt: world.now, usedAt: world.now, refreshAt: world.now + DAY }
  return { domain: DOMAIN, id: '1', policy, ...times, failures: 0, ...change }
}

async function read(cache: StsCache, domain = DOMAIN): Promise<CachedPolicy | undefined> {
  const done = await cache.read(domain)
  assert.ok(done.ok, done.ok ? '' : done.text)
  return done.value
}

describe('the file of the cache', () => {
  test('keeps a policy across a restart, to the letter', async (t) => {
    const world = createWorld(t)
    const policy = policyOf(`${policyText('testing')}x: é\r\n\n`)
    const first = world.cache()
    await first.save(entry(world, { policy, refreshAt: undefined }))
    first.close()
    assert.deepEqual(await read(world.cache()), entry(world, { policy, refreshAt: undefined }))
  })

  test('T12: a restart with the policy host down applies the cached policy', async (t) => {
    const world = createWorld(t)
    const first = world.worker()
    await first.policyFor(DOMAIN)
    await first.close()
    world.policy = UNREACHABLE
    world.records = 'SERVFAIL'
    const evidence = await world.worker().policyFor(DOMAIN)
    assert.deepEqual([evidence.policy?.mode, evidence.source], ['enforce', 'cached-after-failure'])
  })

  test('a delivery to a known destination reads and writes no file of its own', async (t) => {
    const world = createWorld(t)
    const reads: string[] = []
    const cache = world.cache()
    const counting = { ...cache, read: (domain: string) => (reads.push(domain), cache.read(domain)) }
    const worker = world.worker({ cache: counting })
    for (let count = 0; count < 3; count++) await worker.policyFor(DOMAIN)
    const [before, size] = [reads.length, statSync(`${world.path}-wal`).size]
    for (let count = 0; count < 1000; count++) await worker.policyFor(DOMAIN)
    assert.equal(reads.length, before)
    assert.equal(statSync(`${world.path}-wal`).size, size)
  })
})

describe('a cache that cannot be used', () => {
  test('is looked past: what can be had live applies, and stays in memory', async (t) => {
    const world = createWorld(t)
    mkdirSync(world.path)
    const worker = world.worker()
    assert.equal((await worker.policyFor(DOMAIN)).source, 'fetched')
    world.records = 'SERVFAIL'
    assert.equal((await worker.policyFor(DOMAIN)).source, 'cached-after-failure')
    assert.equal(world.fetches.length, 1)
    assert.match(world.log.join('\n'), /^crit .*unable to open/)
  })

  for (const [why, records] of [
    ['a lookup that fails', 'SERVFAIL'],
    ['a policy that cannot be fetched', ['v=STSv1; id=1']],
    ['a malformed record', ['v=STSv1; id=-']],
  ] as const) {
    test(`and ${why} mean that nothing is known`, async (t) => {
      const world = createWorld(t)
      mkdirSync(world.path)
      world.records = records
      world.policy = UNREACHABLE
      const worker = world.worker()
      for (const evidence of [await worker.policyFor(DOMAIN), await worker.policyFor(DOMAIN)]) {
        assert.deepEqual([evidence.status, evidence.why], ['failed', 'cache-unreadable'])
      }
    })
  }
  test('and no record mean that there is no policy', async (t) => {
    const world = createWorld(t)
    mkdirSync(world.path)
    world.records = []
    assert.equal((await world.worker().policyFor(DOMAIN)).status, 'none')
  })
  test('T15: and a failed fetch mean no further one for five minutes', async (t) => {
    const world = createWorld(t)
    mkdirSync(world.path)
    world.policy = UNREACHABLE
    const worker = world.worker()
    for (let count = 0; count < 5; count++) await worker.policyFor(DOMAIN)
    assert.equal(world.fetches.length, 1)
  })

  test('for it is damaged: is put aside, loudly, and begun afresh', async (t) => {
    const world = createWorld(t)
    writeFileSync(world.path, 'damage '.repeat(1000))
    assert.equal((await world.worker().policyFor(DOMAIN)).source, 'fetched')
    assert.equal((await read(world.cache()))?.id, '1')
    assert.match(world.log.join('\n'), /^crit .*has been put aside/)
    assert.equal(readdirSync(world.directory).filter((name) => name.includes('damaged')).length, 1)
  })

  test('in a directory that is read-only: deliveries go on, and it heals', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await asNobody(world.directory, async () => {
      assert.equal((await worker.policyFor(DOMAIN)).source, 'fetched')
      assert.equal((await worker.policyFor(DOMAIN)).source, 'cached')
    })
    assert.match(world.log.join('\n'), /^crit /)
    await sleep(1100)
    world.clock += 1100
    await worker.policyFor(DOMAIN)
    await worker.close() // saves what could not be saved
    assert.equal((await read(world.cache()))?.id, '1')
  })

  test('for the disk is full: deliveries go on, and what was cached still applies', (t) => {
    const world = createWorld(t)
    const script = join(import.meta.dirname, 'full-disk.ts')
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 200; trap "" XFSZ; exec "$0" "$@"', process.execPath, script, world.path],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, stderr)
    const { sources, known, failures } = JSON.parse(stdout) as { sources: string[]; known: string; failures: number }
    assert.deepEqual(new Set(sources), new Set(['fetched']))
    assert.equal(known, 'cached')
    assert.ok(failures > 0, 'the disk was not full')
  })
})

/** Runs `work` where nothing can be written to a directory: as somebody else where we are root, whom no mode stops. */
async function asNobody(directory: string, work: () => Promise<void>): Promise<void> {
  chmodSync(directory, 0o555)
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(directory, 0o755)
  }
}

test('a process that is killed at any moment loses no policy that was saved, and damages nothing', async (t) => {
  const world = createWorld(t)
  const script = join(import.meta.dirname, 'writer.ts')
  const saved: string[] = []
  for (let round = 0; round < 20; round++) {
    const child = spawn(process.execPath, [script, world.path, `round-${round}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (data: Buffer) => (output += data.toString()))
    await once(child.stdout, 'data')
    await sleep(Math.random() * 40)
    child.kill('SIGKILL')
    await once(child, 'close')
    saved.push(...output.split('\n').slice(0, -1))
  }
  assert.ok(saved.length > 100, `only ${saved.length} saved`)
  const cache = world.cache()
  for (const domain of saved) assert.equal((await read(cache, domain))?.domain, domain)
  assert.deepEqual(world.log, [])
  assert.ok(!readdirSync(world.directory).some((name) => name.includes('damaged')))
})

test('several processes save at once and lose nothing', async (t) => {
  const world = createWorld(t)
  const script = join(import.meta.dirname, 'writer.ts')
  const outputs = await Promise.all(
    [1, 2, 3].map(async (number) => {
      const child = spawn(process.execPath, [script, world.path, `worker-${number}`, '100'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      child.stdout.on('data', (data: Buffer) => (output += data.toString()))
      await once(child, 'close')
      return output.split('\n').slice(0, -1)
    }),
  )
  const list = await world.cache().listPolicies()
  assert.deepEqual(list.ok && list.value.map(({ domain }) => domain).sort(), outputs.flat().sort())
  assert.equal(outputs.flat().length, 300)
})

describe('housekeeping', () => {
  test('the file is made where it belongs', async (t) => {
    const world = createWorld(t)
    await read(world.cache())
    assert.ok(existsSync(world.path))
    assert.equal(readFileSync(world.path).subarray(0, 15).toString(), 'SQLite format 3')
  })
})
