-- Facets and the ids of shows in other databases are read from All_Shows into memory. The tables that repeated them are
-- dropped, except for the columns that planning a run reads.

DROP TRIGGER _All_Shows_After_Insert;
DROP TRIGGER _All_Shows_After_Update;
DROP TRIGGER _All_Shows_After_Delete;
DROP TRIGGER _External_Ids_After_Insert;
DROP TRIGGER _External_Ids_After_Update;
DROP TRIGGER _External_Ids_After_Delete;
DROP VIEW _Staged_Show_Versions;
DROP VIEW _Retained_Facets;
DROP VIEW _Staged_Shows_Facets;
DROP VIEW _All_Shows_Facets;
DROP VIEW _All_Shows_External_Ids;
DROP TABLE _External_Ids;

-- What planning a run needs of each show: reading it from All_Shows would read ten times as many pages.
CREATE TABLE _Show_Versions (
    id           INTEGER PRIMARY KEY,
    updated      INTEGER,
    processed_at TEXT NOT NULL          -- later than in All_Shows if the show was fetched again, unchanged
);
INSERT INTO _Show_Versions SELECT id, updated, processed_at FROM _Show_Facets;
DROP TABLE _Show_Facets;

-- These also see the changes of other programs.
CREATE TRIGGER _All_Shows_After_Insert AFTER INSERT ON All_Shows BEGIN
    INSERT OR REPLACE INTO _Show_Versions VALUES (new.id, new.updated, new.processed_at);
    UPDATE _Search_State SET is_stale = 1 WHERE NOT is_stale;
END;
CREATE TRIGGER _All_Shows_After_Update AFTER UPDATE ON All_Shows BEGIN
    DELETE FROM _Show_Versions WHERE id = old.id;
    INSERT OR REPLACE INTO _Show_Versions VALUES (new.id, new.updated, new.processed_at);
    UPDATE _Search_State SET is_stale = 1
        WHERE NOT is_stale AND (old.id, old.name, old.summary) IS NOT (new.id, new.name, new.summary);
END;
CREATE TRIGGER _All_Shows_After_Delete AFTER DELETE ON All_Shows BEGIN
    DELETE FROM _Show_Versions WHERE id = old.id;
    UPDATE _Search_State SET is_stale = 1 WHERE NOT is_stale;
END;

-- The published shows that remain in the next snapshot as they are.
CREATE VIEW _Retained_Shows AS
    SELECT * FROM All_Shows
    WHERE EXISTS (SELECT 1 FROM _Staged_Run WHERE is_incremental)
      AND id NOT IN (SELECT id FROM _Staged_Shows)
      AND id NOT IN (SELECT id FROM _Staged_Deletions);

-- The shows of the next snapshot.
CREATE VIEW _Staged_Show_Versions AS
    SELECT id, updated, processed_at FROM _Staged_Shows
    UNION ALL
    SELECT id, updated, processed_at FROM _Show_Versions
    WHERE EXISTS (SELECT 1 FROM _Staged_Run WHERE is_incremental)
      AND id NOT IN (SELECT id FROM _Staged_Shows)
      AND id NOT IN (SELECT id FROM _Staged_Deletions);
