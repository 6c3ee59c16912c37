import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { MonitorBatch } from '../../dist/lib/monitor/index.js'
import type { LevelCount } from '../../dist/lib/tlsrpt/counting/index.js'
import { batch, done, message, refusal, sighting } from '../lib/monitor/facts.ts'
import { openMonitor, openOutcomes } from '../support/modules.ts'
import { command, createInstance, DAY, HOUR, NOW } from './ground.ts'

async function createStats(
  t: TestContext,
  changes: Partial<MonitorBatch>,
  levels: readonly LevelCount[] = [],
): Promise<string> {
  const { folder } = createInstance(t)
  const path = join(folder, 'outbound-tls.db')
  const [monitor, outcomes] = [openMonitor({ path }), openOutcomes({ path })]
  t.after(() => {
    monitor.end()
    outcomes.end()
  })
  await done(monitor.add(batch(changes), NOW))
  const sessions = levels.map((level) => ({ ...level, domain: 'good.test', host: 'mx1.example.org' }))
  await done(outcomes.add({ writer: 'stats', number: 1, policies: [], sessions }, NOW))
  return folder
}

const LEVELS: readonly LevelCount[] = [
  { hour: NOW, level: 'verified', tlsVersion: 'TLSv1.2', count: 10 },
  { hour: NOW - HOUR, level: 'verified', tlsVersion: 'TLSv1.3', count: 70 },
  { hour: NOW - 3 * DAY, level: 'verified', tlsVersion: 'TLSv1.3', count: 10 },
  { hour: NOW, level: 'refused', tlsVersion: undefined, count: 10 },
  { hour: NOW - 8 * DAY, level: 'clear-text', tlsVersion: undefined, count: 1000 },
]

const SEEN: Partial<MonitorBatch> = {
  connections: [
    sighting({ domain: 'good.test', at: NOW - HOUR }),
    refusal({ domain: 'bad.test', at: NOW - 3 * HOUR, text: 'none matches… \u001b[2J' }),
    refusal({ domain: 'mended.test', at: NOW - 3 * HOUR }),
    sighting({ domain: 'mended.test', at: NOW - HOUR }),
  ],
  waiting: [{ id: '1', message: message({ domain: 'bad.test', since: NOW - 2 * HOUR, nextAt: NOW + HOUR }) }],
}

describe('stats', () => {
  test('shows connections by level and version, destinations that fail and why, and messages that wait', async (t) => {
    const { code, out } = await command(['stats', '-c', await createStats(t, SEEN, LEVELS)])
    assert.equal(code, 0)
    assert.equal(
      out,
      [
        'Connections of the last 7 days',
        '  verified    TLSv1.3   80  80.0 %',
        '  verified    TLSv1.2   10  10.0 %',
        '  refused               10  10.0 %',
        '',
        'Destinations: 3 known, 1 failing',
        '  bad.test',
        '    refused 3 hours ago, dane-no-match: none matches... \\u{1b}[2J',
        '',
        'Messages that wait because of TLS: 1',
        '  bad.test  1, the first for 2 hours: dane-no-match',
      ].join('\n'),
    )
  })

  test('as JSON, of so many days: the documented fields', async (t) => {
    const { code, out } = await command(['stats', '--days', '1', '--json', '-c', await createStats(t, SEEN, LEVELS)])
    assert.equal(code, 0)
    assert.match(out, /^[\n -~]*$/)
    assert.deepEqual(JSON.parse(out), {
      schema: 1,
      from: '2026-05-31T12:00:00Z',
      to: '2026-06-01T12:00:00Z',
      connections: [
        { level: 'verified', tlsVersion: 'TLSv1.3', count: 70 },
        { level: 'verified', tlsVersion: 'TLSv1.2', count: 10 },
        { level: 'refused', tlsVersion: null, count: 10 },
      ],
      destinations: {
        known: 3,
        failing: 1,
        latest: [
          {
            domain: 'bad.test',
            state: 'failing',
            refused: {
              at: '2026-06-01T09:00:00Z',
              host: 'mx1.example.org',
              level: 'refused',
              tlsVersion: null,
              reason: 'dane-no-match',
              text: 'none matches… \u001b[2J',
              goodUntil: null,
            },
            delivered: null,
          },
        ],
      },
      waiting: {
        messages: 1,
        domains: [
          {
            domain: 'bad.test',
            messages: 1,
            since: '2026-06-01T10:00:00Z',
            nextAt: '2026-06-01T13:00:00Z',
            status: '4.7.5',
            reasons: ['dane-no-match'],
            text: 'no host of example.org satisfied its policy',
          },
        ],
      },
    })
  })

  test('without a connection it ends with 1, with a wrong number of days with 2', async (t) => {
    const folder = await createStats(t, {})
    assert.equal((await command(['stats', '-c', folder])).code, 1)
    for (const days of ['0', '1.5', 'all'])
      assert.equal((await command(['stats', '--days', days, '-c', folder])).code, 2)
  })

  test('without a store it says so, ends with 3, and makes none', async (t) => {
    const { folder } = createInstance(t)
    const { code, out, err } = await command(['stats', '-c', folder])
    assert.deepEqual([code, out], [3, ''])
    assert.match(err, /outbound-tls\.db: no such/)
    assert.equal(existsSync(join(folder, 'outbound-tls.db')), false)
  })
})
