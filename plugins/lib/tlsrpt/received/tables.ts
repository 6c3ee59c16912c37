/**
 * The tables of received reports. Times are milliseconds since 1970.
 *
 * @module
 */

export const RECEIVED_TABLES = [
  // counted: 1, or 0 for a report that is kept apart. document: the whole report as JSON, with what was noted when it was read
  `CREATE TABLE received_report (
     id TEXT PRIMARY KEY,
     received_at INTEGER NOT NULL,
     source TEXT NOT NULL,
     signed_by TEXT,
     counted INTEGER NOT NULL,
     organization TEXT NOT NULL,
     contact TEXT,
     report_id TEXT NOT NULL,
     range_start INTEGER NOT NULL,
     range_end INTEGER NOT NULL,
     successes INTEGER NOT NULL,
     failures INTEGER NOT NULL,
     fetch_failures INTEGER NOT NULL,
     other_failures INTEGER NOT NULL,
     copies INTEGER NOT NULL,
     document TEXT NOT NULL
   ) STRICT`,
  `CREATE INDEX received_report_by_time ON received_report (counted, received_at, id)`,
  `CREATE INDEX received_report_by_signer ON received_report (signed_by, received_at) WHERE counted = 1`,
  // the domains of ours that a report is about
  `CREATE TABLE received_domain (
     report TEXT NOT NULL REFERENCES received_report ON DELETE CASCADE,
     domain TEXT NOT NULL,
     successes INTEGER NOT NULL,
     failures INTEGER NOT NULL,
     fetch_failures INTEGER NOT NULL,
     PRIMARY KEY (report, domain)
   ) STRICT`,
  // how sessions failed, the most frequent first
  `CREATE TABLE received_failure (
     report TEXT NOT NULL REFERENCES received_report ON DELETE CASCADE,
     position INTEGER NOT NULL,
     domain TEXT NOT NULL,
     policy_type TEXT NOT NULL,
     host TEXT,
     result TEXT NOT NULL,
     reason TEXT,
     count INTEGER NOT NULL,
     PRIMARY KEY (report, position)
   ) STRICT`,
]
