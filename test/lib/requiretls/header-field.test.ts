import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readTlsRequired, type TlsRequiredField } from '../../../dist/lib/requiretls/index.js'

const fields: readonly (readonly [TlsRequiredField, readonly string[]])[] = [
  ['none', []],
  ['no', ['No']],
  ['no', [' No\n']],
  ['no', ['No\r\n']],
  ['no', ['no']],
  ['no', ['NO']],
  ['no', ['nO\n']],
  ['no', ['\r\n No\r\n']],
  ['no', ['\n\tNo \n']],
  ['unknown', ['']],
  ['unknown', ['\n']],
  ['unknown', ['Yes']],
  ['unknown', ['"No"']],
  ['unknown', ['No.']],
  ['unknown', ['No; really']],
  ['unknown', ['No (comment)']],
  ['unknown', ['No No']],
  ['unknown', ['N\r\n o']],
  ['unknown', ['None']],
  ['unknown', ['=?utf-8?q?No?=']],
  ['unknown', ['No\u00a0']],
  ['several', ['No', 'No']],
  ['several', ['No', 'Yes']],
  ['several', ['Yes', 'No']],
]

describe('the header field TLS-Required (Q7)', () => {
  for (const [expected, values] of fields)
    test(`${JSON.stringify(values)}: ${expected}`, () => assert.equal(readTlsRequired(values), expected))
})
