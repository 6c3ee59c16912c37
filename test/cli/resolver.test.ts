import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { startDns, type DnsServer } from '../internet/dns.ts'
import { commandNow, createInstance, type Said } from './ground.ts'

interface Told {
  readonly passed: boolean
  readonly secureAnswers: boolean
  readonly trustAd: boolean
  readonly servers: readonly { readonly server: string; readonly answered: boolean; readonly validates: boolean }[]
}

async function dns(t: TestContext, switches: Partial<DnsServer['switches']> = {}): Promise<DnsServer> {
  const server = await startDns()
  server.declare('signed.test', { security: 'secure' })
  Object.assign(server.switches, switches)
  t.after(() => server.stop())
  return server
}

async function ask(
  t: TestContext,
  servers: readonly DnsServer[],
  more = '',
): Promise<{ readonly text: Said; readonly told: Told; readonly all: object }> {
  const names = servers.map(({ endpoint }) => `resolver[] = ${endpoint}\n`).join('')
  const ini = `[dns]\n${names}self-test[] = signed.test\ntimeout = 1s\nattempts = 1\n${more}`
  const { folder } = createInstance(t, { 'outbound-tls.ini': ini })
  const text = await commandNow(['resolver', '-c', folder])
  const json = await commandNow(['resolver', '--json', '-c', folder])
  assert.equal(text.code, json.code)
  const all = JSON.parse(json.out) as object
  return { text, told: all as Told, all }
}

describe('resolver', () => {
  test('a server that validates: DANE is possible', async (t) => {
    const { text, told } = await ask(t, [await dns(t)])
    assert.equal(text.code, 0)
    assert.deepEqual([told.passed, told.secureAnswers], [true, true])
    assert.match(text.out, /: validates\n {2}signed\.test comes with AD\n\nDANE is possible\.$/)
  })

  test('each server is told apart: one that does not validate ends DANE', async (t) => {
    const { text, told } = await ask(t, [await dns(t), await dns(t, { validates: false })])
    assert.equal(text.code, 1)
    assert.equal(told.secureAnswers, false)
    assert.deepEqual(
      told.servers.map(({ validates, answered }) => [validates, answered]),
      [
        [true, true],
        [false, true],
      ],
    )
    assert.match(text.out, /does not validate\n {2}signed\.test is signed, but comes without AD/)
    assert.match(text.out, /DANE is not possible\.\nHave every server validate DNSSEC/)
  })

  test('a server that keeps silent has not passed, but DANE goes on', async (t) => {
    const { text, told } = await ask(t, [await dns(t), await dns(t, { answers: false })])
    assert.deepEqual([text.code, told.passed, told.secureAnswers], [1, false, true])
    assert.match(text.out, /no answer\n/)
    assert.match(text.out, /DANE is possible\.\nNothing was seen that speaks against/)
  })

  test('no answer at all ends with 3', async (t) => {
    const { text } = await ask(t, [await dns(t, { answers: false })])
    assert.equal(text.code, 3)
    assert.equal(text.err, '')
  })

  test('a server whose AD bit is not believed: what to do', async (t) => {
    const { text, told } = await ask(t, [await dns(t)], 'trust-ad = false\n')
    assert.deepEqual([text.code, told.trustAd, told.secureAnswers], [1, false, false])
    assert.match(text.out, /AD bit +not believed: trust-ad = false/)
    assert.match(text.out, /Run a resolver that validates DNSSEC on this machine/)
  })
})
