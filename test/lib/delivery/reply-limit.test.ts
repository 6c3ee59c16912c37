import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createReplyLimit } from '../../../dist/lib/delivery/index.js'

const SECOND = 1000

describe('the replies of a server', () => {
  test('may be as large as any reply, and no larger', () => {
    const { allows } = createReplyLimit(() => 0)
    for (let line = 0; line < 64; line++) assert.equal(allows(1024), true)
    assert.equal(allows(1), false)
  })

  test('are measured anew in size for each command', () => {
    const { allows, began } = createReplyLimit(() => 0)
    for (let command = 0; command < 100; command++) {
      began()
      assert.equal(allows(60_000), true)
    }
  })

  test('may drip for two minutes in all, however many commands they answer', () => {
    let now = 0
    const { allows, began } = createReplyLimit(() => now)
    for (let command = 0; command < 4; command++) {
      began()
      assert.equal(allows(1), true)
      now += 29 * SECOND
      assert.equal(allows(1), true)
      now += 29 * SECOND // the next command waits: this is no reply
    }
    began()
    assert.equal(allows(1), true)
    now += 4 * SECOND
    assert.equal(allows(1), true)
    now += SECOND
    assert.equal(allows(1), false)
  })

  test('may be slow to begin: a server that thinks does not drip', () => {
    let now = 0
    const { allows, began } = createReplyLimit(() => now)
    for (let command = 0; command < 1000; command++) {
      began()
      now += 299 * SECOND
      assert.equal(allows(1), true)
    }
  })

  test('RFC 5321 4.5.3.2.6: have ten minutes behind a message, also where the server has dripped before', () => {
    let now = 0
    const { allows, began, beganMessage } = createReplyLimit(() => now)
    began()
    assert.equal(allows(1), true)
    now += 119 * SECOND
    assert.equal(allows(1), true)
    beganMessage()
    for (let second = 0; second < 600; second += 20) {
      assert.equal(allows(1), true)
      now += 20 * SECOND
    }
    assert.equal(allows(1), true)
    now += SECOND
    assert.equal(allows(1), false)
  })

  test('do not count while the message is taken: writing it is no reply', () => {
    let now = 0
    const { allows, began } = createReplyLimit(() => now)
    for (let chunk = 0; chunk < 1000; chunk++) {
      began()
      now += 20 * SECOND
    }
    assert.equal(allows(1), true)
  })
})
