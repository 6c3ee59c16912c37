import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { realCommand } from '../cli/ground.ts'
import { privateInternet } from '../internet/index.ts'
import { assertDeferred, assertDeliveredOverTls } from './far-end.ts'
import { fetchesOf, mailTo } from './sts-evidence.ts'

const DOMAIN = 'example.test'
const HOST = 'mx1.example.test'
/** What "within seconds" is to a worker: milliseconds. */
const SECONDS = 8000
/** How long a worker may go on by what it has in memory: a second and something. */
const NOTICED = 1500

test('workers do what the command outbound-tls asks for, within seconds', async (t) => {
  const net = await privateInternet(t, { haraka: { nodes: 2 } })
  const { folder } = net.haraka
  const file = join(folder, 'node_modules', 'haraka-plugin-outbound-tls', 'dist', 'cli', 'index.js')
  const sts = async (...args: string[]) => {
    const said = await realCommand(['sts', ...args, DOMAIN, '--json'], { cwd: folder, file })
    return { code: said.code, said: JSON.parse(said.out) as Record<string, unknown> }
  }
  const shown = async () => {
    const { code, said } = await sts('show')
    const [policy] = said.policies as { mode: string; id: string }[]
    return { code, mode: policy?.mode, id: policy?.id }
  }
  const delivered = async () => {
    await assertDeliveredOverTls(net, await mailTo(net, DOMAIN), HOST)
  }
  const refused = async () => assertDeferred(await mailTo(net, DOMAIN), '4.7.5', /not listed|policy/)
  /** A policy that the mail server does not satisfy; under an id that is known already, nobody looks at it unasked. */
  const strict = { mode: 'enforce', mx: ['elsewhere.test'], id: 'one' }

  await t.test('show: what a delivery has fetched', async () => {
    net.domain(DOMAIN, { sts: { mode: 'testing', id: 'one' } })
    await delivered()
    assert.deepEqual(await shown(), { code: 0, mode: 'testing', id: 'one' })
  })

  await t.test('refresh: the policy as it is now, in force for the next delivery', async () => {
    net.sts(DOMAIN, strict)
    await delivered()
    const start = performance.now()
    const { code, said } = await sts('refresh')
    assert.ok(performance.now() - start < SECONDS)
    assert.equal(code, 0)
    assert.equal(said.result, 'fetched')
    assert.equal(fetchesOf(net, DOMAIN), 2) // by one of the workers
    assert.deepEqual(await shown(), { code: 0, mode: 'enforce', id: 'one' })
    await sleep(NOTICED)
    for (let deliveries = 0; deliveries < 4; deliveries++) await refused()
  })

  await t.test('refresh: where the policy host fails, the cached policy stays', async () => {
    net.sts(DOMAIN, { ...strict, status: 500 })
    const { code, said } = await sts('refresh')
    assert.equal(code, 1)
    assert.equal(said.result, 'failed')
    assert.equal((said.lastFailure as { type: string }).type, 'sts-policy-fetch-error')
    assert.deepEqual(await shown(), { code: 0, mode: 'enforce', id: 'one' })
  })

  await t.test('drop: every worker forgets it', async () => {
    net.dns.declare(`_mta-sts.${DOMAIN}`, { TXT: [] })
    await refused()
    assert.deepEqual(await sts('drop'), { code: 0, said: { schema: 1, domain: DOMAIN, dropped: true } })
    assert.deepEqual((await shown()).code, 1)
    await sleep(NOTICED)
    for (let deliveries = 0; deliveries < 4; deliveries++) await delivered() // by both workers
  })
})
