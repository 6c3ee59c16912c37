/**
 * The tables of outcomes. A day and an hour are counted from 1970 in UTC: an hour begins at `hour * 3600` seconds, a day at `day * 86400`.
 * The day comes first in the keys, so that what is written, reported and removed together lies together.
 *
 * What many counts have in common is written once, and found again by its hash. `last_day` is the last day that it was counted on: what was
 * not counted on any day that is kept is removed.
 *
 * @module
 */

export const OUTCOME_TABLES = [
  // strings, mx: JSON arrays, as reports quote them
  `CREATE TABLE outcome_policy (
     id INTEGER PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     last_day INTEGER NOT NULL,
     type TEXT NOT NULL,
     domain TEXT NOT NULL,
     strings TEXT,
     mx TEXT
   ) STRICT`,
  `CREATE INDEX outcome_policy_by_day ON outcome_policy (last_day)`,
  // how sessions failed under a policy
  `CREATE TABLE outcome_failure (
     id INTEGER PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     last_day INTEGER NOT NULL,
     result TEXT NOT NULL,
     reason TEXT,
     sending_address TEXT,
     receiving_host TEXT,
     receiving_address TEXT,
     receiving_helo TEXT,
     information TEXT
   ) STRICT`,
  `CREATE INDEX outcome_failure_by_day ON outcome_failure (last_day)`,
  // what a session came to, at which MX
  `CREATE TABLE outcome_connection (
     id INTEGER PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     last_day INTEGER NOT NULL,
     host TEXT,
     level TEXT NOT NULL,
     tls_version TEXT
   ) STRICT`,
  `CREATE INDEX outcome_connection_by_day ON outcome_connection (last_day)`,
  // what reports are made of. policy: 0 where none was found; failure: 0 for successes
  `CREATE TABLE outcome_count (
     day INTEGER NOT NULL,
     domain TEXT NOT NULL,
     hour INTEGER NOT NULL,
     policy INTEGER NOT NULL,
     failure INTEGER NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (day, domain, hour, policy, failure)
   ) STRICT, WITHOUT ROWID`,
  // sessions as people look at them, whatever policies applied
  `CREATE TABLE outcome_session (
     day INTEGER NOT NULL,
     domain TEXT NOT NULL,
     hour INTEGER NOT NULL,
     connection INTEGER NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (day, domain, hour, connection)
   ) STRICT, WITHOUT ROWID`,
  // the same for all domains together, which is what is looked at most; tls_version: '' without TLS
  `CREATE TABLE outcome_level (
     day INTEGER NOT NULL,
     hour INTEGER NOT NULL,
     level TEXT NOT NULL,
     tls_version TEXT NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (day, hour, level, tls_version)
   ) STRICT, WITHOUT ROWID`,
  // name: closed_until (an hour: before it, hours are closed for reports), removed_until (a day: before it, days are removed)
  `CREATE TABLE outcome_state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT`,
]
