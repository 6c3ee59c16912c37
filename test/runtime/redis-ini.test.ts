import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readRedisIni, redisEndpoint } from '../../dist/runtime/redis-ini.js'

type Plugin = Parameters<typeof readRedisIni>[0]

const require = createRequire(import.meta.url)
const harakaConfig = require('haraka-config') as {
  module_config: (defaults: string, overrides: string) => Parameters<typeof readRedisIni>[0]['config']
}

const NOTHING = {
  host: undefined,
  port: undefined,
  db: undefined,
  username: undefined,
  password: undefined,
  tls: undefined,
}
const HERE = { host: '127.0.0.1', port: 6379 }

describe('where the Redis server is', () => {
  for (const [why, ini, store, endpoint] of [
    ['without a word about it: here', { main: {} }, {}, HERE],
    ['without redis.ini', undefined, {}, HERE],
    ['as redis.ini says', { server: { host: 'redis.example', port: 6380 } }, {}, { host: 'redis.example', port: 6380 }],
    [
      '[store] over redis.ini, each key by itself',
      { server: { host: 'redis.example', port: 6380 } },
      { host: 'other.example' },
      { host: 'other.example', port: 6380 },
    ],
    [
      '[opts] holds for all',
      { opts: { password: 'battery', database: 3 } },
      {},
      { ...HERE, password: 'battery', database: 3 },
    ],
    ['[server] over [opts]', { server: { database: 4 }, opts: { database: 3 } }, {}, { ...HERE, database: 4 }],
    ['db is a name for database', { server: { db: 5 } }, {}, { ...HERE, database: 5 }],
    ['database 0 of [store] is one', { server: { database: 5 } }, { db: 0 }, { ...HERE, database: 0 }],
    ['database 0 of [store] is one, over db too', { server: { db: 5 } }, { db: 0 }, { ...HERE, database: 0 }],
    ['ip is a name for host', { server: { ip: '192.0.2.1' } }, {}, { host: '192.0.2.1', port: 6379 }],
    ['a Unix socket', { server: { path: '/run/redis.sock' } }, {}, { ...HERE, path: '/run/redis.sock' }],
    [
      'a host of [store] is meant instead of a socket',
      { server: { path: '/run/redis.sock' } },
      { host: '::1' },
      { host: '::1', port: 6379 },
    ],
    ['a URL', { server: { url: 'redis://redis.example' } }, {}, { ...HERE, url: 'redis://redis.example' }],
    ['a password that looks like a number', { server: { password: 12_345 } }, {}, { ...HERE, password: '12345' }],
    ['TLS', { server: { tls: 'true' } }, {}, { ...HERE, tls: true }],
    ['no TLS', { server: { tls: 'false' } }, {}, { ...HERE, tls: false }],
    ['TLS of [store]', { server: {} }, { tls: true, username: 'haraka' }, { ...HERE, tls: true, username: 'haraka' }],
  ] as const) {
    test(why, async () => assert.deepEqual(await redisEndpoint(ini, { ...NOTHING, ...store }), endpoint))
  }

  test('is read without taking from another plugin the notice of its changes', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'redis-ini-'))
    t.after(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'config'))
    const file = join(folder, 'config', 'redis.ini')
    writeFileSync(file, '[server]\nhost=redis.example\n')
    const reader = require('haraka-config/lib/reader.js') as {
      _read_args: Record<string, { cb?: unknown } | undefined>
    }
    const changed = (): void => undefined
    harakaConfig.module_config('/nowhere', folder).get('redis.ini', 'ini', changed)
    t.after(() =>
      (
        harakaConfig.module_config('/nowhere', folder) as unknown as { stop_watching: (name: string) => void }
      ).stop_watching(file),
    )

    const ini = readRedisIni({ config: harakaConfig.module_config('/elsewhere', folder) } as Plugin)
    assert.equal((ini as { server: { host: string } }).server.host, 'redis.example')
    assert.equal(reader._read_args[file]?.cb, changed)
  })
})
