import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { postgresProblem, postgresServers } from '../../../dist/lib/store/postgres-options.js'

type Server = ReturnType<typeof postgresServers>[number]

function places(url: string | undefined, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  return postgresServers(url, environment).map(placeOf)
}

function placeOf({ host, port, user = '', password = '', database = '', ssl }: Server): string {
  return `${user}:${password}@${host}|${port}|${database} ${ssl === false ? 'plain' : 'TLS'}`
}

describe('where PostgreSQL is', () => {
  const urls: Readonly<Record<string, readonly string[]>> = {
    'postgresql://u:p%40ss@db.example:6432/name': ['u:p@ss@db.example|6432|name TLS'],
    'postgres://db.example': [':@db.example|5432| TLS'],
    'postgresql://u@db.example/n?sslmode=verify-full': ['u:@db.example|5432|n TLS'],
    'postgresql://u@a.example,b.example:6432/n?target_session_attrs=read-write': [
      'u:@a.example|5432|n TLS',
      'u:@b.example|6432|n TLS',
    ],
    'postgresql://u@[2001:db8::1]:6432/n': ['u:@2001:db8::1|6432|n TLS'],
    'postgresql://127.0.0.1/n': [':@127.0.0.1|5432|n plain'],
    'postgresql://[::1]/n': [':@::1|5432|n plain'],
    'postgresql://localhost/n?sslmode=prefer': [':@localhost|5432|n plain'],
    'postgresql://localhost/n?sslmode=require': [':@localhost|5432|n TLS'],
    'postgresql://127.0.0.1.example/n': [':@127.0.0.1.example|5432|n TLS'],
    'postgresql:///n?host=/run/postgresql&user=u': ['u:@/run/postgresql|5432|n plain'],
    'postgresql://%2Frun%2Fpostgresql/n': [':@/run/postgresql|5432|n plain'],
    '': [':@localhost|5432| plain'],
  }
  for (const [url, expected] of Object.entries(urls))
    test(`${url || 'no url'} is ${expected.join(' or ')}`, () => assert.deepEqual(places(url), expected))

  test('is as variables of libpq say, where the url does not; and there, too, with TLS', () => {
    const environment = {
      ...{ PGHOST: 'db.example', PGPORT: '6432', PGUSER: 'u', PGPASSWORD: 'p', PGDATABASE: 'n' },
    }
    assert.deepEqual(places(undefined, environment), ['u:p@db.example|6432|n TLS'])
    assert.deepEqual(places('postgresql://v@other.example:7777', environment), ['v:p@other.example|7777|n TLS'])
    assert.deepEqual(places(undefined, { PGHOST: '/run/postgresql' }), [':@/run/postgresql|5432| plain'])
    assert.deepEqual(places(undefined, { PGHOST: 'a.example,b.example', PGPORT: '1,2' }), [
      ':@a.example|1| TLS',
      ':@b.example|2| TLS',
    ])
  })

  for (const mode of ['disable', 'allow', 'prefer', 'require', 'verify-ca'])
    test(`sslmode = ${mode} is refused for a server elsewhere, wherever it is said`, () => {
      const expected = {
        message: `sslmode = ${mode}: only verify-full is safe for a server that is not on this machine`,
      }
      assert.throws(() => postgresServers(`postgresql://db.example/n?sslmode=${mode}`, {}), expected)
      assert.throws(() => postgresServers(undefined, { PGHOST: 'db.example', PGSSLMODE: mode }), expected)
    })

  test('what cannot be read is an error that gives no password away', () => {
    for (const url of [
      'mysql://u:secret@h/n',
      'u:secret@h',
      'postgresql://u:secret%zz@h/n',
      'postgresql://u:secret@h/n?sslmod=verify-full',
      'postgresql://u:secret@h/n?target_session_attrs=any',
      'postgresql://u:secret@h:port/n', // not localhost
      'postgresql://u:se/secret@h/n',
      'postgresql://u:12?secret@h/n',
    ])
      assert.throws(
        () => postgresServers(url, {}),
        ({ message }: Error) => message.startsWith('the url ') && !message.includes('secret'),
        url,
      )
  })

  test('a port is a number, wherever it is said', () => {
    const expected = { message: 'the port of the server is not a number from 1 to 65535' }
    for (const port of ['0', '65536', '54 32', 'x'])
      assert.throws(() => postgresServers(undefined, { PGPORT: port }), expected, port)
    assert.throws(() => postgresServers('postgresql://u@h:70000/n', {}), expected)
  })

  test('a problem is told before anything is connected, and the url is not', () => {
    const server = 'postgresql://u:secret@db.example/n'
    const problems = {
      [`${server}?sslmode=require`]: /^sslmode = require: only verify-full is safe/,
      [`${server}?connect_timeout=5`]: /^the url has a parameter that is not known: connect_timeout$/,
      [`${server}?sslrootcert=/nowhere/root.pem`]: /^ENOENT: .*\/nowhere\/root\.pem/,
      'postgresql://u:secret@db.example:x/n': /^the url has a host or a port that cannot be read$/,
    }
    for (const [url, expected] of Object.entries(problems)) {
      const problem = postgresProblem(url, {}) ?? ''
      assert.match(problem, expected)
      assert.doesNotMatch(problem, /secret|db\.example/)
    }
    assert.match(postgresProblem(undefined, { PGHOST: 'h', PGSSLMODE: 'allow' }) ?? '', /^sslmode = allow: /)
    assert.equal(postgresProblem(server, {}), undefined)
    assert.equal(postgresProblem(undefined, {}), undefined)
  })
})
