-- The episodes and the casts of chosen shows.

-- Episodes of TVmaze. An id is not unique: TVmaze may list an episode under two shows for a moment.
CREATE TABLE Episodes (
    id             INTEGER NOT NULL,
    show_id        INTEGER NOT NULL,
    season         INTEGER,
    number         INTEGER,            -- NULL for a special
    type           TEXT,
    name           TEXT,
    airdate        TEXT,               -- YYYY-MM-DD, in the time zone of the network
    airtime        TEXT,               -- HH:MM, in the time zone of the network; empty if unknown
    airstamp       TEXT,               -- RFC 3339; noon if the time is unknown
    runtime        INTEGER,            -- minutes
    rating_average REAL,
    summary        TEXT,               -- HTML
    image_medium   TEXT,
    image_original TEXT,
    url            TEXT,
    processed_at   TEXT NOT NULL,      -- RFC 3339, UTC
    position       INTEGER NOT NULL,   -- TVmaze's order within the show, from 0
    extra          TEXT,               -- JSON: what fits no other column; NULL if nothing
    PRIMARY KEY (show_id, position)
);
CREATE INDEX _Episodes_Airdate ON Episodes (airdate, show_id);

-- All stored casts. Top_Shows_Cast has a copy of those of the top shows.
CREATE TABLE Show_Cast (
    show_id             INTEGER NOT NULL,
    show_name           TEXT NOT NULL,
    person_id           INTEGER NOT NULL,
    person_name         TEXT NOT NULL,
    person_birthday     TEXT,
    person_deathday     TEXT,
    person_gender       TEXT,
    person_country_name TEXT,
    character_id        INTEGER NOT NULL,
    character_name      TEXT NOT NULL,
    image               TEXT,
    processed_at        TEXT NOT NULL,
    self                INTEGER,
    voice               INTEGER,
    position            INTEGER NOT NULL,
    extra               TEXT,           -- JSON: what fits no other column; NULL if nothing
    PRIMARY KEY (show_id, position)
);

-- The shows with a stored cast, which may be empty.
CREATE TABLE _Details (
    show_id      INTEGER PRIMARY KEY,
    updated      INTEGER,               -- the show's, when the details were fetched
    has_episodes INTEGER NOT NULL,      -- whether its episodes are stored, which may be none
    processed_at TEXT NOT NULL
);

-- Without `updated`, so that the next run fetches what earlier releases did not store.
INSERT INTO Show_Cast SELECT *, NULL FROM Top_Shows_Cast ORDER BY show_id, position;
INSERT INTO _Details
    SELECT id, NULL, 0,
        ifnull((SELECT max(processed_at) FROM Top_Shows_Cast WHERE show_id = Top_Shows.id), processed_at)
    FROM Top_Shows;

-- The staged details. A run that was interrupted before the migration fetches its casts again.
DROP TABLE _Staged_Cast_Shows;
CREATE TABLE _Staged_Details (
    show_id      INTEGER PRIMARY KEY,
    updated      INTEGER,
    has_episodes INTEGER NOT NULL,
    processed_at TEXT NOT NULL
);
DELETE FROM _Staged_Cast_Rows;
ALTER TABLE _Staged_Cast_Rows ADD COLUMN extra TEXT;
CREATE TABLE _Staged_Episodes (
    id             INTEGER NOT NULL,
    show_id        INTEGER NOT NULL,
    season         INTEGER,
    number         INTEGER,
    type           TEXT,
    name           TEXT,
    airdate        TEXT,
    airtime        TEXT,
    airstamp       TEXT,
    runtime        INTEGER,
    rating_average REAL,
    summary        TEXT,
    image_medium   TEXT,
    image_original TEXT,
    url            TEXT,
    processed_at   TEXT NOT NULL,
    position       INTEGER NOT NULL,
    extra          TEXT,
    PRIMARY KEY (show_id, position)
);

-- The progress of fetching details.
ALTER TABLE Runs ADD COLUMN details_done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Runs ADD COLUMN details_total INTEGER;

-- Facets are texts: anything else in the JSON of a show counts as missing.
DROP VIEW _All_Shows_Facets;
CREATE VIEW _All_Shows_Facets AS
    SELECT id, name, type, language, genres, status, premiered, rating_average, updated, weight,
        ifnull(
            CASE json_type(network, '$.name') WHEN 'text' THEN json_extract(network, '$.name') END,
            CASE json_type(web_channel, '$.name') WHEN 'text' THEN json_extract(web_channel, '$.name') END),
        processed_at,
        ifnull(
            CASE json_type(network, '$.country.name') WHEN 'text' THEN json_extract(network, '$.country.name') END,
            CASE json_type(web_channel, '$.country.name') WHEN 'text' THEN json_extract(web_channel, '$.country.name') END),
        ifnull(
            CASE json_type(network, '$.country.code') WHEN 'text' THEN json_extract(network, '$.country.code') END,
            CASE json_type(web_channel, '$.country.code') WHEN 'text' THEN json_extract(web_channel, '$.country.code') END),
        CASE json_type(schedule, '$.days') WHEN 'array' THEN json_extract(schedule, '$.days') END
    FROM All_Shows;

-- The facets of the shows that an update has staged.
CREATE VIEW _Staged_Shows_Facets AS
    SELECT id, updated, type, language, genres, status, premiered, rating_average,
        ifnull(
            CASE json_type(network, '$.name') WHEN 'text' THEN json_extract(network, '$.name') END,
            CASE json_type(web_channel, '$.name') WHEN 'text' THEN json_extract(web_channel, '$.name') END) AS network,
        ifnull(
            CASE json_type(network, '$.country.name') WHEN 'text' THEN json_extract(network, '$.country.name') END,
            CASE json_type(web_channel, '$.country.name') WHEN 'text' THEN json_extract(web_channel, '$.country.name') END) AS country,
        ifnull(
            CASE json_type(network, '$.country.code') WHEN 'text' THEN json_extract(network, '$.country.code') END,
            CASE json_type(web_channel, '$.country.code') WHEN 'text' THEN json_extract(web_channel, '$.country.code') END) AS country_code,
        CASE json_type(schedule, '$.days') WHEN 'array' THEN json_extract(schedule, '$.days') END AS days
    FROM _Staged_Shows;
