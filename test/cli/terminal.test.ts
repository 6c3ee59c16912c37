import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { describe, test, type TestContext } from 'node:test'
import { startDns } from '../internet/dns.ts'
import { createInstance, program, realCommand } from './ground.ts'

/** `script` of util-linux gives a command a terminal. */
const hasScript = spawnSync('script', ['--version']).status === 0

async function instance(t: TestContext): Promise<string> {
  const dns = await startDns()
  dns.declare('signed.test', { security: 'secure' })
  t.after(() => dns.stop())
  const ini = `[dns]\nresolver[] = ${dns.endpoint}\nself-test[] = signed.test\n`
  return createInstance(t, { 'outbound-tls.ini': ini }).folder
}

describe('the real command', () => {
  test('has colours and says what it waits for on a terminal', { skip: !hasScript }, async (t) => {
    const folder = await instance(t)
    const { promise, resolve } = Promise.withResolvers<string>()
    const line = `'${process.execPath}' '${program}' resolver -c '${folder}'`
    const env = { PATH: process.env.PATH, TERM: 'xterm' }
    execFile('script', ['-qec', line, '/dev/null'], { env }, (_, out) => resolve(out))
    const out = await promise
    assert.match(out, /Testing the name servers \.\.\./)
    assert.ok(out.includes('\x1b[32mvalidates\x1b[39m'))
    const cleared = out.lastIndexOf('\r\x1b[K')
    assert.ok(cleared !== -1 && cleared < out.indexOf('name servers  '), 'the line is cleared before the answer')
  })

  test('has neither where it is not one', async (t) => {
    const { code, out, err } = await realCommand(['resolver', '-c', await instance(t)])
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /: validates\n/)
    assert.ok(!out.includes('\x1b'))
  })
})
