-- Memory stays flat while a run publishes.

-- What lists filter and sort by, without the long texts beside it. A table of its own rather than an index of
-- All_Shows, which would be sorted in memory each time that publishing puts another table in the place of that.
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
    network        TEXT     -- the name of the network, or else of the web channel
);
INSERT INTO Show_Facets
    SELECT id, name, type, language, genres, status, premiered, rating_average, updated, weight,
        ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name'))
    FROM All_Shows;

-- Two MB of words are gathered before they are written: sixteen took 26 MB of memory.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('hashsize', 2097152);
-- The pieces of a first run, some fifteen, are left as they are: merging them took a sixth of its indexing.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('automerge', 16);
