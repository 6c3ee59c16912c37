import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEmitter, type DeliveryEvent } from '../../dist/runtime/events.js'
import type { HMailItem } from '../../dist/runtime/haraka.js'

describe('a subscriber that throws', () => {
  const ended = (logcrit: (text: string) => void): DeliveryEvent => ({
    ...{ type: 'ended', message: { hmail: { logcrit } as unknown as HMailItem, isReport: false } },
  })
  const throws = () => {
    throw new Error('broken subscriber')
  }

  test('is logged with the message, and the next one is told', () => {
    const log: string[] = []
    const told: string[] = []
    createEmitter([throws, ({ type }) => void told.push(type)], () => assert.fail())(
      ended((text) => void log.push(text)),
    )
    assert.deepEqual(told, ['ended'])
    assert.match(log.join(), /^Error: broken subscriber/)
  })

  test('is logged by the plugin where there is no message', () => {
    const log: string[] = []
    const failure = { type: 'sts-webpki-invalid', text: 'expired', id: '1' } as const
    const emit = createEmitter([throws], (text) => void log.push(text))
    emit({ type: 'sts-fetch-failed', domain: 'example.test', failure })
    assert.match(log.join(), /^Error: broken subscriber/)
  })

  test('hurts nothing even where it is the log', () => {
    assert.doesNotThrow(() => createEmitter([throws], throws)(ended(throws)))
  })
})
