import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setErrorHeader } from '../../dist/analysis/error-header.js'
import type { Transaction } from '../../dist/runtime/haraka.js'

function headerOf(text: string): string {
  const added: string[] = []
  const transaction: unknown = {
    header: { header_list: [] },
    remove_header: () => undefined,
    add_header: (_name: string, value: string) => added.push(value),
  }
  setErrorHeader(transaction as Transaction, text)
  assert.equal(added.length, 1)
  return added[0] ?? ''
}

describe('what is wrong with a report', () => {
  test('is told in one line of at most 253 characters', () => {
    assert.equal(headerOf('x'.repeat(250)), 'x'.repeat(250))
    assert.equal(headerOf('x'.repeat(10_000)), `${'x'.repeat(250)}...`)
  })
  test('is told in printable US-ASCII', () => {
    assert.equal(headerOf('a\r\nBcc: é\x1b'), 'a??Bcc: ??')
  })
})
