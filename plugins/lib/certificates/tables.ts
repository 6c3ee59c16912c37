/**
 * The table of certificates that were accepted although they are not valid. Times are milliseconds since 1970, by the store's clock.
 *
 * @module
 */

export const KNOWN_TABLES = [
  // spki: SHA-256 of the public key, in hex; domain: of the recipient that it was first accepted for
  `CREATE TABLE known_cert (
     host TEXT NOT NULL,
     spki TEXT NOT NULL,
     domain TEXT NOT NULL,
     names TEXT NOT NULL,
     flaw TEXT NOT NULL,
     first_seen INTEGER NOT NULL,
     last_seen INTEGER NOT NULL,
     PRIMARY KEY (host, spki)
   ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX known_cert_by_domain ON known_cert (domain)`,
  `CREATE INDEX known_cert_by_time ON known_cert (last_seen)`,
]
