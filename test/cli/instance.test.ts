import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { openInstanceOrDefaults, type Instance } from '../../dist/cli/instance.js'
import { command, createInstance } from './ground.ts'

const world = (cwd: string) => ({ world: { cwd, env: {} } }) as Parameters<typeof openInstanceOrDefaults>[0]

async function open(t: TestContext, files: Readonly<Record<string, string>>): Promise<Instance> {
  const { folder } = createInstance(t, files)
  const instance = await openInstanceOrDefaults({ ...world('/'), configs: folder })
  assert.ok(!('problems' in instance) && instance.folder !== undefined)
  return instance
}

describe('without an instance', () => {
  test('the defaults apply', async () => {
    const defaults = await openInstanceOrDefaults({ ...world('/'), configs: undefined })
    assert.ok(!('problems' in defaults))
    assert.equal(defaults.folder, undefined)
    assert.deepEqual([defaults.settings.main.dane, defaults.settings.main.smtpPort], ['optional', 25])
    assert.deepEqual([defaults.sending.timeout, defaults.sending.onlyAttempt], [30_000, false])
  })
  test('one that was named and is not there is a mistake', async () => {
    const { code, err } = await command(['explain', 'example.org', '-c', '/nowhere'])
    assert.equal(code, 3)
    assert.match(err, /no Haraka instance/)
  })
})

describe('what an instance says of sending', () => {
  test('names itself, waits and encrypts as its files say', async (t) => {
    const { sending } = await open(t, {
      me: 'mail.example.org\n',
      'outbound.ini': 'connect_timeout = 7\n',
      'tls.ini': '[outbound]\nciphers = ECDHE+AESGCM\n',
      'smtp.ini': 'public_ip = 192.0.2.25\n',
    })
    assert.deepEqual(sending, {
      ...{ helo: 'mail.example.org', timeout: 7000, onlyAttempt: false },
      ...{ ciphers: 'ECDHE+AESGCM', publicIp: '192.0.2.25' },
    })
  })
  for (const [line, only] of [
    ['temp_fail_intervals = none', true],
    ['temp_fail_intervals = 1m,5m*2', false],
    ['maxTempFailures = 1', true],
    ['maxTempFailures = 5', false],
  ] as const)
    test(`${line}: ${only ? 'no attempt follows' : 'another attempt follows'}`, async (t) => {
      const { sending } = await open(t, { 'outbound.ini': `${line}\n` })
      assert.equal(sending.onlyAttempt, only)
    })
  test('trust anchors that cannot be read are a mistake', async (t) => {
    const { folder } = createInstance(t, { 'outbound-tls.ini': '[main]\nca-file = missing.pem\n' })
    const { code, err } = await command(['probe', 'example.org', '-c', folder])
    assert.equal(code, 3)
    assert.match(err.replaceAll('\n', ' '), /\[main\] ca-file = "missing\.pem": .*ENOENT/)
  })
})
