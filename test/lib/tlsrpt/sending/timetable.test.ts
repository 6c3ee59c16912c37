import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  correctTimetables,
  OTHER_DOMAINS,
  groupsOf,
  nextStep,
  type Frequencies,
  type Sending,
} from '../../../../dist/lib/tlsrpt/sending/timetable.js'
import type { Timetable } from '../../../../dist/lib/tlsrpt/sending/index.js'
import { periodAt, type Period } from '../../../../dist/lib/tlsrpt/format/index.js'
import { runs } from '../../../support/runs.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const at = (text: string): number => Date.parse(`${text}Z`)
const shown = ({ start, end }: Period): string =>
  [start, end].map((instant) => new Date(instant).toISOString().slice(5, 16)).join('/')

/** Timetables that are kept from one look at the clock to the next. */
function createTimetables() {
  const kept: { timetables: readonly Timetable[] } = { timetables: [] }
  /** Takes all steps that there are when the hours before `until` are closed. */
  const look = (until: number, send: Sending, domains: Readonly<Record<string, Sending>> = {}): string[] => {
    const frequencies: Frequencies = { send, domains: new Map(Object.entries(domains)) }
    const said: string[] = []
    for (;;) {
      const step = nextStep(kept.timetables, frequencies, until)
      if (step === undefined) return said
      if (step.scheduled) said.push(`${step.scheduled.group} ${shown(step.scheduled.period)}`.trimStart())
      kept.timetables = step.timetables
    }
  }
  return { look, kept }
}

describe('the timetable of reports', () => {
  test('R9: begins with the period that is under way, and schedules it when it is over', () => {
    const { look } = createTimetables()
    assert.deepEqual(look(at('2027-01-31T15:00'), 'daily'), [])
    assert.deepEqual(look(at('2027-01-31T23:00'), 'daily'), [])
    assert.deepEqual(look(at('2027-02-01T00:00'), 'daily'), ['01-31T00:00/02-01T00:00'])
    assert.deepEqual(look(at('2027-02-01T00:00'), 'daily'), [])
  })

  const ends: [send: Sending, begun: string, until: string, periods: string[]][] = [
    [
      'hourly',
      '2026-12-31T22:00',
      '2027-01-01T01:00',
      ['12-31T22:00/12-31T23:00', '12-31T23:00/01-01T00:00', '01-01T00:00/01-01T01:00'],
    ],
    ['daily', '2027-02-28T03:00', '2027-03-02T00:00', ['02-28T00:00/03-01T00:00', '03-01T00:00/03-02T00:00']],
    ['daily', '2028-02-28T03:00', '2028-03-01T00:00', ['02-28T00:00/02-29T00:00', '02-29T00:00/03-01T00:00']],
    ['weekly', '2026-12-30T00:00', '2027-01-11T00:00', ['12-28T00:00/01-04T00:00', '01-04T00:00/01-11T00:00']],
    ['daily', '2027-03-27T12:00', '2027-03-29T00:00', ['03-27T00:00/03-28T00:00', '03-28T00:00/03-29T00:00']], // summer time in Europe
  ]
  for (const [send, begun, until, periods] of ends)
    test(`R9: ${send} from ${begun} to ${until}, also where that is done late: each period by itself`, () => {
      const { look } = createTimetables()
      look(at(begun), send)
      assert.deepEqual(look(at(until), send), periods)
    })

  test('a change takes effect when the period that is under way is over', () => {
    const { look } = createTimetables()
    look(at('2027-01-31T09:00'), 'daily')
    assert.deepEqual(look(at('2027-01-31T20:00'), 'hourly'), [])
    assert.deepEqual(look(at('2027-02-01T02:00'), 'hourly'), [
      '01-31T00:00/02-01T00:00',
      '02-01T00:00/02-01T01:00',
      '02-01T01:00/02-01T02:00',
    ])
  })

  test('from hours to days and weeks, the first day and the first week are what is left of them', () => {
    const { look } = createTimetables()
    look(at('2027-01-28T09:00'), 'hourly') // a Thursday
    assert.deepEqual(look(at('2027-01-28T10:00'), 'daily'), ['01-28T09:00/01-28T10:00'])
    assert.deepEqual(look(at('2027-01-29T00:00'), 'weekly'), ['01-28T10:00/01-29T00:00'])
    assert.deepEqual(look(at('2027-02-01T00:00'), 'weekly'), ['01-29T00:00/02-01T00:00'])
  })

  test('never: the period under way is the last; later again, hours that have passed are not reported', () => {
    const { look } = createTimetables()
    look(at('2027-01-30T09:00'), 'daily')
    assert.deepEqual(look(at('2027-01-31T15:00'), 'never'), ['01-30T00:00/01-31T00:00'])
    assert.deepEqual(look(at('2027-02-03T15:00'), 'never'), [])
    assert.deepEqual(look(at('2027-02-03T16:00'), 'daily'), [])
    assert.deepEqual(look(at('2027-02-04T00:00'), 'daily'), ['02-03T16:00/02-04T00:00'])
  })

  test('never, taken back within the period: nothing is missing', () => {
    const { look } = createTimetables()
    look(at('2027-01-30T09:00'), 'daily')
    look(at('2027-01-30T10:00'), 'never')
    assert.deepEqual(look(at('2027-02-01T00:00'), 'daily'), ['01-30T00:00/01-31T00:00', '01-31T00:00/02-01T00:00'])
  })

  test('a domain with a section of its own goes on where the others are', () => {
    const { look } = createTimetables()
    look(at('2027-01-31T09:00'), 'daily')
    assert.deepEqual(look(at('2027-01-31T10:00'), 'daily', { 'a.test': 'hourly' }), [])
    assert.deepEqual(look(at('2027-02-01T01:00'), 'daily', { 'a.test': 'hourly' }).toSorted(), [
      '01-31T00:00/02-01T00:00',
      'a.test 01-31T00:00/02-01T00:00',
      'a.test 02-01T00:00/02-01T01:00',
    ])
  })

  test('one that loses its section stays by itself until it has reached the others', () => {
    const { look, kept } = createTimetables()
    look(at('2027-01-28T09:00'), 'weekly', { 'a.test': 'hourly', 'b.test': 'never' })
    assert.deepEqual(look(at('2027-01-28T10:00'), 'weekly'), ['a.test 01-28T09:00/01-28T10:00'])
    assert.deepEqual([...groupsOf(kept.timetables)], ['a.test', 'b.test'])
    assert.deepEqual(look(at('2027-02-01T00:00'), 'weekly').toSorted(), [
      '01-25T00:00/02-01T00:00',
      'a.test 01-28T10:00/02-01T00:00',
      'b.test 01-28T10:00/02-01T00:00',
    ])
    assert.deepEqual(kept.timetables, [{ group: OTHER_DOMAINS, through: at('2027-02-01T00:00'), length: 'weekly' }])
  })

  test('with a clock that was set back nothing is scheduled before its time comes again', () => {
    const { look } = createTimetables()
    look(at('2027-01-31T00:00'), 'hourly')
    assert.deepEqual(look(at('2027-01-30T00:00'), 'hourly'), [])
    assert.deepEqual(look(at('2027-01-31T01:00'), 'hourly'), ['01-31T00:00/01-31T01:00'])
  })

  const now = at('2027-01-31T15:00')
  const table = (through: number, length: Sending): Timetable => ({ group: OTHER_DOMAINS, through, length })
  const correct = (through: number, send: Sending) =>
    correctTimetables([table(through, send)], { send, domains: new Map() }, now)

  for (const send of ['hourly', 'daily', 'weekly'] as const) {
    test(`one of a clock that was 40 days ahead is wrong: ${send} begins anew with the period under way`, () => {
      const corrected = correct(at('2027-03-12T00:00'), send)
      assert.deepEqual(corrected?.timetables, [table(periodAt(send, now).start, send)])
      assert.equal(corrected.wrong, 'TLS reports were scheduled up to 2027-03-12T00:00:00.000Z')
      assert.equal(correctTimetables(corrected.timetables, { send, domains: new Map() }, now), undefined)
    })
    test(`one that began in 1970 leaves out what is older than a month: ${send}`, () => {
      const corrected = correct(0, send)
      assert.deepEqual(corrected?.timetables, [table(periodAt(send, at('2027-01-01T15:00')).start, send)])
    })
    test(`one that is a day ahead, or three weeks behind, is right: ${send}`, () => {
      assert.equal(correct(now + DAY, send), undefined)
      assert.equal(correct(now - 21 * DAY, send), undefined)
    })
  }

  const sending = fc.constantFrom<Sending>('hourly', 'daily', 'weekly', 'never')
  const change = fc.record({
    hours: fc.nat(300),
    send: sending,
    domains: fc.dictionary(fc.constantFrom('a.test', 'b.test'), sending),
  })

  test('R9: every hour is in exactly one period, or passed under never, whatever is changed and whenever it is looked at', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.array(change, { maxLength: 12 }), (hour, changes) => {
        const begun = at('2027-01-27T00:00') + hour * HOUR
        for (const domain of ['a.test', 'b.test', 'without-section.test']) {
          const spans = spansOf(domain, begun, changes)
          spans.forEach(({ start, end, length }, index) => {
            assert.equal(start, spans[index - 1]?.end ?? start)
            assert.ok(end > start)
            if (length !== 'never') assert.equal(end, periodAt(length, start).end)
          })
        }
      }),
      { numRuns: runs(300, 5000) },
    )
  })
})

interface Span extends Period {
  readonly length: Sending
}

/** What becomes of the hours of a domain, in the order in which it does; the last one is what has not passed yet. */
function spansOf(
  domain: string,
  begun: number,
  changes: readonly { hours: number; send: Sending; domains: Readonly<Record<string, Sending>> }[],
): Span[] {
  const spans: Span[] = []
  let until = begun
  let timetables: readonly Timetable[] = []
  const groupOf = (all: readonly Timetable[]): Timetable | undefined =>
    all.find(({ group }) => group === (groupsOf(all).has(domain) ? domain : OTHER_DOMAINS))
  for (const { hours, send, domains } of changes) {
    until += hours * HOUR
    const frequencies: Frequencies = { send, domains: new Map(Object.entries(domains)) }
    for (let step = nextStep(timetables, frequencies, until); step; step = nextStep(timetables, frequencies, until)) {
      const before = groupOf(timetables)
      const after = groupOf(step.timetables)
      if (before && step.scheduled?.group === before.group)
        spans.push({ ...step.scheduled.period, length: before.length })
      if (before && after && !step.scheduled && after.through !== before.through) {
        assert.equal(before.length, 'never')
        spans.push({ start: before.through, end: after.through, length: 'never' })
      }
      timetables = step.timetables
    }
    for (const { length, through } of timetables)
      assert.ok(length === 'never' ? through === until : periodAt(length, through).end > until, 'all is scheduled')
  }
  return spans
}
