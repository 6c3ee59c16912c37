import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import type { PolicyFetchOptions } from '../../../dist/lib/mta-sts/index.js'
import {
  assertFailure,
  certificateFor,
  DOMAIN,
  fetcher,
  fetchFrom,
  HOST,
  lookupIn,
  POLICY,
  policyHost,
  TEXT,
  type PolicyHost,
} from './policy-host.ts'

describe('the addresses of the policy host', () => {
  const serve = (t: Parameters<typeof policyHost>[0], address?: string): Promise<PolicyHost> =>
    policyHost(t, (_, response) => response.writeHead(200, TEXT).end(POLICY), certificateFor(), address)

  test('are all tried: the next after one that refuses', async (t) => {
    const host = await serve(t)
    const lookup = lookupIn({ [`A ${HOST}`]: ['127.0.0.9', '127.0.0.1'] })
    assert.ok((await fetchFrom(host, { lookup })).ok)
  })
  test('are all tried: IPv6 before IPv4, and the other when one fails', async (t) => {
    const host = await serve(t)
    const lookup = lookupIn({ [`AAAA ${HOST}`]: ['::1'], [`A ${HOST}`]: ['127.0.0.1'] })
    assert.ok((await fetchFrom(host, { lookup })).ok)
  })
  test('IPv6 alone will do', async (t) => {
    const host = await serve(t, '::1')
    assert.ok((await fetchFrom(host, { lookup: lookupIn({ [`AAAA ${HOST}`]: ['::1'] }) })).ok)
  })
  test('one family whose lookup fails does not matter', async (t) => {
    const host = await serve(t)
    const lookup = lookupIn({ [`AAAA ${HOST}`]: 'SERVFAIL', [`A ${HOST}`]: ['127.0.0.1'] })
    assert.ok((await fetchFrom(host, { lookup })).ok)
  })
  test('one that does not answer leaves time for the next', async (t) => {
    const host = await serve(t)
    const silent = createServer((socket) => socket.on('error', () => undefined)).listen(host.port, '127.0.0.9')
    t.after(() => silent.close())
    await once(silent, 'listening')
    const lookup = lookupIn({ [`A ${HOST}`]: ['127.0.0.9', '127.0.0.1'] })
    assert.ok((await fetchFrom(host, { lookup, timeout: 1000 })).ok)
  })
  test('a host that has answered is not asked again elsewhere', async (t) => {
    const host = await policyHost(t, (_, response) => response.writeHead(404).end())
    const lookup = lookupIn({ [`A ${HOST}`]: ['127.0.0.1', '127.0.0.1'] })
    assertFailure(await fetchFrom(host, { lookup }), 'sts-policy-fetch-error', /404/)
    assert.equal(host.requests.length, 1)
  })
  test('when none can be reached that is sts-policy-fetch-error', async () => {
    assertFailure(await fetcher(1)(DOMAIN), 'sts-policy-fetch-error', /\[127.0.0.1\]:1: ECONNREFUSED/)
  })
  test('when there are none that is sts-policy-fetch-error', async () => {
    assertFailure(await fetcher(1, { lookup: lookupIn({}) })(DOMAIN), 'sts-policy-fetch-error', /has no address/)
    const failing = fetcher(1, { lookup: lookupIn({ [`A ${HOST}`]: 'SERVFAIL' }) })
    assertFailure(await failing(DOMAIN), 'sts-policy-fetch-error', /SERVFAIL/)
  })
  test('private ones are refused unless allowed, and nothing is sent to them', async (t) => {
    const host = await serve(t)
    assertFailure(
      await fetchFrom(host, { allowPrivateAddresses: false }),
      'sts-policy-fetch-error',
      /no public address/,
    )
    const mapped = lookupIn({ [`AAAA ${HOST}`]: ['::ffff:127.0.0.1'] })
    assertFailure(
      await fetchFrom(host, { allowPrivateAddresses: false, lookup: mapped }),
      'sts-policy-fetch-error',
      /public/,
    )
    assert.deepEqual(host.serverNames, [])
  })
  test('a name that changes between check and connection gains nothing: it is looked up once', async (t) => {
    const host = await serve(t)
    let asked = 0
    const lookup: PolicyFetchOptions['lookup'] = (name, type) => {
      if (type === 'A') asked++
      return lookupIn({ [`A ${HOST}`]: [asked > 1 ? '127.0.0.9' : '127.0.0.1'] })(name, type)
    }
    assert.ok((await fetchFrom(host, { lookup })).ok)
    assert.equal(asked, 1)
  })
})
