import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planDomain, undeliverableStatus, type Plan } from '../../../dist/lib/delivery/index.js'
import { DOMAIN, FAILED_STS, settings, sts } from '../policy/question.ts'
import { a, absent, failed, mx, tlsaAt, world, type Records } from './world.ts'

/** "mx1 required", "mx2 skip", … or what became of the domain. */
function summary(plan: Plan): string[] | string {
  if (plan.status === 'undeliverable') return plan.why
  if (plan.status === 'deferred') return plan.because.code
  return plan.hosts.map(({ name, verdict }) => `${name} ${verdict.action === 'skip' ? 'skip' : verdict.tls}`)
}

const mx1 = 'mx1.example.test'
const mx2 = 'mx2.example.test'
const usual: Records = {
  [`${DOMAIN} MX`]: mx([`10 ${mx1}`, `20 ${mx2}`]),
  [`${mx1} A`]: a(mx1),
  [`_25._tcp.${mx1} TLSA`]: tlsaAt(`_25._tcp.${mx1}`),
  [`${mx2} A`]: a(mx2, '192.0.2.2', 'insecure'),
}

describe('this machine among the MX hosts (RFC 5321 5.1)', () => {
  const isOwn = (address: string) => Promise.resolve(address === '192.0.2.9')
  const [me, mx3] = ['me.example.test', 'mx3.example.test']
  const planWith = (lines: readonly string[], records: Records = {}) =>
    planDomain(
      {
        ...world({
          ...usual,
          [`${me} A`]: a(me, '192.0.2.9'),
          [`${mx3} A`]: a(mx3),
          ...records,
          [`${DOMAIN} MX`]: mx(lines),
        }).planner,
        isOwn,
      },
      DOMAIN,
    )
  const namesOf = (plan: Plan) => (plan.status === 'hosts' ? plan.hosts.map(({ name }) => name) : summary(plan))

  test('hosts of its preference and worse ones are discarded, whatever their order in DNS', async () => {
    const lines = [`30 ${mx3}`, `20 ${mx2}`, `20 ${me}`, `10 ${mx1}`]
    assert.deepEqual(namesOf(await planWith(lines)), [mx1])
  })

  test('as the best host: nothing is left', async () =>
    assert.equal(namesOf(await planWith([`10 ${me}`, `10 ${mx1}`, `20 ${mx2}`])), 'mail-loop'))

  test('without MX records: nothing is left', async () => {
    const records = { [`${DOMAIN} A`]: a(DOMAIN, '192.0.2.9') }
    const plan = await planDomain({ ...world(records).planner, isOwn }, DOMAIN)
    assert.equal(namesOf(plan), 'mail-loop')
  })

  test('refused by its own policy it proves nothing, and ends no message', async () => {
    const records = { [`_25._tcp.${me} TLSA`]: failed(`_25._tcp.${me}`) }
    assert.deepEqual(namesOf(await planWith([`10 ${me}`, `20 ${mx2}`], records)), [me, mx2])
  })

  test('is no matter where mail may come back', async () => {
    const { planner } = world({ ...usual, [`${mx1} A`]: a(mx1, '192.0.2.9') })
    assert.deepEqual(namesOf(await planDomain(planner, DOMAIN)), [mx1, mx2])
  })
})

describe('a plan by MX records', () => {
  test('D26: three round trips: MX and STS side by side, addresses, TLSA where addresses are secure', async () => {
    const { planner, rounds } = world(usual)
    assert.deepEqual(summary(await planDomain(planner, DOMAIN)), [`${mx1} required`, `${mx2} opportunistic`])
    assert.deepEqual(
      rounds.map((round) => round.sort()),
      [
        [`${DOMAIN} MX`, `${DOMAIN} STS`],
        [`${mx1} A`, `${mx1} AAAA`, `${mx2} A`, `${mx2} AAAA`],
        [`_25._tcp.${mx1} TLSA`],
      ],
    )
  })

  test('D32: TLSA is asked for at the port that is connected to', async () => {
    const { planner, rounds } = world(usual, { mxPort: 2525 })
    const plan = await planDomain(planner, DOMAIN)
    assert.deepEqual(rounds[2], [`_2525._tcp.${mx1} TLSA`])
    assert.equal(plan.status === 'hosts' && plan.hosts[0]?.port, 2525)
  })

  test('D6: the MX lookup fails: deferred', async () => {
    const plan = await planDomain(world({ [`${DOMAIN} MX`]: failed(DOMAIN) }).planner, DOMAIN)
    assert.equal(summary(plan), 'mx-lookup-failed')
    assert.deepEqual(plan.status === 'deferred' && [plan.bogus, plan.because.status], [false, '4.4.3'])
  })

  test('D6: the MX lookup is bogus: deferred, and said to be so, also under audit', async () => {
    const { planner } = world({ [`${DOMAIN} MX`]: failed(DOMAIN, true) }, { settings: settings({ audit: true }) })
    const plan = await planDomain(planner, DOMAIN)
    assert.equal(plan.status === 'deferred' && plan.bogus, true)
  })

  test('D8: one host fails, the others do not', async () => {
    const records = { ...usual, [`_25._tcp.${mx1} TLSA`]: failed(`_25._tcp.${mx1}`) }
    assert.deepEqual(summary(await planDomain(world(records).planner, DOMAIN)), [`${mx1} skip`, `${mx2} opportunistic`])
  })

  for (const [dead, alive] of [
    ['A', 'AAAA'],
    ['AAAA', 'A'],
  ] as const)
    test(`D6: ${dead} fails: ${alive} counts, with its status`, async () => {
      const records = {
        ...usual,
        [`${mx1} A`]: undefined,
        [`${mx1} ${dead}`]: failed(mx1),
        [`${mx1} ${alive}`]: a(mx1, alive === 'A' ? '192.0.2.1' : '2001:db8::1'),
      }
      assert.deepEqual(summary(await planDomain(world(records).planner, DOMAIN))[0], `${mx1} required`)
    })

  for (const bogus of ['A', 'AAAA'] as const)
    test(`${bogus} is bogus, and the other fails, too: the address counts as bogus`, async () => {
      const records = {
        ...usual,
        [`${mx1} A`]: failed(mx1, bogus === 'A'),
        [`${mx1} AAAA`]: failed(mx1, bogus === 'AAAA'),
      }
      const plan = await planDomain(world(records).planner, DOMAIN)
      const addresses = plan.status === 'hosts' ? plan.hosts[0]?.evidence.addresses : undefined
      assert.equal(addresses?.status === 'failed' && addresses.bogus, true)
    })

  test('a null MX: undeliverable, and nothing else is looked up (RFC 7505)', async () => {
    const { planner, rounds } = world({ [`${DOMAIN} MX`]: mx(['0 ']) })
    assert.equal(summary(await planDomain(planner, DOMAIN)), 'null-mx')
    assert.equal(rounds.length, 1)
  })

  test('D30: no MX: the domain itself is the host, as secure as the proof that there is none', async () => {
    const records = {
      [`${DOMAIN} MX`]: absent(DOMAIN, 'insecure'),
      [`${DOMAIN} A`]: a(DOMAIN),
      [`_25._tcp.${DOMAIN} TLSA`]: tlsaAt(`_25._tcp.${DOMAIN}`),
    }
    const plan = await planDomain(world(records).planner, DOMAIN)
    assert.deepEqual(summary(plan), [`${DOMAIN} required`])
    assert.equal(plan.status === 'hosts' && plan.domain.mxSecurity, 'insecure')
  })

  test('no MX and no address: undeliverable; an address lookup that fails: not', async () => {
    const none = { [`${DOMAIN} MX`]: absent(DOMAIN) }
    assert.equal(summary(await planDomain(world(none).planner, DOMAIN)), 'no-mail-host')
    const broken = { ...none, [`${DOMAIN} A`]: failed(DOMAIN) }
    assert.deepEqual(summary(await planDomain(world(broken).planner, DOMAIN)), [`${DOMAIN} skip`])
  })

  describe('hosts that have no address', () => {
    const none = { [`${DOMAIN} MX`]: mx([`10 ${mx1}`, `20 ${mx2}`]) }

    test('are no place to deliver to: undeliverable, 5.4.4 (RFC 5321 5.1)', async () => {
      const plan = await planDomain(world(none).planner, DOMAIN)
      assert.ok(plan.status === 'undeliverable')
      assert.deepEqual([plan.why, undeliverableStatus[plan.why]], ['no-address', '5.4.4'])
      assert.equal(plan.text, `no host of ${DOMAIN} has an address: ${mx1}, ${mx2} (RFC 5321 5.1)`)
    })

    test('are waited for where one of them may have one', async () => {
      for (const answer of [a(mx2), failed(mx2)])
        assert.equal((await planDomain(world({ ...none, [`${mx2} A`]: answer }).planner, DOMAIN)).status, 'hosts')
    })

    test('are not believed in where an enforced policy names hosts, however the MX record is signed', async () => {
      for (const security of ['secure', 'insecure'] as const) {
        const records = { [`${DOMAIN} MX`]: mx([`10 ${mx1}`], security) }
        const plan = await planDomain(world(records, { sts: sts('enforce') }).planner, DOMAIN)
        assert.ok(plan.status === 'deferred')
        assert.equal(plan.because.status, '4.7.5')
      }
    })
  })

  describe('unsigned DNS that denies all mail for a domain whose enforced policy names hosts', () => {
    const denials = {
      'a null MX': { [`${DOMAIN} MX`]: mx(['0 '], 'insecure') },
      'neither MX nor address': { [`${DOMAIN} MX`]: absent(DOMAIN, 'insecure') },
    }
    for (const [what, records] of Object.entries(denials)) {
      const planned = (changes: Parameters<typeof world>[1]) => planDomain(world(records, changes).planner, DOMAIN)

      test(`is not believed: ${what}`, async () => {
        const plan = await planned({ sts: sts('enforce') })
        assert.ok(plan.status === 'deferred' && !plan.bogus)
        assert.deepEqual([plan.because.code, plan.because.status], ['sts-policy-mx-mismatch', '4.7.5'])
        assert.match(plan.because.text, /not signed, and the enforce policy of example\.test names hosts \(mx: mx1/)
        assert.equal((await planned({ sts: sts('enforce'), request: 'requiretls' })).status, 'deferred')
      })

      test(`is believed where no policy must be kept: ${what}`, async () => {
        for (const changes of [
          { sts: sts('testing') },
          { sts: sts('none') },
          { sts: sts('enforce'), request: 'tls-required-no' },
          { sts: sts('enforce'), settings: settings({ audit: true }) },
          { sts: sts('enforce'), settings: settings({ mtaSts: 'disable' }) },
        ] as const)
          assert.equal((await planned(changes)).status, 'undeliverable')
      })
    }

    test('is believed where it is signed', async () => {
      const records = { [`${DOMAIN} MX`]: mx(['0 '], 'secure') }
      assert.equal((await planDomain(world(records, { sts: sts('enforce') }).planner, DOMAIN)).status, 'undeliverable')
    })
  })

  test('D20, D42: where the next hop is an alias, what it stands for may be named, too', async () => {
    const records = { ...usual, [`${DOMAIN} MX`]: mx([`10 ${mx1}`], 'secure', 'real.test') }
    const plan = await planDomain(world(records).planner, DOMAIN)
    const verdict = plan.status === 'hosts' ? plan.hosts[0]?.verdict : undefined
    assert.deepEqual(verdict?.action === 'attempt' && verdict.referenceIdentifiers, [mx1, DOMAIN, 'real.test'])
  })

  test('U-labels are looked up as A-labels', async () => {
    const { planner, rounds } = world({})
    await planDomain(planner, 'Bücher.Test')
    assert.deepEqual(rounds[0]?.sort(), ['xn--bcher-kva.test MX', 'xn--bcher-kva.test STS'])
  })

  for (const domain of ['', 'a..b', 'exa mple.test', 'x'.repeat(64) + '.test', '[not-an-address]', 'a\r\nb.test'])
    test(`${JSON.stringify(domain)} is no domain: undeliverable, and nothing is asked`, async () => {
      const { planner, rounds } = world({})
      assert.equal(summary(await planDomain(planner, domain)), 'no-mail-host')
      assert.deepEqual(rounds, [])
    })

  for (const [literal, address] of [
    ['[192.0.2.1]', '192.0.2.1'],
    ['[IPv6:2001:db8::1]', '2001:db8::1'],
  ] as const)
    test(`T22, D18: ${literal}: nothing is looked up, no policy applies`, async () => {
      const { planner, rounds } = world({})
      const plan = await planDomain(planner, literal)
      assert.deepEqual(summary(plan), [`${address} opportunistic`])
      assert.deepEqual(rounds, [])
    })

  for (const key of ['dane', 'mtaSts'] as const)
    test(`${key} = require is a veto, for address literals as well`, async () => {
      const { planner } = world({}, { settings: settings({ [key]: 'require' }) })
      const plan = await planDomain(planner, '[192.0.2.1]')
      assert.ok(plan.status === 'deferred' || (plan.status === 'hosts' && plan.hosts[0]?.verdict.action === 'skip'))
    })

  test('mta-sts = disable: no policy is looked up; dane = disable: no TLSA', async () => {
    const { planner, rounds } = world(usual, { settings: settings({ mtaSts: 'disable', dane: 'disable' }) })
    assert.deepEqual(summary(await planDomain(planner, DOMAIN)), [`${mx1} opportunistic`, `${mx2} opportunistic`])
    assert.deepEqual(rounds[0], [`${DOMAIN} MX`])
    assert.equal(rounds.length, 2)
  })

  test('D22: insecure-mx = may: no TLSA is looked up behind an insecure MX record', async () => {
    const records = { ...usual, [`${DOMAIN} MX`]: mx([`10 ${mx1}`], 'insecure') }
    const { planner, rounds } = world(records, { settings: settings({ insecureMx: 'may' }) })
    assert.deepEqual(summary(await planDomain(planner, DOMAIN)), [`${mx1} opportunistic`])
    assert.equal(rounds.length, 2)
  })

  test('T25, T30: STS enforce: hosts are not filtered, those that are not listed are skipped', async () => {
    const { planner } = world({ ...usual, [`_25._tcp.${mx1} TLSA`]: undefined }, { sts: sts('enforce') })
    assert.deepEqual(summary(await planDomain(planner, DOMAIN)), [`${mx1} required`, `${mx2} skip`])
  })

  test('whether there is a policy cannot be known: deferred before any host is looked up', async () => {
    const { planner, rounds } = world(usual, { sts: FAILED_STS })
    assert.equal(summary(await planDomain(planner, DOMAIN)), 'sts-unavailable')
    assert.equal(rounds.length, 1)
  })

  test('rules for hosts hear how far the name can be trusted', async () => {
    const heard: unknown[] = []
    const records = { ...usual, [`${DOMAIN} MX`]: mx([`10 ${mx1}`], 'insecure') }
    const { planner } = world(records, {
      sts: sts('enforce'),
      settingsFor: (host, trust) => {
        if (host !== undefined) heard.push(trust)
        return settings()
      },
    })
    await planDomain(planner, DOMAIN)
    assert.deepEqual(heard.at(-1), { mxIsSecure: false, stsEnforced: true, addresses: ['192.0.2.1'] })
  })

  test('inet_prefer orders the addresses of one host', async () => {
    const records = { ...usual, [`${mx1} AAAA`]: a(mx1, '2001:db8::1') }
    for (const [family, first] of [
      ['v4', '192.0.2.1'],
      ['v6', '2001:db8::1'],
      ['default', '2001:db8::1'],
    ] as const) {
      const plan = await planDomain(world(records, { family }).planner, DOMAIN)
      assert.equal(plan.status === 'hosts' && plan.hosts[0]?.addresses[0], first)
    }
  })
})
