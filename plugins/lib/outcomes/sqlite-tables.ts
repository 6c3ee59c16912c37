/**
 * The tables of the SQLite engine. They are compact, for they are written while mail waits: whatever has a name is written once and
 * then goes by a number of one to three bytes, and a count is a row of some twenty bytes.
 *
 * Days and hours are counted from 1970 in UTC, hours within their day. A day comes first in the keys, so that a day's counts lie
 * together: they are written together, read for one report after the other, and removed together.
 *
 * @module
 */

/** SQL that leads from each version of the tables to the next. */
export const MIGRATIONS = [
  `CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO number VALUES ('closed', 0), ('removed', 0), ('last domain', 0);
   CREATE TABLE writer (id TEXT PRIMARY KEY, number INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE hour (hour INTEGER PRIMARY KEY) STRICT;
   CREATE TABLE domain (name TEXT PRIMARY KEY, id INTEGER NOT NULL, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE text (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, seen INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
   CREATE INDEX text_by_hash ON text (hash);
   CREATE TABLE counted (
     day INTEGER NOT NULL, domain INTEGER NOT NULL, hour INTEGER NOT NULL,
     policy INTEGER NOT NULL, detail INTEGER NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (day, domain, hour, policy, detail)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE session (
     day INTEGER NOT NULL, domain INTEGER NOT NULL, hour INTEGER NOT NULL,
     host INTEGER NOT NULL, level INTEGER NOT NULL, version INTEGER NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (day, domain, hour, host, level, version)
   ) STRICT, WITHOUT ROWID`,
]

/** In place of a text's number: the domain itself without a policy, a success, a session without a host or without TLS. */
export const NOTHING = 0
