import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSilence } from '../../../dist/lib/dns/silence.js'

const SECOND = 1000
const MINUTE = 60 * SECOND

describe('names whose name servers are silent', () => {
  test('A11: are remembered for 5 seconds, each time twice as long, and never longer than five minutes', () => {
    let time = 0
    const silence = createSilence(() => time)
    const periods = Array.from({ length: 9 }, () => {
      const period = silence.lasts('A x.test')
      time += period
      return period / SECOND
    })
    assert.deepEqual(periods, [5, 10, 20, 40, 80, 160, 300, 300, 300])
  })

  test('are each remembered by themselves', () => {
    const silence = createSilence(() => 0)
    silence.lasts('A x.test')
    assert.equal(silence.lasts('AAAA x.test'), 5 * SECOND)
    assert.equal(silence.lasts('A x.test'), 10 * SECOND)
  })

  test('that have answered begin anew', () => {
    const silence = createSilence(() => 0)
    silence.lasts('A x.test')
    silence.ended('A x.test')
    assert.equal(silence.lasts('A x.test'), 5 * SECOND)
  })

  test('that were silent long ago begin anew', () => {
    let time = 0
    const silence = createSilence(() => time)
    silence.lasts('A x.test')
    time = 5 * SECOND + 5 * MINUTE
    assert.equal(silence.lasts('A x.test'), 5 * SECOND)
  })

  test('are forgotten, the oldest first, where they are more than ten thousand', () => {
    const silence = createSilence(() => 0)
    for (let n = 0; n <= 10_000; n++) silence.lasts(`A n${n}.test`)
    assert.equal(silence.lasts('A n1.test'), 10 * SECOND)
    assert.equal(silence.lasts('A n0.test'), 5 * SECOND)
  })
})
