import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LastSeen } from '../../dist/lib/monitor/index.js'
import { markupOf } from '../../dist/status/html.js'
import { destinationTable, hostTable } from '../../dist/status/pages/destination-tables.js'
import { destinationView, lastSeenView } from '../../dist/views/index.js'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const context = { base: '/tls', now: NOW, isLoggedIn: false }
const seen: Omit<LastSeen, 'goodUntil'> = {
  ...{ at: NOW, host: 'mx1.example.org', level: 'refused' as const, tlsVersion: undefined },
  ...{ reason: 'certificate-expired', text: 'expired' },
}

describe('a host that was better before', () => {
  for (const [goodUntil, isMarked] of [
    [NOW - 1000, true],
    [undefined, false],
  ] as const)
    test(`is ${isMarked ? 'marked' : 'not marked where it never was'}, in both tables`, () => {
      const last = { ...seen, goodUntil }
      const entry = { domain: 'example.org', state: 'failing', refused: last, delivered: undefined } as const
      for (const table of [
        destinationTable([destinationView(entry)], context),
        hostTable([lastSeenView(last)], context),
      ])
        assert.equal(markupOf(table).includes('was better before'), isMarked)
    })
})
