import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { command, createInstance, DAY, HOUR, NOW, policy, realCommand } from './ground.ts'

const FAILED = {
  id: '20260601T110000',
  at: NOW - HOUR,
  failure: { type: 'sts-policy-fetch-error', text: 'ECONNREFUSED' },
} as const

describe('sts show', () => {
  test('lists policies, with those that cannot be refreshed', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('good.test'))
    await cache.save(policy('old.test', { fetchedAt: NOW - 8 * DAY }, 'mode: testing'))
    await cache.save(policy('stuck.test', { failures: 3 }, 'mode: none'))
    await cache.noteFailedFetch('stuck.test', FAILED)

    const { code, out } = await command(['sts', 'show', '-c', folder])

    assert.equal(code, 0)
    assert.equal(
      out,
      [
        'MODE     EXPIRES        DOMAIN',
        'enforce  in 6 days      good.test',
        'testing  expired        old.test',
        'none     in 6 days      stuck.test',
        '                        Could not be refreshed, 3 times in a row:',
        '                        sts-policy-fetch-error.',
      ].join('\n'),
    )
  })
  test('shows one in full, however its domain is written', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('xn--bcher-kva.test', { failures: 1 }))
    await cache.noteFailedFetch('xn--bcher-kva.test', FAILED)

    const { code, out } = await command(['sts', 'show', 'Bücher.Test.', '-c', folder])

    assert.equal(code, 0)
    assert.equal(
      out,
      [
        'xn--bcher-kva.test',
        '  mode       enforce',
        '  mx         mx1.xn--bcher-kva.test',
        '             *.xn--bcher-kva.test',
        '  max_age    604800 (7 days)',
        '  id         20260601T000000',
        '  fetched    2026-06-01T10:00:00Z, 2 hours ago',
        '  expires    2026-06-08T10:00:00Z, in 6 days',
        '  refresh    2026-06-02T08:00:00Z, in 20 hours',
        '  last used  2026-06-01',
        '',
        'Could not be refreshed, once: sts-policy-fetch-error. The latest fetch failed',
        '(2026-06-01T11:00:00Z, 1 hour ago): sts-policy-fetch-error: ECONNREFUSED. The',
        'record announced id 20260601T110000.',
      ].join('\n'),
    )
  })
  test('says why there is none, and ends with 1', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.noteFailedFetch('none.test', FAILED)
    const { code, out } = await command(['sts', 'show', 'none.test', '-c', folder])
    assert.equal(code, 1)
    assert.match(out.replaceAll('\n', ' '), /no policy of none\.test .* failed 1 hour ago: .*ECONNREFUSED/)
    assert.equal((await command(['sts', 'show', 'other.test', '-c', folder])).code, 1)
  })
  test('as JSON: the documented fields', async (t) => {
    const { folder, cache } = createInstance(t)
    const saved = policy('good.test', {}, 'mode: enforce\nnote: \u009b2Jé')
    await cache.save(saved)

    const { code, out } = await command(['sts', 'show', 'good.test', '--json', '-c', folder])

    assert.equal(code, 0)
    assert.match(out, /^[\n -~]*$/)
    assert.deepEqual(JSON.parse(out), {
      schema: 1,
      policies: [
        {
          domain: 'good.test',
          id: '20260601T000000',
          mode: 'enforce',
          mx: ['mx1.good.test', '*.good.test'],
          maxAge: 604800,
          text: saved.policy.text,
          notes: [],
          fetchedAt: '2026-06-01T10:00:00Z',
          expiresAt: '2026-06-08T10:00:00Z',
          expired: false,
          refreshAt: '2026-06-02T08:00:00Z',
          lastUsedAt: '2026-06-01T11:00:00Z',
          failedRefreshes: 0,
          lastFailure: null,
        },
      ],
    })
  })
  test('as JSON, where there is none: the latest failure', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.noteFailedFetch('none.test', FAILED)
    const { code, out } = await command(['sts', 'show', 'none.test', '--json', '-c', folder])
    const { type, text } = FAILED.failure
    assert.equal(code, 1)
    assert.deepEqual(JSON.parse(out), {
      schema: 1,
      policies: [],
      lastFailure: { id: FAILED.id, at: '2026-06-01T11:00:00Z', type, text },
    })
  })
  test('marks what stands out where there are colours', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('good.test'))
    const { out } = await command(['sts', 'show', '-c', folder], { paint: (style, text) => `<${style}:${text}>` })
    assert.match(out, /<green:enforce> {2}in 6 days {6}good\.test/)
  })
})

describe('sts drop', () => {
  test('removes a policy and its failures', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('good.test'))
    await cache.noteFailedFetch('good.test', FAILED)
    const { code, out } = await command(['sts', 'drop', 'good.test', '-c', folder, '--json'])
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(out), { schema: 1, domain: 'good.test', dropped: true })
    assert.deepEqual(await cache.read('good.test'), { ok: true, value: undefined })
    assert.deepEqual(await cache.lastFailure('good.test'), { ok: true, value: undefined })
  })
  test('ends with 1 where there is nothing to drop', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.listPolicies()
    const { code, out } = await command(['sts', 'drop', 'good.test', '-c', folder])
    assert.equal(code, 1)
    assert.match(out, /no policy of good\.test/)
  })
})

describe('sts refresh', () => {
  test('waits until a worker has fetched', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('good.test'))
    const worker = async () => {
      const { value } = (await cache.takeRequests()) as { value: readonly string[] }
      for (const domain of value) await cache.save(policy(domain, { fetchedAt: NOW, id: 'new' }))
    }
    const { code, out } = await command(['sts', 'refresh', 'good.test', '-c', folder], { meanwhile: worker })
    assert.equal(code, 0)
    assert.equal(out, 'Fetched the policy of good.test: mode enforce, id new, expires in 7 days.')
  })
  test('says why a fetch failed, and what applies then', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('good.test'))
    const worker = async () => {
      const { value } = (await cache.takeRequests()) as { value: readonly string[] }
      for (const domain of value) await cache.noteFailedFetch(domain, { ...FAILED, at: NOW })
    }
    const said = await command(['sts', 'refresh', 'good.test', '-c', folder], { meanwhile: worker })
    assert.equal(said.code, 1)
    assert.match(said.out.replaceAll('\n', ' '), /ECONNREFUSED\. The cached one goes on applying: mode enforce/)
  })
  test('gives up where no worker takes the request, and leaves it', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.listPolicies()
    const { code, out } = await command(['sts', 'refresh', 'good.test', '--json', '-c', folder])
    assert.equal(code, 1)
    const result = 'not-taken'
    assert.deepEqual(JSON.parse(out), { schema: 1, domain: 'good.test', result, policy: null, lastFailure: null })
    assert.deepEqual(await cache.takeRequests(), { ok: true, value: ['good.test'] })
  })
  test('gives up where a worker does not come to an end', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.listPolicies()
    const { code, out } = await command(['sts', 'refresh', 'good.test', '-c', folder], {
      meanwhile: () => cache.takeRequests(),
    })
    assert.equal(code, 1)
    assert.match(out, /see\nHaraka's log|see Haraka's log/)
  })
  test('does not wait where it is told so', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.listPolicies()
    const { code } = await command(['sts', 'refresh', 'good.test', '--no-wait', '-c', folder])
    assert.equal(code, 0)
    assert.deepEqual(await cache.takeRequests(), { ok: true, value: ['good.test'] })
  })
})

describe('the cache', () => {
  test('is not made by the command', async (t) => {
    const { folder, path } = createInstance(t)
    for (const args of [['show'], ['refresh', 'a.test'], ['drop', 'a.test']]) {
      const { code, out, err } = await command(['sts', ...args, '-c', folder])
      assert.equal(code, 3)
      assert.equal(out, '')
      assert.match(err, /no such file/)
    }
    assert.ok(!existsSync(path))
  })
  test('that is damaged is left for a worker to put aside', async (t) => {
    const { folder, path } = createInstance(t)
    writeFileSync(path, 'garbage'.repeat(1000))
    const { code, err } = await command(['sts', 'show', '-c', folder])
    assert.equal(code, 3)
    assert.match(err, /not a\sdatabase/)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('damaged')),
      [],
    )
    rmSync(path)
  })
})

describe('the real command', () => {
  test('answers without colours where it does not write to a terminal', async (t) => {
    const { folder, cache } = createInstance(t)
    await cache.save(policy('good.test', { fetchedAt: Date.now() }))
    const { code, out, err } = await realCommand(['sts', 'show'], { cwd: folder })
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^MODE .*\nenforce {2}in 6 days {6}good\.test\n$/)
  })
  test('is not upset by a reader that has seen enough', async (t) => {
    const { folder, cache } = createInstance(t)
    for (let count = 0; count < 300; count++) await cache.save(policy(`d${count}.test`))
    const { promise, resolve } = Promise.withResolvers<string>()
    const { exec } = await import('node:child_process')
    const { program } = await import('./ground.ts')
    exec(`"${process.execPath}" "${program}" sts show --json -c "${folder}" | head -c 10`, (_, out, err) =>
      resolve(out + err),
    )
    assert.equal(await promise, '{\n  "schem')
  })
})
