-- The published shows can be listed and searched, and have a version.

-- The version of the published snapshot: one row, whose number rises with every publish.
CREATE TABLE Snapshot_Number (
    number       INTEGER NOT NULL,
    published_at TEXT
);
INSERT INTO Snapshot_Number
    SELECT EXISTS (SELECT 1 FROM All_Shows), (SELECT max(finished_at) FROM Runs WHERE state = 'succeeded');

-- What lists filter and sort by, without the long texts: a list finds its shows in this index alone. The id is first,
-- so that publishing appends.
CREATE INDEX Show_Facets ON All_Shows (
    id, name, type, language, genres, status, premiered, rating_average, updated, weight,
    ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name'))
);

-- The words of names and summaries, without a copy of the texts. Rows are replaced by rowid. The function plain_text
-- is defined by this program.
CREATE VIRTUAL TABLE Show_Search USING fts5 (
    name, summary, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
-- Collect 16 MB of words before writing them: fewer segments to merge.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('hashsize', 16777216);
INSERT INTO Show_Search (rowid, name, summary) SELECT id, name, plain_text(summary) FROM All_Shows;
