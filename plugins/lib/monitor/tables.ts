/**
 * The tables of what is kept for people to look at, beside the sessions of outcomes. Times are milliseconds since 1970.
 *
 * @module
 */

export const MONITOR_TABLES = [
  // what was ever counted on a machine, for /metrics. labels: JSON
  `CREATE TABLE monitor_amount (
     machine TEXT NOT NULL,
     meter TEXT NOT NULL,
     labels TEXT NOT NULL,
     value REAL NOT NULL,
     PRIMARY KEY (machine, meter, labels)
   ) STRICT, WITHOUT ROWID`,
  // when a domain was last refused, and last delivered to; 0: never. rank: its place in the list, the largest first
  `CREATE TABLE monitor_destination (
     domain TEXT PRIMARY KEY,
     refused INTEGER NOT NULL,
     delivered INTEGER NOT NULL,
     rank INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX monitor_destination_by_rank ON monitor_destination (rank, domain)`,
  // the last that was seen of each host: refused (opened = 0), and opened (1). host: empty for all hosts of the domain
  `CREATE TABLE monitor_host (
     domain TEXT NOT NULL REFERENCES monitor_destination ON DELETE CASCADE,
     host TEXT NOT NULL,
     opened INTEGER NOT NULL,
     seen_at INTEGER NOT NULL,
     level TEXT NOT NULL,
     tls_version TEXT,
     reason TEXT NOT NULL,
     text TEXT NOT NULL,
     PRIMARY KEY (domain, host, opened)
   ) STRICT, WITHOUT ROWID`,
  // hosts that were Verified or Trusted whenever they were connected to, from good_since to good_at; of those that are not any more,
  // when that was first seen (worse_at), and last told (told_at); 0: not
  `CREATE TABLE monitor_good (
     domain TEXT NOT NULL REFERENCES monitor_destination ON DELETE CASCADE,
     host TEXT NOT NULL,
     good_since INTEGER NOT NULL,
     good_at INTEGER NOT NULL,
     worse_at INTEGER NOT NULL,
     told_at INTEGER NOT NULL,
     PRIMARY KEY (domain, host)
   ) STRICT, WITHOUT ROWID`,
  // messages that are deferred because of TLS. reasons: JSON array
  `CREATE TABLE monitor_waiting (
     id TEXT PRIMARY KEY,
     domain TEXT NOT NULL,
     since INTEGER NOT NULL,
     next_at INTEGER NOT NULL,
     status TEXT NOT NULL,
     reasons TEXT NOT NULL,
     text TEXT NOT NULL,
     written_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX monitor_waiting_by_domain ON monitor_waiting (domain, since, next_at)`,
  // the resolver as each machine last saw it. servers: JSON array
  `CREATE TABLE monitor_resolver (
     machine TEXT PRIMARY KEY,
     seen_at INTEGER NOT NULL,
     trust_ad INTEGER NOT NULL,
     validates INTEGER NOT NULL,
     secure_answers INTEGER NOT NULL,
     servers TEXT NOT NULL
   ) STRICT`,
]
