/**
 * Reports that are to be sent: which, when, and how they ended (RFC 8460 §4 and §5). How they travel is not known here.
 *
 * @module
 */

export { compose } from './compose'
export type {
  Destination,
  EntryChange,
  Lease,
  NewReport,
  ReportEntry,
  ReportKey,
  ReportQuery,
  ReportState,
  SendRequest,
  Suppression,
  Timetable,
} from './entry'
export type { ReportLedger } from './ledger'
export { createReporter } from './reporter'
export type { QueueEvents, Reporter, ReporterOptions } from './reporter'
export type { ReporterSettings } from './settings'
export { sql as reportSql } from './sql'
export { createSuppression } from './suppression'
export type { OutgoingReport, Transmission, Transmit } from './transmission'
export type { Sending } from './timetable'
export { periodText, readPeriodText } from './wording'
