import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { decode, type PacketRecord } from 'dns-packet'
import { planDomain, type Plan, type Planner } from '../../../dist/lib/delivery/index.js'
import { createResolver, type Resolver } from '../../../dist/lib/dns/index.js'
import { a, encodeReply, mx } from '../dns/scripted-server.ts'
import { world } from './world.ts'

const TIMEOUT = 5000
const HOSTS = 32
/** milliseconds until a name server answers that does */
const ANSWER = 20

/** A resolver on a clock and a network of the test's own: names that begin with "silent" get no answer. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let clock = 0
  const asked: string[] = []
  const after = <Value>(milliseconds: number, value: Value) =>
    new Promise<Value>((resolve) => setTimeout(() => resolve(value), milliseconds))
  let open = 0
  let most = 0
  const resolver: Resolver = createResolver({
    servers: [{ address: '192.0.2.53', port: 53 }],
    ...{ trustAd: true, timeout: TIMEOUT, attempts: 2, cacheSize: 10_000, selfTestNames: [], now: () => clock },
    exchange: async ({ query, timeout }) => {
      const { name = '', type = '' } = decode(query).questions[0] ?? {}
      asked.push(`${name} ${type}`)
      most = Math.max(most, ++open)
      const reply = name.startsWith('silent')
        ? after(timeout, { class: 'timeout', text: 'no answer' } as const)
        : after(ANSWER, encodeReply({ ad: true, answers: answersTo(name, type) }, query))
      return reply.finally(() => open--)
    },
  })
  const { planner } = world({}, { lookup: resolver.lookup, timeout: TIMEOUT })
  return {
    asked,
    most: () => most,
    planner: { ...planner, stsPolicyFor: undefined } satisfies Planner,
    now: () => clock,
    /** Lets time pass until `condition` holds, or 60 seconds have passed. */
    async until(condition: () => boolean) {
      for (const end = clock + 60_000; !condition() && clock < end; clock += 10, t.mock.timers.tick(10)) await turn()
      await turn()
    },
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function answersTo(name: string, type: string): PacketRecord[] {
  if (type === 'A') return [a(name)]
  if (type !== 'MX') return []
  const hosts = name.startsWith('bad')
    ? Array.from({ length: HOSTS }, (_, n) => `silent${n}.${name}`)
    : name.startsWith('half')
      ? [...Array.from({ length: 8 }, (_, n) => `silent${n}.${name}`), `mx.${name}`]
      : [`mx.${name}`]
  return hosts.map((exchange, n) => mx(name, n, exchange))
}

interface Planned {
  plan?: Plan
  took?: number
}

function plan({ planner, now }: ReturnType<typeof start>, domain: string): Planned {
  const began = now()
  const planned: Planned = {}
  void planDomain(planner, domain).then((found) => {
    planned.plan = found
    planned.took = now() - began
  })
  return planned
}

const hostsOf = ({ plan: found }: Planned) => (found?.status === 'hosts' ? found.hosts : [])
const isUsable = (planned: Planned) => hostsOf(planned).some(({ verdict }) => verdict.action === 'attempt')

describe('hosts whose name servers are silent', () => {
  test('a healthy domain waits less than a second beside a hundred messages to domains of 32 such hosts', async (t) => {
    const net = start(t)
    const bad = Array.from({ length: 100 }, (_, n) => plan(net, `bad${n}.test`))
    const waits: number[] = []
    for (let n = 0; bad.some(({ took }) => took === undefined); n++) {
      const healthy = plan(net, `healthy${n}.test`)
      await net.until(() => healthy.took !== undefined)
      assert.ok(isUsable(healthy))
      waits.push((healthy.took ?? Infinity) - 3 * ANSWER)
    }
    assert.ok(waits.length > 5)
    assert.ok(Math.max(...waits) < 1000, waits.join(' '))
    assert.ok(net.most() < 2200, `${net.most()} sockets`)
  })

  test('all time-outs of a plan together last one resolver time-out', async (t) => {
    const net = start(t)
    const bad = plan(net, 'bad.test')
    plan(net, 'healthy.test')
    await net.until(() => bad.took !== undefined)
    assert.ok((bad.took ?? Infinity) <= ANSWER + TIMEOUT + 20, `${bad.took}`)
    assert.equal(hostsOf(bad).length, HOSTS)
    assert.ok(hostsOf(bad).every(({ verdict }) => verdict.action === 'skip')) // D8
  })

  test('eight hosts are looked up at first, in the order of preference; the others when those stay silent', async (t) => {
    const net = start(t)
    const half = plan(net, 'bad.test')
    await net.until(() => net.asked.length > 1)
    const first = [
      'bad.test MX',
      ...Array.from({ length: 8 }, (_, n) => [`silent${n}.bad.test A`, `silent${n}.bad.test AAAA`]),
    ]
    assert.deepEqual(net.asked, first.flat())
    await net.until(() => half.took !== undefined)
    assert.equal(net.asked.length, 1 + 2 * HOSTS)
  })

  test('the ninth host is used where eight before it are silent', async (t) => {
    const net = start(t)
    const half = plan(net, 'half.test')
    await net.until(() => half.took !== undefined)
    assert.deepEqual(
      hostsOf(half).map(({ verdict }) => verdict.action),
      [...Array<string>(8).fill('skip'), 'attempt'],
    )
  })

  test('the next message does not wait for them', async (t) => {
    const net = start(t)
    const first = plan(net, 'half.test')
    await net.until(() => first.took !== undefined)
    const next = plan(net, 'half.test')
    await net.until(() => next.took !== undefined)
    assert.equal(next.took, 0)
    assert.ok(isUsable(next))
  })

  test('a host that two domains name does not wait among the silent hosts of the other one', async (t) => {
    const net = start(t)
    const lookup = net.planner.lookup
    for (let n = 0; n < 100; n++) void lookup(`silent${n}.test`, 'A', { group: 'bad.test' })
    let answered = 0
    void lookup('mx.shared.test', 'A', { group: 'bad.test' })
    void lookup('mx.shared.test', 'A', { group: 'healthy.test' }).then(() => (answered = net.now()))
    await net.until(() => answered > 0)
    assert.ok(answered <= ANSWER + 10, `${answered}`)
  })
})
