import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCaptures, type Captures } from '../../dist/analysis/capture.js'
import type { Transaction } from '../../dist/runtime/haraka.js'

const limits = { message: 100_000, together: 200_000 }

/** As much of core's as is needed: it keeps what it is given. */
function newTransaction(): Transaction & { readonly lines: (Buffer | string)[] } {
  const lines: (Buffer | string)[] = []
  const transaction = { lines, add_data: (line: Buffer | string) => void lines.push(line) }
  return transaction as unknown as Transaction & { readonly lines: (Buffer | string)[] }
}

const textOf = (captures: Captures, transaction: Transaction): string | undefined => {
  const captured = captures.take(transaction)
  return captured?.state === 'whole' ? Buffer.concat(captured.blocks).toString() : captured?.state
}

describe('a message that is captured', () => {
  test('is what the client sent, without the dots that SMTP adds, and core gets it as ever', () => {
    const captures = createCaptures()
    const transaction = newTransaction()
    captures.begin(transaction, limits)
    const sent = ['A: b\r\n', '\r\n', '..dot\r\n', 'no.dot\r\n'].map((line) => Buffer.from(line))
    for (const line of sent) transaction.add_data(line)
    assert.equal(textOf(captures, transaction), 'A: b\r\n\r\n.dot\r\nno.dot\r\n')
    assert.deepEqual(transaction.lines, sent)
  })

  test('is whole over many blocks, whatever its lines are', () => {
    const captures = createCaptures()
    const transaction = newTransaction()
    captures.begin(transaction, limits)
    const lines = Array.from({ length: 500 }, (_, at) => `${String(at).repeat(1 + (at % 90))}\r\n`)
    for (const line of lines) transaction.add_data(Buffer.from(line))
    assert.equal(textOf(captures, transaction), lines.join(''))
  })

  test('stays whole for its reader where the client goes away', () => {
    const captures = createCaptures()
    const transaction = newTransaction()
    captures.begin(transaction, limits)
    transaction.add_data(Buffer.from('A: b\r\n'))
    const captured = captures.take(transaction)
    captures.release(transaction)
    assert.equal(Buffer.concat(captured?.blocks ?? []).toString(), 'A: b\r\n')
  })

  test('is given up when it becomes too large', () => {
    const captures = createCaptures()
    const transaction = newTransaction()
    captures.begin(transaction, { ...limits, message: 1000 })
    for (let at = 0; at < 11; at++) transaction.add_data(Buffer.alloc(100))
    assert.equal(textOf(captures, transaction), 'too-large')
    assert.equal(transaction.lines.length, 11)
  })

  test('is given up where all together become too large, and there is room again when one is released', () => {
    const captures = createCaptures()
    const [first, second, third] = [newTransaction(), newTransaction(), newTransaction()]
    for (const transaction of [first, second]) {
      captures.begin(transaction, { message: 100_000, together: 100_000 })
      transaction.add_data(Buffer.alloc(60_000))
    }
    assert.equal(textOf(captures, second), 'no-room')
    assert.equal(textOf(captures, first)?.length, 60_000)
    captures.release(first)
    captures.release(second)
    assert.equal(captures.take(first), undefined)
    captures.begin(third, { message: 100_000, together: 100_000 })
    third.add_data(Buffer.alloc(90_000))
    assert.equal(textOf(captures, third)?.length, 90_000)
  })
})
