/**
 * All destinations, those that fail first.
 *
 * @module
 */

import type { DestinationsData } from '../data/destinations'
import { html } from '../html'
import { destinationTable } from './destination-tables'
import type { Page } from './frame'
import { count, counted, empty, nextPage, said, searchForm, section, type Context } from './parts'

export function destinationsPage(data: DestinationsData, context: Context): Page {
  const { search, known, failing, destinations, next } = data
  const path = `${context.base}/destinations`
  const nothing =
    search === ''
      ? empty('Nothing has been recorded yet.', 'A destination appears here with its first delivery.')
      : empty('None found.', html`No destination has “${said(search)}” in its name.`)
  const heading = search === '' ? 'Those that fail first' : `With “${search}” in the name`
  return {
    title: 'Destinations',
    lead:
      known === 0
        ? undefined
        : `${count(failing)} of ${counted(known, 'destination')} failing: refused since they were last delivered to.`,
    body: html`${searchForm(path, 'Part of a domain name', search)}
    ${section(
      'list',
      heading,
      html`${destinations.length === 0 ? nothing : destinationTable(destinations, context)}
      ${nextPage(path, { search }, next)}`,
    )}`,
  }
}
