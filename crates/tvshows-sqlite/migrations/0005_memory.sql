-- Memory stays flat while a run publishes, and planning a run reads no long texts.

-- What lists filter and sort by, and what planning asks of each show. A table of its own rather than an index of
-- All_Shows: that would be sorted in memory each time that publishing puts another table in the place of All_Shows.
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
    network        TEXT,             -- the name of the network, or else of the web channel
    processed_at   TEXT NOT NULL
);
CREATE VIEW Facets_Of_All_Shows AS
    SELECT id, name, type, language, genres, status, premiered, rating_average, updated, weight,
        ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name')), processed_at
    FROM All_Shows;
INSERT INTO Show_Facets SELECT * FROM Facets_Of_All_Shows;

-- Whoever writes to All_Shows, this program or another.
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

-- The part of the snapshot to be published that is published already.
CREATE VIEW Kept_Facets AS
    SELECT * FROM Show_Facets
    WHERE EXISTS (SELECT 1 FROM Staged_Run WHERE keeps_published)
      AND id NOT IN (SELECT id FROM Staged_Shows)
      AND id NOT IN (SELECT id FROM Staged_Drops);
-- Of the whole of it, nothing but these is asked.
DROP VIEW Snapshot;
CREATE VIEW Snapshot_Versions AS
    SELECT id, updated, processed_at FROM Staged_Shows
    UNION ALL
    SELECT id, updated, processed_at FROM Kept_Facets;

-- Two MB of words are gathered before they are written: sixteen took 26 MB of memory.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('hashsize', 2097152);
-- The pieces of a first run, some fifteen, are left as they are: merging them took a sixth of its indexing.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('automerge', 16);
