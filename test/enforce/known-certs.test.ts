import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createKnownCertsKeeper } from '../../dist/enforce/known-certs.js'
import { selfSigned } from '../support/certificates.ts'

const HOST = 'mx.example.test'
const { der } = selfSigned({ dnsNames: [HOST] })

/** An event of a session that is open: with an invalid certificate that a retry accepted, or with a valid one. */
function opened(status: 'invalid' | 'valid') {
  const pkix = { status, why: 'certificate-not-trusted', flaw: 'self-signed' }
  return {
    ...{ type: 'opened', isReplyForCore: false, message: { isReport: false, hmail: { lognotice: () => undefined } } },
    target: { host: { name: HOST }, domain: { route: 'mx', policyDomain: 'example.test' } },
    verdict: { audit: false, leniency: status === 'invalid' ? 'relax-after-tls-failure' : undefined },
    opening: { starttls: { status: 'done', peer: { leaf: der }, judgement: { pkix, refusal: undefined } } },
  } as never
}

/** Two workers with one store. */
function workers(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'known-'))
  const log = () => undefined
  const plugin = { config: { root_path: join(folder, 'config') }, logwarn: log, loginfo: log, logerror: log } as never
  const settings = {
    store: { engine: 'sqlite', path: join(folder, 'store.db') },
    main: { knownCerts: 3_600_000 },
  } as never
  const both = [createKnownCertsKeeper(plugin), createKnownCertsKeeper(plugin)] as const
  for (const one of both) one.use(settings)
  t.after(() => {
    for (const one of both) one.close()
    rmSync(folder, { recursive: true })
  })
  return both
}

type Keeper = ReturnType<typeof workers>[0]

async function assertKnown(keeper: Keeper, count: number): Promise<void> {
  let found = -1
  for (let tries = 0; tries < 100 && found !== count; tries++) {
    await sleep(20)
    found = (await keeper.find(HOST))?.length ?? -1
  }
  assert.equal(found, count)
}

describe('what is kept of a certificate that is not valid', () => {
  test('comes back at the next retry after a valid certificate has ended it', async (t) => {
    const [keeper] = workers(t)
    for (const [status, count] of [
      ['invalid', 1],
      ['valid', 0],
      ['invalid', 1],
      ['valid', 0],
    ] as const) {
      keeper.note(opened(status))
      await assertKnown(keeper, count)
    }
  })

  test('comes back at the next retry where another worker has ended it', async (t) => {
    const [keeper, other] = workers(t)
    keeper.note(opened('invalid'))
    await assertKnown(keeper, 1)
    other.note(opened('valid'))
    await assertKnown(keeper, 0)
    keeper.note(opened('invalid'))
    await assertKnown(keeper, 1)
  })
})
