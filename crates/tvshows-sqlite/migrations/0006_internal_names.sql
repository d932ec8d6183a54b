-- The names of internal tables, views, triggers and indexes start with an underscore. The search index can be read,
-- counted and dropped by any SQLite from 3.37 on.

DROP TRIGGER IF EXISTS Facets_Of_New_Show;
DROP TRIGGER IF EXISTS Facets_Of_Changed_Show;
DROP TRIGGER IF EXISTS Facets_Of_Deleted_Show;
DROP VIEW IF EXISTS Snapshot_Versions;
DROP VIEW IF EXISTS Kept_Facets;
DROP VIEW IF EXISTS Facets_Of_All_Shows;
DROP INDEX IF EXISTS Unfinished_Runs;
DROP TABLE IF EXISTS Show_Search;

ALTER TABLE Data RENAME TO _Database_Identity;
ALTER TABLE Snapshot_Number RENAME TO _Snapshot_Version;
ALTER TABLE Index_Pages RENAME TO _Index_Pages;
ALTER TABLE Show_Facets RENAME TO _Show_Facets;
ALTER TABLE Staged_Pages RENAME TO _Staged_Pages;
ALTER TABLE Staged_Shows RENAME TO _Staged_Shows;
ALTER TABLE Staged_Drops RENAME TO _Staged_Deletions;
ALTER TABLE Staged_Casts RENAME TO _Staged_Cast_Shows;
ALTER TABLE Staged_Cast RENAME TO _Staged_Cast_Rows;

-- The attempt that owns the staging tables: one row while a run is in progress.
CREATE TABLE _Staged_Run (
    request_id      TEXT NOT NULL,
    attempt         INTEGER NOT NULL,               -- the fencing token
    is_incremental  INTEGER NOT NULL DEFAULT 0,     -- whether the next snapshot starts from the published one
    stalled_resumes INTEGER NOT NULL DEFAULT 0,     -- attempts in a row that resumed and staged nothing more
    holds_lock      INTEGER NOT NULL,
    holds_lease     INTEGER NOT NULL
);
INSERT INTO _Staged_Run
    SELECT request_id, attempt, keeps_published, idle_resumes, claimed, leased FROM Staged_Run;
DROP TABLE Staged_Run;

-- Finds the unfinished runs without reading the whole history.
CREATE INDEX _Unfinished_Runs ON Runs (sequence) WHERE state IN ('queued', 'running', 'interrupted');

CREATE VIEW _All_Shows_Facets AS
    SELECT id, name, type, language, genres, status, premiered, rating_average, updated, weight,
        ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name')), processed_at
    FROM All_Shows;

-- The published shows that remain in the next snapshot as they are.
CREATE VIEW _Retained_Facets AS
    SELECT * FROM _Show_Facets
    WHERE EXISTS (SELECT 1 FROM _Staged_Run WHERE is_incremental)
      AND id NOT IN (SELECT id FROM _Staged_Shows)
      AND id NOT IN (SELECT id FROM _Staged_Deletions);

-- The shows of the next snapshot.
CREATE VIEW _Staged_Show_Versions AS
    SELECT id, updated, processed_at FROM _Staged_Shows
    UNION ALL
    SELECT id, updated, processed_at FROM _Retained_Facets;

-- The words of names and summaries, without a copy of the texts. To remove a show, the index needs the text it was
-- added with, which is the row of All_Shows.
CREATE VIRTUAL TABLE _Show_Search USING fts5 (
    name, summary, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
-- Collect 2 MB of words before writing them: more takes more memory, less leaves more segments to merge.
INSERT INTO _Show_Search (_Show_Search, rank) VALUES ('hashsize', 2097152);
-- Leave the segments of a first run, about 15, unmerged: merging them took a sixth of the indexing time.
INSERT INTO _Show_Search (_Show_Search, rank) VALUES ('automerge', 16);
INSERT INTO _Show_Search (rowid, name, summary) SELECT id, name, plain_text(summary) FROM All_Shows;

-- Whether another program changed All_Shows since the index was written: then the texts to remove are lost, and the
-- next publish rebuilds the index.
CREATE TABLE _Search_State (
    is_stale INTEGER NOT NULL
);
INSERT INTO _Search_State VALUES (0);

-- These also see the changes of other programs.
CREATE TRIGGER _All_Shows_After_Insert AFTER INSERT ON All_Shows BEGIN
    INSERT OR REPLACE INTO _Show_Facets SELECT * FROM _All_Shows_Facets WHERE id = new.id;
    UPDATE _Search_State SET is_stale = 1 WHERE NOT is_stale;
END;
CREATE TRIGGER _All_Shows_After_Update AFTER UPDATE ON All_Shows BEGIN
    DELETE FROM _Show_Facets WHERE id = old.id;
    INSERT OR REPLACE INTO _Show_Facets SELECT * FROM _All_Shows_Facets WHERE id = new.id;
    UPDATE _Search_State SET is_stale = 1
        WHERE NOT is_stale AND (old.id, old.name, old.summary) IS NOT (new.id, new.name, new.summary);
END;
CREATE TRIGGER _All_Shows_After_Delete AFTER DELETE ON All_Shows BEGIN
    DELETE FROM _Show_Facets WHERE id = old.id;
    UPDATE _Search_State SET is_stale = 1 WHERE NOT is_stale;
END;
