import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { outcomeLine } from '../../dist/enforce/event-log.js'

describe('a log line about what is recorded', () => {
  test('an outcome names every policy that applied', () => {
    const nobody = { sendingAddress: undefined, receivingAddress: undefined }
    const outcome = { at: new Date(0), domain: 'example.test', host: 'mx1.example.test', ...nobody } as const
    const failure = { type: 'validation-failure', reason: 'dane-no-match' } as const
    assert.equal(
      outcomeLine({
        ...{ ...outcome, level: 'refused', tlsVersion: 'TLSv1.3' },
        results: [
          { policy: { type: 'tlsa', domain: 'mx1.example.test' }, failure },
          { policy: { type: 'sts', domain: 'example.test' } },
        ],
      }),
      'outcome for example.test at mx1.example.test: refused TLSv1.3; ' +
        'tlsa mx1.example.test validation-failure (dane-no-match); sts example.test success',
    )
  })
})
