/**
 * The tables of TLS reports. Times are milliseconds since 1970.
 *
 * @module
 */

export const REPORT_TABLES = [
  // due_at: when there is next something to do; NULL: the report is over. first_tried_at: NULL: never tried.
  // successes, failures: sessions that it reports, NULL until it is composed. size: bytes as it is sent. version: grows with each change
  `CREATE TABLE report_entry (
     domain TEXT NOT NULL,
     period_start INTEGER NOT NULL,
     period_end INTEGER NOT NULL,
     report_id TEXT NOT NULL,
     state TEXT NOT NULL,
     due_at INTEGER,
     first_tried_at INTEGER,
     note TEXT,
     successes INTEGER,
     failures INTEGER,
     size INTEGER NOT NULL,
     version INTEGER NOT NULL,
     PRIMARY KEY (domain, period_start)
   ) STRICT`,
  `CREATE INDEX report_entry_by_due ON report_entry (due_at) WHERE due_at IS NOT NULL`,
  `CREATE INDEX report_entry_by_period ON report_entry (period_start DESC, domain)`,
  `CREATE INDEX report_entry_by_state ON report_entry (state, period_start DESC, domain)`,
  // where a report goes; next_at: NULL: not tried again
  `CREATE TABLE report_destination (
     domain TEXT NOT NULL,
     period_start INTEGER NOT NULL,
     position INTEGER NOT NULL,
     rua TEXT NOT NULL,
     state TEXT NOT NULL,
     attempts INTEGER NOT NULL,
     next_at INTEGER,
     note TEXT,
     PRIMARY KEY (domain, period_start, position),
     FOREIGN KEY (domain, period_start) REFERENCES report_entry ON DELETE CASCADE
   ) STRICT`,
  // gzip, the same bytes for each attempt, for as long as they are needed
  `CREATE TABLE report_frozen (
     domain TEXT NOT NULL,
     period_start INTEGER NOT NULL,
     body BLOB NOT NULL,
     PRIMARY KEY (domain, period_start),
     FOREIGN KEY (domain, period_start) REFERENCES report_entry ON DELETE CASCADE
   ) STRICT`,
  // one row: which worker sends reports. fence: grows when another one takes the lease
  `CREATE TABLE report_lease (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     holder TEXT NOT NULL,
     fence INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT`,
  // up to where reports are scheduled. section: the domain of a [domain:…] section, or '' for all other domains
  `CREATE TABLE report_timetable (
     section TEXT PRIMARY KEY,
     scheduled_through INTEGER NOT NULL,
     period_length TEXT NOT NULL
   ) STRICT`,
  // destinations that refuse for good. periods: how many in a row; period_start: the last of them
  `CREATE TABLE report_refusal (rua TEXT PRIMARY KEY, periods INTEGER NOT NULL, period_start INTEGER NOT NULL) STRICT`,
  // made with the command
  `CREATE TABLE report_suppression (pattern TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT`,
  `CREATE TABLE report_request (domain TEXT PRIMARY KEY, requested_at INTEGER NOT NULL) STRICT`,
]
