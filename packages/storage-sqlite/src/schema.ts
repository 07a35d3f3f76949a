/** Marks a file as ours in its header: "ARC1". */
export const applicationId = 0x41524331;

/** The number of the newest migration; a file with a higher one was written by a newer ARC. */
export const schemaVersion = 1;

/**
 * The log's newest row is never deleted, since it is what numbers the next write. Keys are TEXT under the BINARY collation:
 * ordered by their UTF-8 bytes.
 */
export const createSchema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  CREATE TABLE live (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
  CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value BLOB,
    prior_revision INTEGER NOT NULL,
    prior_value BLOB
  ) STRICT;
  INSERT INTO meta (name, value) VALUES ('schema', ${schemaVersion}), ('compacted', 0);
  PRAGMA application_id = ${applicationId};
`;

export const statements = {
  selectMeta: 'SELECT value FROM meta WHERE name = ?',
  updateMeta: 'UPDATE meta SET value = ? WHERE name = ?',
  selectNewest: 'SELECT coalesce(max(revision), 0) FROM log',
  selectLive: 'SELECT key, revision, value FROM live WHERE key = ?',
  upsertLive: `INSERT INTO live (key, revision, value) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value`,
  deleteLive: 'DELETE FROM live WHERE key = ?',
  insertLog: 'INSERT INTO log (revision, key, value, prior_revision, prior_value) VALUES (?, ?, ?, ?, ?)',
  selectLog: 'SELECT key, revision, value, prior_revision, prior_value FROM log WHERE revision > ? ORDER BY revision LIMIT ?',
  selectRange: 'SELECT key, revision, value FROM live WHERE key >= ? AND (?2 IS NULL OR key < ?2) ORDER BY key LIMIT ?3',
  // Of the changes after the snapshot, a key's first one holds what the snapshot saw: the only one whose prior value is that old.
  selectRangeAt: `SELECT key, revision, value FROM live WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND revision <= ?4
    UNION ALL
    SELECT key, prior_revision, prior_value FROM log
      WHERE revision > ?4 AND prior_revision BETWEEN 1 AND ?4 AND key >= ?1 AND (?2 IS NULL OR key < ?2)
    ORDER BY key LIMIT ?3`,
  deleteLog: `DELETE FROM log WHERE revision <= ?1 AND revision < (SELECT max(revision) FROM log)
    AND revision IN (SELECT revision FROM log ORDER BY revision LIMIT ?2)`,
} as const;
