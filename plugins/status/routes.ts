/**
 * Which view an address is, as a page and as JSON: one table for both.
 *
 * @module
 */

import { timeOf } from '../views'
import type { Answer } from './data/answer'
import { readDestination, readDestinations } from './data/destinations'
import { readExemptions } from './data/exemptions'
import { readOverview } from './data/overview'
import { readPolicies } from './data/policies'
import { readReceived, readReceivedReport } from './data/received'
import { readFrozen, readReport, readReports } from './data/reports'
import { readResolvers } from './data/resolver'
import type { Sources } from './data/sources'
import { refusal, type Admitted } from './gate'
import { destinationPage } from './pages/destination'
import { destinationsPage } from './pages/destinations'
import { exemptionsPage } from './pages/exemptions'
import { pageReply, type Page, type ViewName } from './pages/frame'
import { messagePage } from './pages/messages'
import { overviewPage } from './pages/overview'
import type { Context } from './pages/parts'
import { policiesPage } from './pages/policies'
import { receivedPage, receivedReportPage } from './pages/received'
import { reportPage, reportsPage } from './pages/reports'
import { resolverPage } from './pages/resolver'
import { jsonReply, type Reply } from './reply'
import type { Request } from './request'

/** Answers with one view of what the sources have. */
type View = (sources: Sources, request: Request, context: Context) => Promise<Reply>

/** @param read - gets what stands behind the view's name in the address */
function view<Data extends object>(
  name: ViewName,
  read: (sources: Sources, query: URLSearchParams, rest: readonly string[]) => Promise<Answer<Data>>,
  page: (data: Data, context: Context) => Page,
): View {
  return async (sources, request, context) => {
    const answer = await read(sources, request.query, request.parts.slice(1))
    if (request.target === 'api')
      return answer.ok
        ? jsonReply(200, { schema: 1, at: timeOf(context.now), ...answer.data })
        : refusal(request, answer.status, answer.text)
    if (answer.ok) return pageReply(200, page(answer.data, context), context, name)
    return messagePage(context, answer.status, answer.text, name)
  }
}

/** By the first part of the address, and then by the number of those behind it. */
const VIEWS: Readonly<Record<string, readonly (View | undefined)[]>> = {
  overview: [view('', readOverview, overviewPage)],
  destinations: [
    view('destinations', readDestinations, destinationsPage),
    view('destinations', (sources, _query, [domain = '']) => readDestination(sources, domain), destinationPage),
  ],
  policies: [view('policies', readPolicies, policiesPage)],
  reports: [
    view('reports', readReports, reportsPage),
    undefined,
    view('reports', (sources, _query, [domain = '', start = '']) => readReport(sources, domain, start), reportPage),
    sendFrozen,
  ],
  received: [
    view('received', readReceived, receivedPage),
    view('received', (sources, _query, [id = '']) => readReceivedReport(sources, id), receivedReportPage),
  ],
  resolver: [view('resolver', readResolvers, resolverPage)],
  exemptions: [view('exemptions', readExemptions, exemptionsPage)],
}

/** A report of ours, byte by byte as it is sent. */
async function sendFrozen(sources: Sources, request: Request): Promise<Reply> {
  const [, domain = '', start = '', file] = request.parts
  if (file !== 'report.json.gz') return refusal(request, 404, NOTHING)
  const answer = await readFrozen(sources, domain, start)
  if (!answer.ok) return refusal(request, answer.status, answer.text)
  const headers = { 'Content-Disposition': 'attachment; filename="report.json.gz"' }
  return { status: 200, type: 'application/tlsrpt+gzip', body: answer.data, headers }
}

const NOTHING = 'There is nothing at this address.'

async function sendMetrics({ metrics }: Sources, request: Request): Promise<Reply> {
  const done = await metrics()
  if (!done.ok) return refusal(request, 503, done.text)
  const { contentType, body } = done.value
  return { status: 200, type: contentType, body }
}

export async function answerTo(request: Request, sources: Sources, { by }: Admitted): Promise<Reply> {
  const { settings, target, parts } = request
  if (target === 'metrics') return sendMetrics(sources, request)
  const [name = 'overview', ...rest] = parts
  const found = Object.hasOwn(VIEWS, name) ? VIEWS[name]?.[rest.length] : undefined
  if (found === undefined) return refusal(request, 404, NOTHING)
  return found(sources, request, { base: settings.path, now: sources.now(), isLoggedIn: by === 'cookie' })
}
