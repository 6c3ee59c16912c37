import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createShared } from '../../dist/enforce/snapshot.js'

describe('what several deliveries use', () => {
  test('is closed once, behind the last of them', () => {
    let closed = 0
    const shared = createShared(() => (closed += 1))
    shared.use()
    shared.use()
    shared.release() // its maker: there is a newer one
    shared.release()
    assert.equal(closed, 0)
    shared.release()
    assert.equal(closed, 1)
  })
})
