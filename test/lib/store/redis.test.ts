import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  defineScript,
  openRedis,
  type Done,
  type RedisEndpoint,
  type SharedRedis,
} from '../../../dist/lib/store/index.js'
import { bulk, createStandIn, error, well, type StandIn } from './redis-stand-in.ts'

const LIMIT = 200

interface Ground {
  readonly redis: SharedRedis
  readonly log: string[]
  /** monotonic, milliseconds: only what the pauses go by */
  clock: number
  readonly ping: () => Promise<Done<unknown>>
}

function open(t: TestContext, endpoint: RedisEndpoint, limit = LIMIT): Ground {
  const ground = { log: [] as string[], clock: 1_000_000 }
  const redis = openRedis({
    endpoint: () => Promise.resolve(endpoint),
    purpose: 'outcomes',
    log: (level, text) => ground.log.push(`${level} ${text}`),
    limit,
    clock: () => ground.clock,
  })
  t.after(() => redis.close())
  return Object.assign(ground, { redis, ping: () => redis.run((connection) => connection.send('PING')) })
}

async function openStandIn(
  t: TestContext,
  endpoint: RedisEndpoint = {},
): Promise<Ground & { readonly server: StandIn }> {
  const server = await createStandIn(t)
  return Object.assign(open(t, { host: '127.0.0.1', port: server.port, ...endpoint }), { server })
}

/** Waits until something holds, which must not take long. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await holds())) {
    assert.ok(performance.now() < end, 'never came to be')
    await sleep(5)
  }
}

/** A pause has passed, and whoever calls first has it tried again. */
async function comesBack(ground: Ground): Promise<void> {
  ground.clock += 10_000
  await until(async () => (await ground.ping()).ok)
}

describe('a Redis server that is not well', () => {
  test('that is not there: nothing can be done, at once, and it is said once a minute', async (t) => {
    const ground = open(t, { host: '127.0.0.1', port: 1 })
    const done = await ground.ping()
    assert.match(done.ok ? '' : done.text, /^Redis 127\.0\.0\.1:1 \(outcomes\): connect ECONNREFUSED/)
    for (let count = 0; count < 50; count++) {
      ground.clock += 1000
      assert.equal((await ground.ping()).ok, false)
    }
    assert.equal(ground.log.length, 1)
    assert.match(ground.log[0] ?? '', /^crit Redis 127\.0\.0\.1:1 \(outcomes\): /)
    ground.clock += 10_000
    await until(async () => {
      await ground.ping()
      return ground.log.length === 2
    })
  })

  test('that hangs: the first one waits for the time limit, and nobody after that', async (t) => {
    const ground = await openStandIn(t)
    ground.server.answer = () => undefined
    const began = performance.now()
    const first = await Promise.all([ground.ping(), ground.ping()])
    assert.ok(first.every(({ ok }) => !ok))
    assert.ok(performance.now() - began >= LIMIT - 1)

    const then = performance.now()
    for (let count = 0; count < 1000; count++) {
      ground.clock += 1000 // tried again and again meanwhile
      const done = await ground.ping()
      assert.match(done.ok ? '' : done.text, /no answer within 200 ms/)
    }
    assert.ok(performance.now() - then < LIMIT, 'somebody has waited')

    ground.server.answer = well
    await comesBack(ground)
    assert.match(ground.log.join('\n'), /^crit .*no answer[^\n]*\nnotice .*connected again$/)
  })

  test('that hangs later: work under way is given up together, and it is connected again by itself', async (t) => {
    const ground = await openStandIn(t)
    await ground.ping()
    ground.server.answer = (command) => (command === 'INFO' ? well(command) : undefined)
    const done = await Promise.all(Array.from({ length: 20 }, () => ground.ping()))
    assert.ok(done.every(({ ok }) => !ok))
    assert.equal((await ground.ping()).ok, false)
    assert.equal(ground.server.connections(), 1)
    ground.server.answer = well
    ground.clock += 10_000
    await until(() => ground.log.some((line) => line.endsWith('connected again'))) // though nobody needs it meanwhile
    assert.equal(ground.server.connections(), 2)
  })

  test('pauses become longer, up to ten seconds', async (t) => {
    const ground = await openStandIn(t)
    ground.server.answer = () => error('LOADING Redis is loading the dataset in memory')
    await ground.ping()
    for (let tries = 2; tries < 12; tries++) {
      ground.clock += 10_000
      await until(async () => {
        await ground.ping()
        return ground.server.connections() === tries
      })
      await sleep(20)
    }
    const before = ground.server.connections()
    ground.clock += 4999
    for (let count = 0; count < 10; count++) await ground.ping()
    await sleep(20)
    assert.equal(ground.server.connections(), before)
  })

  for (const [why, reply] of [
    ['a replica', "READONLY You can't write against a read only replica."],
    ['one that loads its data', 'LOADING Redis is loading the dataset in memory'],
    ['one that wants a password', 'NOAUTH Authentication required.'],
    ['one that is busy with a script', 'BUSY Redis is busy running a script.'],
    ['one that has lost its master', 'MASTERDOWN Link with MASTER is down'],
  ] as const) {
    test(`${why} is left, and the next connection finds who has taken its place`, async (t) => {
      const ground = await openStandIn(t)
      await ground.ping()
      ground.server.answer = (command) => (command === 'INFO' ? well(command) : error(reply))
      const done = await ground.ping()
      assert.match(done.ok ? '' : done.text, new RegExp(reply.slice(0, 8)))
      ground.server.answer = well
      await comesBack(ground)
      assert.equal(ground.server.connections(), 2)
    })
  }

  for (const [why, info, said] of [
    ['a replica', 'role:slave', /a replica, which takes no writes/],
    ['one that loads its data', 'role:master\r\nloading:1', /still loading its data/],
    ['a cluster', 'role:master\r\ncluster_enabled:1', /Cluster, which is not supported/],
  ] as const) {
    test(`${why} is known by what it says of itself`, async (t) => {
      const ground = await openStandIn(t)
      ground.server.answer = (command) => (command === 'INFO' ? bulk(`${info}\r\n`) : '+OK\r\n')
      const done = await ground.ping()
      assert.match(done.ok ? '' : done.text, said)
      assert.match(ground.log.join('\n'), said)
    })
  }

  test('that is full fails what needs memory, goes on reading, and is said to', async (t) => {
    const ground = await openStandIn(t)
    await ground.ping()
    ground.server.answer = (command) =>
      command === 'SET' ? error("OOM command not allowed when used memory > 'maxmemory'.") : well(command)
    const done = await ground.redis.run((connection) => connection.send('SET', 'a', 'b'))
    assert.match(done.ok ? '' : done.text, /OOM/)
    assert.equal((await ground.ping()).ok, true)
    assert.equal(ground.server.connections(), 1)
    assert.match(ground.log.join('\n'), /^crit .*OOM/)
  })

  test('that hangs up between two calls is connected again, and nobody notices', async (t) => {
    const ground = await openStandIn(t)
    for (let count = 1; count <= 3; count++) {
      assert.equal((await ground.ping()).ok, true)
      assert.equal(ground.server.connections(), count)
      ground.server.hangUp()
      await sleep(50)
    }
    assert.deepEqual(ground.log, [])
  })

  test('that hangs up in the middle fails the work, which can be done again', async (t) => {
    const ground = await openStandIn(t)
    await ground.ping()
    ground.server.answer = (command) => (command === 'PING' ? (ground.server.hangUp(), undefined) : well(command))
    assert.equal((await ground.ping()).ok, false)
    ground.server.answer = well
    assert.equal((await ground.ping()).ok, true)
  })

  test('that answers what is no RESP is given up', async (t) => {
    const ground = await openStandIn(t)
    ground.server.answer = () => 'HTTP/1.1 400 Bad Request\r\n\r\n'
    assert.equal((await ground.ping()).ok, false)
    ground.server.answer = well
    await comesBack(ground)
  })

  test('of which the endpoint cannot be told fails the work', async (t) => {
    const redis = openRedis({
      endpoint: () => Promise.reject(new Error('no such file')),
      purpose: 'x',
      log: () => undefined,
    })
    t.after(() => redis.close())
    assert.deepEqual(await redis.run(() => Promise.resolve(1)), { ok: false, text: 'Redis (x): no such file' })
  })
})

describe('a password', () => {
  test('is never shown, not even where the server repeats it', async (t) => {
    const password = 'correct-horse'
    for (const endpoint of [{ password }, { username: 'haraka', password }]) {
      const ground = await openStandIn(t, endpoint)
      ground.server.answer = (command, words) =>
        error(`ERR unknown command \`${command}\`, with args beginning with: ${words.join(' ')}`)
      const done = await ground.ping()
      assert.match(done.ok ? '' : done.text, /unknown command/)
      assert.ok(ground.server.commands.some((words) => words.includes(password)))
      assert.ok(!JSON.stringify([done, ground.log]).includes(password))
    }
  })
  test('of a URL neither', async (t) => {
    const server = await createStandIn(t)
    const ground = open(t, { url: `redis://haraka:correct%20horse@127.0.0.1:${server.port}/2` })
    server.answer = (command, words) => error(`ERR unknown command \`${command}\`: ${words.join(' ')}`)
    const done = await ground.ping()
    assert.ok(server.commands.some((words) => words.includes('correct horse')))
    assert.ok(!/correct.*horse/.test(JSON.stringify([done, ground.log])))
  })
  test('and a URL that is none is not repeated', async (t) => {
    const ground = open(t, { url: 'redis//haraka:correct-horse@x' })
    const done = await ground.ping()
    assert.equal(done.ok, false)
    assert.ok(!JSON.stringify([done, ground.log]).includes('correct-horse'))
  })
})

describe('a server that may evict', () => {
  const evicting = (command: string) =>
    command === 'INFO' ? bulk('role:master\r\nmaxmemory:100000\r\nmaxmemory_policy:allkeys-lru\r\n') : '+OK\r\n'

  test('is warned of, once an hour at most', async (t) => {
    const ground = await openStandIn(t)
    ground.server.answer = evicting
    for (let count = 0; count < 3; count++) {
      assert.equal((await ground.ping()).ok, true)
      ground.server.hangUp()
      await sleep(50)
    }
    assert.equal(ground.server.connections(), 3)
    assert.equal(ground.log.length, 1)
    assert.match(ground.log[0] ?? '', /^warn .*may evict .*allkeys-lru.*noeviction$/)
  })
  for (const info of ['maxmemory:0\r\nmaxmemory_policy:allkeys-lru', 'maxmemory:1000\r\nmaxmemory_policy:noeviction']) {
    test(`is not one with ${info.replace('\r\n', ', ')}`, async (t) => {
      const ground = await openStandIn(t)
      ground.server.answer = (command) => (command === 'INFO' ? bulk(`role:master\r\n${info}\r\n`) : '+OK\r\n')
      await ground.ping()
      assert.deepEqual(ground.log, [])
    })
  }
  test('cannot be told where INFO is forbidden, and is used all the same', async (t) => {
    const ground = await openStandIn(t)
    ground.server.answer = (command) =>
      command === 'INFO' ? error("NOPERM this user has no permissions to run the 'info' command") : '+OK\r\n'
    assert.equal((await ground.ping()).ok, true)
  })
})

describe('a connection', () => {
  test('is made when it is first needed, by all who need it together', async (t) => {
    const ground = await openStandIn(t)
    await sleep(20)
    assert.equal(ground.server.connections(), 0)
    await Promise.all(Array.from({ length: 20 }, ground.ping))
    assert.equal(ground.server.connections(), 1)
  })
  test('is used for nothing once it is closed', async (t) => {
    const ground = await openStandIn(t)
    await ground.ping()
    ground.redis.close()
    assert.deepEqual(await ground.ping(), { ok: false, text: 'closed' })
    assert.deepEqual(ground.log, [])
  })
  test('that is closed while it is made is made no more', async (t) => {
    const ground = await openStandIn(t)
    const done = ground.ping()
    ground.redis.close()
    assert.equal((await done).ok, false)
    await until(async () => !(await ground.ping()).ok)
    assert.deepEqual(ground.log, [])
  })
  test('sends the text of a script only where the server does not know it', async (t) => {
    const ground = await openStandIn(t)
    let isKnown = false
    ground.server.answer = (command) => {
      if (command === 'EVALSHA' && !isKnown) return error('NOSCRIPT No matching script. Please use EVAL.')
      if (command === 'EVAL') isKnown = true
      return command.startsWith('EVAL') ? ':1\r\n' : well(command)
    }
    const script = defineScript('return 1')
    const run = (): Promise<Done<unknown>> =>
      ground.redis.run((connection) => connection.script(script, ['k'], ['a', 2]))
    assert.deepEqual(
      [await run(), await run()],
      [
        { ok: true, value: 1 },
        { ok: true, value: 1 },
      ],
    )
    assert.deepEqual(
      ground.server.commands.filter(([command]) => command?.startsWith('EVAL')),
      [
        ['EVALSHA', script.sha1, '1', 'k', 'a', '2'],
        ['EVAL', 'return 1', '1', 'k', 'a', '2'],
        ['EVALSHA', script.sha1, '1', 'k', 'a', '2'],
      ],
    )
  })
})
