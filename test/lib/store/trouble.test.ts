import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTrouble } from '../../../dist/lib/store/trouble.js'

const ok = { ok: true, value: undefined } as const
const away = { ok: false, text: 'it is away', isUnavailable: true } as const
const wrong = { ok: false, text: 'no such column' } as const

function world() {
  const log: string[] = []
  let now = 0
  const trouble = createTrouble(
    (level, text) => log.push(`${level} ${text}`),
    () => now,
  )
  return {
    log,
    note: (seconds: number, method: string, answer: typeof ok | typeof away | typeof wrong) => {
      now = seconds * 1000
      trouble.note({ file: 'm', method }, answer)
    },
  }
}

describe('trouble with the store is told of', () => {
  test('once, and once more when the call that failed first succeeds', () => {
    const { log, note } = world()
    for (const seconds of [0, 1, 2]) note(seconds, 'add', away)
    note(3, 'add', ok)
    note(4, 'add', ok)
    assert.deepEqual(log, ['crit store unavailable: it is away', 'notice store available again'])
  })

  test('not as over while it can be read only', () => {
    const { log, note } = world()
    for (let seconds = 0; seconds < 30; seconds++) {
      note(seconds, 'add', away)
      note(seconds + 0.5, 'read', ok)
    }
    assert.deepEqual(log, ['crit store unavailable: it is away'])
  })

  test('as over when nothing has failed for a while, though the call that failed first is not made again', () => {
    const { log, note } = world()
    note(0, 'claim', away)
    note(1, 'add', away)
    note(2, 'add', ok)
    note(5.5, 'add', ok)
    assert.equal(log.length, 1)
    note(6.5, 'add', ok)
    assert.deepEqual(log.slice(1), ['notice store available again'])
  })

  test('at most once a minute, and then neither its end', () => {
    const { log, note } = world()
    for (const seconds of [0, 20, 40]) {
      note(seconds, 'add', away)
      note(seconds + 1, 'add', ok)
    }
    assert.equal(log.length, 2)
    note(61, 'add', away)
    assert.equal(log.length, 3)
  })

  test('as a mistake where only this call cannot be carried out', () => {
    const { log, note } = world()
    note(0, 'add', wrong)
    note(1, 'read', ok)
    assert.deepEqual(log, ['error store: add failed: no such column'])
  })
})
