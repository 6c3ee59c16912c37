import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { retentionWarnings } from '../../dist/report/retention.js'
import { reportSettingsOf } from '../lib/settings/settings.ts'

const DAY = 86_400_000
const warningsOf = (days: number, text: string) => retentionWarnings(days * DAY, reportSettingsOf(text))

describe('outcomes that would be removed before they are reported are warned of', () => {
  test('a week that leaves two days after its end, and may be looked up for another day', () => {
    const weekly = '[main]\nsend = weekly\nspread = 2d'
    assert.match(warningsOf(8, weekly).join(), /retention: with less than 9d/)
    assert.deepEqual(warningsOf(9, weekly), [])
  })

  test('also of one domain alone', () => {
    assert.equal(warningsOf(8, '[main]\nretry-for = 7d\n[domain:a.test]\nsend = weekly').length, 1)
  })

  test('not with the defaults, nor where nothing is sent', () => {
    for (const text of ['[main]\n', '[main]\nsend = weekly', '[main]\nsend = never\nretry-for = 7d'])
      assert.deepEqual(warningsOf(8, text), [], text)
  })
})
