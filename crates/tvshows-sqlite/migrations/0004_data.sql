-- The published shows as a catalogue that is listed, searched and told from its earlier versions.

-- The number of the published snapshot: one row, and a higher number with every publish.
CREATE TABLE Snapshot_Number (
    number       INTEGER NOT NULL,
    published_at TEXT
);
INSERT INTO Snapshot_Number
    SELECT EXISTS (SELECT 1 FROM All_Shows), (SELECT max(finished_at) FROM Runs WHERE state = 'succeeded');

-- What lists filter and sort by, without the long texts beside it: a list reads this index alone to find its
-- shows. The id is first, so that publishing appends.
CREATE INDEX Show_Facets ON All_Shows (
    id, name, type, language, genres, status, premiered, rating_average, updated, weight,
    ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name'))
);

-- The words of names and summaries. It holds no copy of the texts; a row is replaced by its rowid alone.
-- The function plain_text is this program's.
CREATE VIRTUAL TABLE Show_Search USING fts5 (
    name, summary, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
-- Sixteen MB of words are gathered before they are written: fewer pieces to merge.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('hashsize', 16777216);
INSERT INTO Show_Search (rowid, name, summary) SELECT id, name, plain_text(summary) FROM All_Shows;
