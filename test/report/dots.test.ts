import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { withDotsDoubled } from '../../dist/report/dots.js'

describe('dots at the beginning of a line (RFC 5321 4.5.2)', () => {
  const message = '.first\r\n..\r\nno.\r\n.\r\n\r\n.last'
  const doubled = '..first\r\n...\r\nno.\r\n..\r\n\r\n..last'

  test('are doubled, and no others', async () => {
    assert.equal(await text(withDotsDoubled(Readable.from([message]))), doubled)
  })

  test('are doubled wherever the message is cut into pieces', async () => {
    for (let size = 1; size < message.length; size++) {
      const pieces = message.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
      assert.equal(await text(withDotsDoubled(Readable.from(pieces.map((piece) => Buffer.from(piece))))), doubled)
    }
  })
})
