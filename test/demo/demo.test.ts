import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createLog } from '../e2e/log.ts'
import { submit } from '../e2e/submission.ts'
import { chapters } from './scenarios.ts'
import { storyOf } from './story.ts'
import { wrap } from './table.ts'

const index = join(import.meta.dirname, 'index.ts')

/** Whatever becomes of the test, the demo ends with it. */
function demo(t: TestContext, ...options: string[]) {
  const child = spawn(process.execPath, [index, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined },
  })
  t.after(() => child.kill('SIGTERM'))
  return { child, log: createLog(child.stdout), ended: once(child, 'close') }
}

describe('the demo', () => {
  test('with --once shows every destination as expected and ends with exit code 0', async (t) => {
    const { log, ended } = demo(t, '--once')
    const [code] = (await ended) as [number]
    assert.equal(code, 0, log.tail())
    for (const { domain } of chapters.flatMap(({ scenarios }) => scenarios))
      assert.equal(log.find(new RegExp(`^ ✓ ${domain.replaceAll('.', '\\.')} `)).length, 1, domain)
    assert.deepEqual(
      log.lines.filter((line) => line.length > 100 || line.includes('\x1b')),
      [],
      'no line is too wide, and there is no colour where there is no terminal',
    )
  })

  test('ends with exit code 1, and says what differs, when the plugin does other than expected', async (t) => {
    const { log, ended } = demo(t, '--once', '--set', 'dane=disable')
    const [code] = (await ended) as [number]
    assert.equal(code, 1, log.tail())
    assert.equal(log.find(/^ ✗ dane-wrong\.test .*delivered to mx1, Verified$/).length, 1)
    assert.equal(log.find(/^ {5}expected: deferred, 4\.7\.5/).length > 0, true)
    assert.equal(log.find(/^ ✓ valid\.test /).length, 1)
  })

  test('stays up, shows what becomes of further messages, and leaves nothing behind', async (t) => {
    const { child, log, ended } = demo(t)
    const hint = await log.waitFor(/curl --crlf smtp:/, { patience: 60_000 })
    const logFile = (await log.waitFor(/haraka\.log$/)).trim()
    assert.equal(existsSync(logFile), true)
    await submit(Number(/127\.0\.0\.1:(\d+)/.exec(hint)?.[1]), { to: 'you@dane-wrong.test' })
    await log.waitFor(/refused mx1\.dane-wrong\.test/)
    child.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
    assert.equal(existsSync(dirname(logFile)), false)
  })

  test('tells what was recorded only where it is news', () => {
    const outcome = 'outcome for a.test at mx1.a.test:'
    const told = (line: string): string[] => storyOf('a.test', [`[INFO] [-] [outbound-tls] ${outcome} ${line}`])
    assert.deepEqual(told('verified TLSv1.3; tlsa mx1.a.test success'), [])
    assert.deepEqual(told('refused; tlsa mx1.a.test validation-failure (dane-no-match)'), [])
    assert.deepEqual(told('clear-text; sts a.test starttls-not-supported (starttls-not-offered)'), [
      'recorded: sts a.test starttls-not-supported (starttls-not-offered)',
    ])
  })

  test('breaks lines between words, and never within an RFC section', () => {
    assert.deepEqual(wrap('none matches. RFC 7672 2.2', 20), ['none matches.', 'RFC 7672 2.2'])
    assert.deepEqual(wrap('one two (RFC 7672 2.2)', 9, '  '), ['one two', '  (RFC 7672 2.2)'])
  })
})
