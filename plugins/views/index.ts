/**
 * A policy, a destination, a report, a received report, a waiting message and the resolver as data: for `--json` of the command, `/api`
 * of the status plugin and its pages. docs/json.md lists the fields. What there is not, or is not known, is null.
 *
 * @module
 */

export {
  destinationView,
  lastSeenView,
  waitingDomainView,
  waitingMessageView,
  type DestinationView,
  type LastSeenView,
  type WaitingDomainView,
  type WaitingMessageView,
} from './destination'
export {
  fetchFailureView,
  policySummaryView,
  policyView,
  type FetchFailureView,
  type PolicySummaryView,
  type PolicyView,
} from './policy'
export {
  failureView,
  receivedReportView,
  receivedView,
  type FailureView,
  type ReceivedPolicyView,
  type ReceivedReportView,
  type ReceivedView,
} from './received'
export { periodView, reportView, type ReportView } from './report'
export { resolverView, type ResolverHealthView, type ResolverView } from './resolver'
export { timeOf, timeOrNull, type Time } from './time'
