-- Publishing uses a constant amount of memory, and planning a run reads no long texts.

-- What lists filter and sort by, and what planning needs of each show. A table and not an index of All_Shows, which
-- would be sorted in memory whenever publishing replaces All_Shows with another table.
DROP INDEX Show_Facets;
CREATE TABLE Show_Facets (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL,
    type           TEXT,
    language       TEXT,
    genres         TEXT NOT NULL,
    status         TEXT,
    premiered      TEXT,
    rating_average REAL,
    updated        INTEGER,
    weight         INTEGER,
    network        TEXT,             -- the network's name, or the web channel's if there is none
    processed_at   TEXT NOT NULL
);
CREATE VIEW Facets_Of_All_Shows AS
    SELECT id, name, type, language, genres, status, premiered, rating_average, updated, weight,
        ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name')), processed_at
    FROM All_Shows;
INSERT INTO Show_Facets SELECT * FROM Facets_Of_All_Shows;

-- These also see the changes of other programs.
CREATE TRIGGER Facets_Of_New_Show AFTER INSERT ON All_Shows BEGIN
    INSERT OR REPLACE INTO Show_Facets SELECT * FROM Facets_Of_All_Shows WHERE id = new.id;
END;
CREATE TRIGGER Facets_Of_Changed_Show AFTER UPDATE ON All_Shows BEGIN
    DELETE FROM Show_Facets WHERE id = old.id;
    INSERT OR REPLACE INTO Show_Facets SELECT * FROM Facets_Of_All_Shows WHERE id = new.id;
END;
CREATE TRIGGER Facets_Of_Deleted_Show AFTER DELETE ON All_Shows BEGIN
    DELETE FROM Show_Facets WHERE id = old.id;
END;

-- The published shows that remain in the next snapshot as they are.
CREATE VIEW Kept_Facets AS
    SELECT * FROM Show_Facets
    WHERE EXISTS (SELECT 1 FROM Staged_Run WHERE keeps_published)
      AND id NOT IN (SELECT id FROM Staged_Shows)
      AND id NOT IN (SELECT id FROM Staged_Drops);
-- The rest of the view was never used.
DROP VIEW Snapshot;
CREATE VIEW Snapshot_Versions AS
    SELECT id, updated, processed_at FROM Staged_Shows
    UNION ALL
    SELECT id, updated, processed_at FROM Kept_Facets;

-- Collect 2 MB of words before writing them: 16 MB took 26 MB of memory.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('hashsize', 2097152);
-- Leave the segments of a first run, about 15, unmerged: merging them took a sixth of the indexing time.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('automerge', 16);
