import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Answer, Lookup, RecordType, Security } from '../../../dist/lib/dns/index.js'
import { findTlsa, type TlsaEvidence } from '../../../dist/lib/dane/index.js'

const host = 'mx1.example.test'
const tlsa = { usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32, 1) }
const pkix = { usage: 1, selector: 1, matchingType: 1, data: Buffer.alloc(32, 1) }
const failure = { class: 'server-failure', text: 'SERVFAIL' } as const

const chain = (name: string, alias: string | undefined, security: Security) => ({
  name,
  canonicalName: alias ?? name,
  aliases: alias === undefined ? [] : [name],
  security,
  ttl: 60_000,
})
const failed = (name = host) => ({ status: 'failed', name, failure }) as const
const absent = (security: Security = 'secure', name = host) =>
  ({ ...chain(name, undefined, security), status: 'absent', why: 'nodata' }) as const

const v4 = (security: Security, alias?: string) =>
  ({ ...chain(host, alias, security), status: 'found', records: ['192.0.2.1'] }) satisfies Answer<'A'>
const v6 = (security: Security, alias?: string) =>
  ({ ...chain(host, alias, security), status: 'found', records: ['2001:db8::1'] }) satisfies Answer<'AAAA'>
const records = (name: string, security: Security, ...list: (typeof tlsa)[]): Answer<'TLSA'> => ({
  ...chain(name, undefined, security),
  status: 'found',
  records: list,
})
const alias = (security: Security): Answer<'CNAME'> => ({
  ...chain(host, undefined, security),
  status: 'found',
  records: ['elsewhere.test'],
})

/** A resolver that knows these answers, fails for all other questions, and remembers what it was asked. */
function resolver(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = []
  const lookup = ((name: string, type: RecordType, options?: { fresh?: boolean }) => {
    asked.push(`${name} ${type}${options?.fresh === true ? ' fresh' : ''}`)
    return Promise.resolve(answers[`${name} ${type}`] ?? failed(name))
  }) as Lookup
  return { lookup, asked }
}

async function find(
  addresses: { a?: Answer<'A'>; aaaa?: Answer<'AAAA'> },
  answers: Readonly<Record<string, Answer>> = {},
  name = host,
  port = 25,
): Promise<{ evidence: TlsaEvidence; asked: string[] }> {
  const { lookup, asked } = resolver(answers)
  const both = { a: addresses.a ?? absent(), aaaa: addresses.aaaa ?? absent() }
  return { evidence: await findTlsa(lookup, name, port, both), asked }
}

const none = (why: string) => ({ status: 'none', why })

describe('finding TLSA records', () => {
  for (const address of ['192.0.2.1', '2001:db8::1', '[192.0.2.1]', '[IPv6:2001:db8::1]']) {
    test(`D18: ${address} has none, and DNS is not asked`, async () => {
      const { evidence, asked } = await find({ a: v4('secure') }, {}, address)
      assert.deepEqual(evidence, none('ip-address'))
      assert.deepEqual(asked, [])
    })
  }

  test('D28: insecure addresses: TLSA is not asked for', async () => {
    const { evidence, asked } = await find({ a: v4('insecure'), aaaa: v6('insecure') })
    assert.deepEqual(evidence, none('address-insecure'))
    assert.deepEqual(asked, [])
  })

  test('D27: without addresses nothing is asked', async () => {
    const { evidence, asked } = await find({})
    assert.deepEqual(evidence, none('not-looked-up'))
    assert.deepEqual(asked, [])
  })

  test('D31: without addresses, one lookup having failed, the host failed', async () => {
    const { evidence } = await find({ a: failed() })
    assert.deepEqual(evidence, { status: 'failed', name: host, baseDomain: host, failure })
  })

  test('D32: the port is that of the connection', async () => {
    const name = `_2525._tcp.${host}`
    const { evidence } = await find(
      { a: v4('secure') },
      { [`${name} TLSA`]: records(name, 'secure', tlsa) },
      host,
      2525,
    )
    assert.deepEqual(evidence, {
      status: 'found',
      baseDomain: host,
      queryName: name,
      records: [tlsa],
      usable: [tlsa],
      unusable: [],
    })
  })

  test('the name of the host is taken in lower case and without its final dot', async () => {
    const { asked } = await find({ a: v4('secure') }, {}, 'MX1.Example.TEST.')
    assert.deepEqual(asked, ['_25._tcp.mx1.example.test TLSA'])
  })

  test('one family fails: the other one counts, with its status', async () => {
    const secure = await find({ a: failed(), aaaa: v6('secure') })
    assert.deepEqual(secure.asked, ['_25._tcp.mx1.example.test TLSA'])
    const insecure = await find({ a: v4('insecure'), aaaa: failed() })
    assert.deepEqual(insecure.evidence, none('address-insecure'))
  })

  test('one family is secure and one is not: TLSA is asked for', async () => {
    const { asked } = await find({ a: v4('insecure'), aaaa: v6('secure') })
    assert.deepEqual(asked, ['_25._tcp.mx1.example.test TLSA'])
  })

  test('D8, D31: a TLSA lookup that fails makes the host fail', async () => {
    const { evidence } = await find({ a: v4('secure') })
    assert.deepEqual(evidence, { status: 'failed', name: `_25._tcp.${host}`, baseDomain: host, failure })
  })

  test('D5: a denial is no failure, secure or not', async () => {
    for (const security of ['secure', 'insecure'] as const) {
      const { evidence } = await find({ a: v4('secure') }, { [`_25._tcp.${host} TLSA`]: absent(security) })
      assert.deepEqual(evidence, none('absent'))
    }
  })

  test('D15: an insecure TLSA RRset does not count', async () => {
    const name = `_25._tcp.${host}`
    const { evidence } = await find({ a: v4('secure') }, { [`${name} TLSA`]: records(name, 'insecure', tlsa) })
    assert.deepEqual(evidence, none('insecure'))
  })

  test('D33: a TLSA name that is an alias does not change the base domain', async () => {
    const name = `_25._tcp.${host}`
    const answer = { ...records(name, 'secure', tlsa), canonicalName: 'tlsa._dane.example.test', aliases: [name] }
    const { evidence } = await find({ a: v4('secure') }, { [`${name} TLSA`]: answer })
    assert.equal(evidence.status === 'found' && evidence.baseDomain, host)
  })

  test('D14, D34: an RRset without a usable record is found all the same', async () => {
    const name = `_25._tcp.${host}`
    const { evidence } = await find({ a: v4('secure') }, { [`${name} TLSA`]: records(name, 'secure', pkix) })
    assert.deepEqual(evidence.status === 'found' && [evidence.usable, evidence.unusable], [
      [],
      [{ record: pkix, why: 'usage 1 (PKIX-EE) is not for SMTP' }],
    ])
  })

  test('a name too long to have TLSA records has none', async () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(63)}`
    const { evidence, asked } = await find({ a: { ...v4('secure'), canonicalName: long } }, {}, long)
    assert.deepEqual(evidence, none('absent'))
    assert.deepEqual(asked, [])
  })

  test('a fresh search goes past the cache with all it asks', async () => {
    const { lookup, asked } = resolver({ [`${host} CNAME`]: alias('secure') })
    await findTlsa(lookup, host, 25, { a: v4('insecure', 'elsewhere.test'), aaaa: absent() }, { fresh: true })
    assert.deepEqual(asked, [`${host} CNAME fresh`, `_25._tcp.${host} TLSA fresh`])
  })
})

describe('finding TLSA records of an alias', () => {
  const target = 'elsewhere.test'
  const there = `_25._tcp.${target}`
  const here = `_25._tcp.${host}`

  test('D29: a secure alias: the expanded name comes first', async () => {
    const { evidence, asked } = await find(
      { a: v4('secure', target) },
      { [`${there} TLSA`]: records(there, 'secure', tlsa) },
    )
    assert.equal(evidence.status === 'found' && evidence.baseDomain, target)
    assert.deepEqual(asked, [`${there} TLSA`])
  })

  for (const [what, answer] of [
    ['no records', absent('secure', there)],
    ['insecure records', records(there, 'insecure', tlsa)],
  ] as const) {
    test(`D36: ${what} at the expanded name: the original one is tried`, async () => {
      const answers = { [`${there} TLSA`]: answer, [`${here} TLSA`]: records(here, 'secure', tlsa) }
      const { evidence, asked } = await find({ a: v4('secure', target) }, answers)
      assert.equal(evidence.status === 'found' && evidence.baseDomain, host)
      assert.deepEqual(asked, [`${there} TLSA`, `${here} TLSA`])
    })
  }

  test('D36: names between are never tried', async () => {
    const a = { ...v4('secure', target), aliases: [host, 'between.test'] }
    const { evidence, asked } = await find(
      { a },
      { [`${there} TLSA`]: absent(), [`${here} TLSA`]: records(here, 'insecure', tlsa) },
    )
    assert.deepEqual(evidence, none('insecure'))
    assert.deepEqual(asked, [`${there} TLSA`, `${here} TLSA`])
  })

  test('D34: unusable records at the expanded name win', async () => {
    const answers = {
      [`${there} TLSA`]: records(there, 'secure', pkix),
      [`${here} TLSA`]: records(here, 'secure', tlsa),
    }
    const { evidence } = await find({ a: v4('secure', target) }, answers)
    assert.equal(evidence.status === 'found' && evidence.baseDomain, target)
  })

  test('D8, D31: the lookup at the expanded name fails: the original one is not tried', async () => {
    const { evidence } = await find({ a: v4('secure', target) }, { [`${here} TLSA`]: records(here, 'secure', tlsa) })
    assert.deepEqual(evidence, { status: 'failed', name: there, baseDomain: target, failure })
  })

  test('D12, D29: insecure addresses behind a secure alias: the original name alone', async () => {
    const answers = { [`${host} CNAME`]: alias('secure'), [`${here} TLSA`]: records(here, 'secure', tlsa) }
    const { evidence, asked } = await find({ a: v4('insecure', target) }, answers)
    assert.equal(evidence.status === 'found' && evidence.baseDomain, host)
    assert.deepEqual(asked, [`${host} CNAME`, `${here} TLSA`])
  })

  test('D29: an insecure alias: DANE does not apply', async () => {
    for (const answer of [alias('insecure'), absent('insecure')]) {
      const { evidence } = await find({ a: v4('insecure', target) }, { [`${host} CNAME`]: answer })
      assert.deepEqual(evidence, none('address-insecure'))
    }
  })

  test('D31: the lookup of the alias fails: the host failed', async () => {
    const { evidence } = await find({ a: v4('insecure', target) })
    assert.deepEqual(evidence, { status: 'failed', name: host, baseDomain: host, failure })
  })
})
