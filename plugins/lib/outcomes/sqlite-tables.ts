/**
 * The tables of the SQLite engine. They are compact, for they are written while mail waits: a row for each UTC day and recipient domain
 * has all its counts, in which policies, details and kinds of sessions go by their numbers.
 *
 * Days are counted from 1970 in UTC. A day comes first in the key, so that a day's counts lie together: they are written together,
 * read for one report after the other, and removed together.
 *
 * @module
 */

/**
 * Version 2. One row for each hour and kind of count has become one for each day and domain, see day-counts.ts. What was a host, a level
 * and a TLS version there has become one text, and none of these has the hash that would have it found again: it is written once more.
 */
const COUNTS_OF_A_DAY = `
  CREATE TABLE day (
    day INTEGER NOT NULL, domain TEXT NOT NULL,
    policies TEXT NOT NULL, sessions TEXT NOT NULL,
    PRIMARY KEY (day, domain)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE kind (id INTEGER PRIMARY KEY, host, level, version, seen, UNIQUE (host, level, version));
  INSERT INTO kind
    SELECT (SELECT coalesce(max(id), 0) FROM text) + row_number() OVER (), host, level, version, max(day)
    FROM session GROUP BY host, level, version;
  INSERT INTO text (id, hash, seen, text)
    SELECT kind.id, -1, kind.seen, json_array(levels.value, versions.text, hosts.text)
    FROM kind
    JOIN json_each('["verified","trusted","untrusted","clear-text","refused","policy-fetch"]') AS levels ON levels.key = level
    LEFT JOIN text AS versions ON versions.id = version
    LEFT JOIN text AS hosts ON hosts.id = host;

  INSERT INTO day
    SELECT day, name, coalesce(max(policies), ''), coalesce(max(sessions), '')
    FROM (
      SELECT day, domain, group_concat(counts, ' ') AS policies, NULL AS sessions
      FROM (
        SELECT day, domain, policy || iif(detail, '.' || detail, '') || ':' || group_concat(char(97 + hour) || iif(count > 1, count, ''), '') AS counts
        FROM counted GROUP BY day, domain, policy, detail
      ) GROUP BY day, domain
      UNION ALL
      SELECT day, domain, NULL, group_concat(counts, ' ')
      FROM (
        SELECT day, domain, kind.id || ':' || group_concat(char(97 + hour) || iif(count > 1, count, ''), '') AS counts
        FROM session JOIN kind USING (host, level, version) GROUP BY day, domain, kind.id
      ) GROUP BY day, domain
    ) AS days JOIN domain ON domain.id = days.domain
    GROUP BY day, name;

  DROP TABLE counted;
  DROP TABLE session;
  DROP TABLE kind;
  DROP TABLE domain;
  DELETE FROM number WHERE name = 'last domain'`

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
  COUNTS_OF_A_DAY,
]

/** In place of a policy's number: the domain itself, which has none. */
export const NO_POLICY = 0
