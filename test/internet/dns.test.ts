import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import net from 'node:net'
import { Resolver } from 'node:dns/promises'
import { after, before, beforeEach, describe, test } from 'node:test'
import { startDns, type DnsServer } from './dns.ts'

interface Answer {
  rcode: string
  flag_ad: boolean
  flag_tc: boolean
  answers: { name: string; type: string; data: unknown }[]
  authorities: { type: string }[]
  additionals: { type: string; options?: { code: number; data: Buffer }[] }[]
}
const packets = createRequire(import.meta.url)('dns-packet') as {
  encode(packet: object): Buffer
  streamEncode(packet: object): Buffer
  decode(bytes: Buffer): Answer
}

const query = (name: string, type: string, flags = 0x120) => ({
  type: 'query',
  id: 7,
  flags,
  questions: [{ name, type }],
  additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232 }],
})

describe("the private internet's DNS", () => {
  let dns: DnsServer
  before(async () => void (dns = await startDns()))
  after(() => dns.stop())
  beforeEach(() => {
    Object.assign(dns.switches, { validates: true, explains: true, answers: true, delay: 0 })
    dns.forgetQueries()
  })

  const ask = async (name: string, type: string, flags?: number): Promise<Answer> => {
    const socket = dgram.createSocket('udp4')
    try {
      socket.send(packets.encode(query(name, type, flags)), dns.port, dns.address)
      const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(200) })) as [Buffer]
      return packets.decode(answer)
    } finally {
      socket.close()
    }
  }
  const askTcp = async (name: string, type: string): Promise<Answer> => {
    const socket = net.connect(dns.port, dns.address)
    socket.write(packets.streamEncode(query(name, type)))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return packets.decode(answer.subarray(2))
  }

  test('a secure name has AD for those who ask for it, and so has what is below it, there or not', async () => {
    dns.declare('signed.test', { security: 'secure', MX: ['10 mx.signed.test'] })
    dns.declare('mx.signed.test', { A: ['127.1.1.1'], AAAA: ['::1'] })
    const mx = await ask('signed.test', 'MX')
    assert.equal(mx.flag_ad, true)
    assert.deepEqual(mx.answers[0]?.data, { preference: 10, exchange: 'mx.signed.test' })
    assert.equal((await ask('mx.signed.test', 'A')).answers[0]?.data, '127.1.1.1')
    const absent = await ask('_25._tcp.mx.signed.test', 'TLSA')
    assert.deepEqual([absent.rcode, absent.flag_ad, absent.authorities[0]?.type], ['NXDOMAIN', true, 'SOA'])
    assert.equal((await ask('signed.test', 'MX', 0x100)).flag_ad, false)
    assert.equal((await ask('signed.test', 'DNSKEY')).flag_ad, true)
  })

  test('one insecure link makes the chain insecure, a bogus one makes it fail', async () => {
    dns.declare('alias.test', { security: 'secure', CNAME: 'middle.test' })
    dns.declare('middle.test', { security: 'insecure', CNAME: 'end.test' })
    dns.declare('end.test', { security: 'secure', A: ['127.1.1.2'] })
    const insecure = await ask('alias.test', 'A')
    assert.deepEqual([insecure.flag_ad, insecure.answers.map(({ type }) => type)], [false, ['CNAME', 'CNAME', 'A']])
    dns.declare('middle.test', { security: 'secure' })
    assert.equal((await ask('alias.test', 'A')).flag_ad, true)
    dns.declare('middle.test', { security: 'bogus' })
    assert.equal((await ask('alias.test', 'A')).rcode, 'SERVFAIL')
  })

  test('a bogus answer says so by EDE 6, unless told not to, and is served where nobody validates', async () => {
    dns.declare('bogus.test', { security: 'bogus', A: ['127.1.1.3'] })
    const errors = (answer: Answer) =>
      answer.additionals[0]?.options?.map(({ code, data }) => [code, data.readUInt16BE(0)])
    const explained = await ask('bogus.test', 'A')
    assert.deepEqual([explained.rcode, errors(explained)], ['SERVFAIL', [[15, 6]]])
    dns.switches.explains = false
    assert.deepEqual(errors(await ask('bogus.test', 'A')), [])
    dns.switches.validates = false
    assert.equal((await ask('bogus.test', 'A')).answers[0]?.data, '127.1.1.3')
  })

  test('lookups go wrong by type as they are told', async () => {
    dns.declare('wrong.test', {
      A: ['127.1.1.4'],
      TLSA: ['3 1 1 00ff'],
      trouble: { MX: 'refused', TLSA: 'truncated', TXT: 'timeout', AAAA: 'malformed' },
    })
    assert.equal((await ask('wrong.test', 'A')).rcode, 'NOERROR')
    assert.equal((await ask('wrong.test', 'MX')).rcode, 'REFUSED')
    await assert.rejects(ask('wrong.test', 'TXT'), { name: 'AbortError' })
    await assert.rejects(ask('wrong.test', 'AAAA'), Error)
    const truncated = await ask('wrong.test', 'TLSA')
    assert.deepEqual([truncated.flag_tc, truncated.answers.length], [true, 0])
    const { answers } = await askTcp('wrong.test', 'TLSA')
    assert.deepEqual(answers[0]?.data, { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from([0, 255]) })
    assert.deepEqual([dns.asked('wrong.test', 'TLSA'), dns.asked('wrong.test')], [2, 6])
  })

  test('what does not fit into a datagram is truncated by itself', async () => {
    dns.declare('long.test', { TXT: ['x'.repeat(2000)] })
    assert.equal((await ask('long.test', 'TXT')).flag_tc, true)
    const [record] = (await askTcp('long.test', 'TXT')).answers
    assert.equal(Buffer.concat(record?.data as Buffer[]).length, 2000)
  })

  test("records change, and Node's own resolver reads them", async () => {
    const resolver = new Resolver()
    resolver.setServers([dns.endpoint])
    dns.declare('plain.test', { MX: ['10 a.test'] })
    assert.equal((await resolver.resolveMx('plain.test'))[0]?.exchange, 'a.test')
    dns.declare('plain.test', { MX: ['10 b.test'] })
    assert.equal((await resolver.resolveMx('plain.test'))[0]?.exchange, 'b.test')
    dns.forget('plain.test')
    await assert.rejects(resolver.resolveMx('plain.test'), { code: 'ENOTFOUND' })
  })

  test('a delay delays', async () => {
    dns.declare('late.test', { A: ['127.1.1.5'], delay: 30 })
    dns.switches.delay = 20
    const start = performance.now()
    await ask('late.test', 'A')
    assert.ok(performance.now() - start >= 49)
  })
})
