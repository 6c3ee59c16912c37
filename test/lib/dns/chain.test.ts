import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MAX_LINKS, type Step, beginChain, followReply } from '../../../dist/lib/dns/chain.js'
import type { AnswerRecord, DnsReply } from '../../../dist/lib/dns/message.js'

const a = (name: string, ttl = 300, data = '192.0.2.1'): AnswerRecord => ({ name, type: 'A', ttl, data })
const cname = (name: string, data: string, ttl = 300): AnswerRecord => ({ name, type: 'CNAME', ttl, data })
const reply = (records: AnswerRecord[], rest: Partial<DnsReply> = {}): DnsReply => ({
  rcode: 0,
  isReferral: false,
  authenticated: true,
  records,
  soa: undefined,
  extendedErrors: [],
  size: 100,
  ...rest,
})
const follow = (records: AnswerRecord[], rest?: Partial<DnsReply>): Step =>
  followReply(beginChain('n0.test'), reply(records, rest), 'A')
const links = (count: number): AnswerRecord[] =>
  Array.from({ length: count }, (_, n) => cname(`n${n}.test`, `n${n + 1}.test`, 300 - n))

function end(step: Step): { aliases: readonly string[]; at: string; ttl: number; secure: boolean; what: unknown } {
  assert.ok('end' in step, JSON.stringify(step))
  const { chain, outcome } = step.end
  const what = outcome.status === 'found' ? outcome.records : outcome.why
  return { aliases: chain.aliases, at: chain.current, ttl: chain.ttl, secure: chain.authenticated, what }
}

const failure = (step: Step): string => {
  assert.ok('failure' in step, JSON.stringify(step))
  assert.equal(step.failure.class, 'malformed')
  return step.failure.text
}

describe('a CNAME chain', () => {
  test('D10: is followed in whatever order its links come, and its least TTL counts', () => {
    const records = [a('n3.test'), ...links(3).reverse(), a('elsewhere.test', 1)]
    assert.deepEqual(end(follow(records)), {
      aliases: ['n0.test', 'n1.test', 'n2.test'],
      at: 'n3.test',
      ttl: 298,
      secure: true,
      what: ['192.0.2.1'],
    })
  })

  test(`D10: of ${MAX_LINKS} links is followed, of one more is not`, () => {
    assert.equal(end(follow([...links(MAX_LINKS), a(`n${MAX_LINKS}.test`)])).aliases.length, MAX_LINKS)
    assert.match(failure(follow([...links(MAX_LINKS + 1), a(`n${MAX_LINKS + 1}.test`)])), /more than 16 links/)
  })

  test('D10: that is a loop fails, however long it is', () => {
    assert.match(failure(follow([cname('n0.test', 'n0.test')])), /loop/)
    assert.match(failure(follow([...links(5), cname('n5.test', 'n2.test')])), /loop/)
  })

  test('D10: is a loop also where several replies make it up', () => {
    const first = follow(links(1))
    assert.ok('next' in first)
    assert.match(failure(followReply(first.next, reply([cname('n1.test', 'n0.test')]), 'A')), /loop/)
  })

  test('D11: is insecure when one of its replies is', () => {
    for (const [one, other] of [
      [false, true],
      [true, false],
    ]) {
      const first = follow(links(1), { authenticated: one ?? false })
      assert.ok('next' in first)
      assert.equal(first.next.current, 'n1.test')
      const last = followReply(first.next, reply([a('n1.test', 7)], { authenticated: other ?? false }), 'A')
      assert.deepEqual(end(last), { aliases: ['n0.test'], at: 'n1.test', ttl: 7, secure: false, what: ['192.0.2.1'] })
    }
  })

  test('with two targets, or none that is a name, fails', () => {
    const twoTargets = [cname('n0.test', 'n1.test'), cname('n0.test', 'n2.test'), a('n1.test')]
    assert.match(failure(follow(twoTargets)), /malformed/)
    for (const defect of ['broken', 'not-a-host-name'] as const) {
      assert.match(failure(follow([{ name: 'n0.test', type: 'CNAME', ttl: 1, defect }])), /malformed/)
    }
  })

  test('the same link twice is one link', () => {
    assert.equal(end(follow([...links(1), ...links(1), a('n1.test')])).at, 'n1.test')
  })

  test('RFC 6604: NXDOMAIN is about its end', () => {
    const soa = { zone: 'test', ttl: 60 }
    assert.deepEqual(end(follow(links(2), { rcode: 3, soa })), {
      aliases: ['n0.test', 'n1.test'],
      at: 'n2.test',
      ttl: 60,
      secure: true,
      what: 'nxdomain',
    })
  })

  test('without records at its end it is NODATA where the SOA says so, and otherwise goes on', () => {
    assert.equal(end(follow(links(1), { soa: { zone: 'n1.test', ttl: 60 } })).what, 'nodata')
    assert.equal(end(follow(links(1), { soa: { zone: '', ttl: 60 } })).what, 'nodata')
    for (const soa of [undefined, { zone: 'other', ttl: 60 }, { zone: '1.test', ttl: 60 }]) {
      const step = follow(links(1), { soa })
      assert.ok('next' in step)
      assert.equal(step.next.current, 'n1.test')
    }
  })

  test('of a question for CNAME itself is not followed', () => {
    const step = followReply(beginChain('n0.test'), reply([...links(2), a('n2.test')]), 'CNAME')
    assert.deepEqual(end(step), { aliases: [], at: 'n0.test', ttl: 300, secure: true, what: ['n1.test'] })
  })

  test('several CNAMEs at one name are malformed when asked for, too', () => {
    const records = [cname('n0.test', 'n1.test'), cname('n0.test', 'n2.test')]
    assert.match(failure(followReply(beginChain('n0.test'), reply(records), 'CNAME')), /more records than the 1 that/)
  })
})

describe('the records at the end', () => {
  test('of an empty reply are NODATA, kept for a few seconds without SOA', () => {
    assert.deepEqual(end(follow([])), { aliases: [], at: 'n0.test', ttl: 5, secure: true, what: 'nodata' })
  })

  test('addresses beyond 64 are cut off', () => {
    const many = Array.from({ length: 70 }, (_, n) => a('n0.test', 300, `192.0.2.${n}`))
    assert.equal((end(follow(many)).what as unknown[]).length, 64)
  })

  test('more than 100 MX, TLSA or TXT records fail', () => {
    const mx = Array.from({ length: 101 }, (_, n): AnswerRecord => ({
      name: 'n0.test',
      type: 'MX',
      ttl: 1,
      data: { preference: n, exchange: 'x.test' },
    }))
    assert.match(failure(followReply(beginChain('n0.test'), reply(mx), 'MX')), /more records than the 100 that/)
    assert.deepEqual((end(followReply(beginChain('n0.test'), reply(mx.slice(1)), 'MX')).what as unknown[]).length, 100)
  })

  test('one broken record makes all of them suspect', () => {
    assert.match(
      failure(follow([a('n0.test'), { name: 'n0.test', type: 'A', ttl: 1, defect: 'broken' }])),
      /malformed data/,
    )
  })

  test('an MX record that points to no possible host leaves the others alone, alone it fails', () => {
    const bad: AnswerRecord = { name: 'n0.test', type: 'MX', ttl: 1, defect: 'not-a-host-name' }
    const good: AnswerRecord = { name: 'n0.test', type: 'MX', ttl: 1, data: { preference: 1, exchange: 'x.test' } }
    const follows = (records: AnswerRecord[]): Step => followReply(beginChain('n0.test'), reply(records), 'MX')
    assert.deepEqual(end(follows([bad, good])).what, [{ preference: 1, exchange: 'x.test' }])
    assert.match(failure(follows([bad])), /none of the names is a host name/)
  })

  test('what is broken elsewhere in the reply does not matter', () => {
    assert.equal(end(follow([a('n0.test'), { name: 'x.test', type: 'A', ttl: 1, defect: 'broken' }])).at, 'n0.test')
  })
})
