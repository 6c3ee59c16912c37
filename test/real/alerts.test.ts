/**
 * The alert rules that docs/metrics.md offers, on Prometheus' own evaluation: they fire when they say, and not before.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { needTool, skipWithout } from './tools.ts'

describe('the alert rules', { skip: skipWithout('promtool') }, () => {
  test('fire on small servers, too, and when they are to', () => {
    const { status, stdout, stderr } = spawnSync(needTool('promtool'), [
      ...['test', 'rules', join(import.meta.dirname, 'alerts.yml')],
    ])
    assert.equal(status, 0, `${stdout.toString()}${stderr.toString()}`)
  })

  test('are all well-formed', () => {
    const rules = join(import.meta.dirname, '../../docs/prometheus-alerts.yml')
    const { status, stdout, stderr } = spawnSync(needTool('promtool'), ['check', 'rules', rules])
    assert.equal(status, 0, `${stdout.toString()}${stderr.toString()}`)
  })
})
