/**
 * The tables of the policy cache. Times are milliseconds since 1970.
 *
 * @module
 */

export const STS_TABLES = [
  // body: the policy file as it was fetched. refresh_at: NULL: not in the background. failures: refreshes that failed since it was fetched
  `CREATE TABLE sts_policy (
     domain TEXT PRIMARY KEY,
     id TEXT NOT NULL,
     mode TEXT NOT NULL,
     body TEXT NOT NULL,
     fetched_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     used_at INTEGER NOT NULL,
     refresh_at INTEGER,
     failures INTEGER NOT NULL
   ) STRICT`,
  `CREATE INDEX sts_policy_by_mode ON sts_policy (mode, expires_at, failures)`,
  `CREATE INDEX sts_policy_by_refresh ON sts_policy (refresh_at)`,
  `CREATE INDEX sts_policy_by_use ON sts_policy (used_at)`,
  // id: that of the record found; empty where there was none. result: a result type of TLS reports (RFC 8460 §4.3)
  `CREATE TABLE sts_failed_fetch (
     domain TEXT NOT NULL,
     id TEXT NOT NULL,
     failed_at INTEGER NOT NULL,
     result TEXT NOT NULL,
     reason TEXT NOT NULL,
     PRIMARY KEY (domain, id)
   ) STRICT`,
  `CREATE INDEX sts_failed_fetch_by_time ON sts_failed_fetch (failed_at)`,
  // the domains whose policy a process is fetching now
  `CREATE TABLE sts_claim (domain TEXT PRIMARY KEY, owner TEXT NOT NULL, claimed_until INTEGER NOT NULL) STRICT`,
  // the domains that the command has asked for
  `CREATE TABLE sts_request (domain TEXT PRIMARY KEY, requested_at INTEGER NOT NULL) STRICT`,
  // one row: its number grows with each change that deliveries must notice
  `CREATE TABLE sts_change (id INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT`,
]
