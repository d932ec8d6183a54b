-- Views for queries by other programs. They need no JSON functions from the reader, and read malformed JSON as NULL.

-- A row for each genre of each show.
CREATE VIEW Show_Genres AS
    SELECT s.id AS show_id, g.value AS genre
    FROM All_Shows s, json_each('[' || replace(json_quote(CAST(s.genres AS TEXT)), ',', '","') || ']') g
    WHERE g.value != '';

-- A row for each weekday on which a show airs.
CREATE VIEW Show_Days AS
    SELECT s.id AS show_id, d.value AS day
    FROM All_Shows s, json_each(CASE WHEN json_valid(s.schedule) THEN s.schedule END, '$.days') d
    WHERE d.type = 'text' AND d.value != '';

-- All_Shows with the values inside its JSON as columns.
CREATE VIEW Shows_Flat AS
    SELECT
        id, name, type, language, genres, status, premiered, ended, rating_average, weight, runtime, average_runtime,
        CASE WHEN json_valid(network) THEN json_extract(network, '$.id') END AS network_id,
        CASE WHEN json_valid(network) THEN json_extract(network, '$.name') END AS network_name,
        CASE WHEN json_valid(network) THEN json_extract(network, '$.country.name') END AS network_country,
        CASE WHEN json_valid(network) THEN json_extract(network, '$.country.code') END AS network_country_code,
        CASE WHEN json_valid(web_channel) THEN json_extract(web_channel, '$.id') END AS web_channel_id,
        CASE WHEN json_valid(web_channel) THEN json_extract(web_channel, '$.name') END AS web_channel_name,
        CASE WHEN json_valid(web_channel) THEN json_extract(web_channel, '$.country.name') END AS web_channel_country,
        CASE WHEN json_valid(web_channel) THEN json_extract(web_channel, '$.country.code') END
            AS web_channel_country_code,
        CASE WHEN json_valid(dvd_country) THEN json_extract(dvd_country, '$.name') END AS dvd_country,
        CASE WHEN json_valid(schedule) THEN nullif(json_extract(schedule, '$.time'), '') END AS schedule_time,
        (SELECT group_concat(day) FROM Show_Days WHERE show_id = All_Shows.id) AS schedule_days,
        CASE WHEN json_valid(externals) THEN json_extract(externals, '$.imdb') END AS imdb,
        CASE WHEN json_valid(externals) THEN json_extract(externals, '$.thetvdb') END AS thetvdb,
        CASE WHEN json_valid(externals) THEN json_extract(externals, '$.tvrage') END AS tvrage,
        CASE WHEN json_valid(image) THEN json_extract(image, '$.medium') END AS image_medium,
        CASE WHEN json_valid(image) THEN json_extract(image, '$.original') END AS image_original,
        url, official_site, summary, updated, processed_at
    FROM All_Shows;

-- The ids of shows in other databases, for lookups.
CREATE TABLE _External_Ids (
    show_id INTEGER PRIMARY KEY,
    imdb    TEXT,
    thetvdb INTEGER,
    tvrage  INTEGER
);
CREATE VIEW _All_Shows_External_Ids AS
    SELECT
        id,
        CASE WHEN json_valid(externals) THEN json_extract(externals, '$.imdb') END,
        CASE WHEN json_valid(externals) THEN json_extract(externals, '$.thetvdb') END,
        CASE WHEN json_valid(externals) THEN json_extract(externals, '$.tvrage') END
    FROM All_Shows;
INSERT INTO _External_Ids SELECT * FROM _All_Shows_External_Ids;
CREATE INDEX _External_Ids_Imdb ON _External_Ids (imdb) WHERE imdb IS NOT NULL;
CREATE INDEX _External_Ids_Thetvdb ON _External_Ids (thetvdb) WHERE thetvdb IS NOT NULL;
CREATE INDEX _External_Ids_Tvrage ON _External_Ids (tvrage) WHERE tvrage IS NOT NULL;

-- These also see the changes of other programs.
CREATE TRIGGER _External_Ids_After_Insert AFTER INSERT ON All_Shows BEGIN
    INSERT OR REPLACE INTO _External_Ids SELECT * FROM _All_Shows_External_Ids WHERE id = new.id;
END;
CREATE TRIGGER _External_Ids_After_Update AFTER UPDATE ON All_Shows
    WHEN (old.id, old.externals) IS NOT (new.id, new.externals) BEGIN
    DELETE FROM _External_Ids WHERE show_id = old.id;
    INSERT OR REPLACE INTO _External_Ids SELECT * FROM _All_Shows_External_Ids WHERE id = new.id;
END;
CREATE TRIGGER _External_Ids_After_Delete AFTER DELETE ON All_Shows BEGIN
    DELETE FROM _External_Ids WHERE show_id = old.id;
END;

-- The search index also finds the words of names without their punctuation: `swat` finds S.W.A.T.
DROP TABLE IF EXISTS _Show_Search;
CREATE VIRTUAL TABLE _Show_Search USING fts5 (
    name, summary, joined_name, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
-- See 0006 for the reasons.
INSERT INTO _Show_Search (_Show_Search, rank) VALUES ('hashsize', 2097152);
INSERT INTO _Show_Search (_Show_Search, rank) VALUES ('automerge', 16);
INSERT INTO _Show_Search (rowid, name, summary, joined_name)
    SELECT id, name, plain_text(summary), joined_words(name) FROM All_Shows;
UPDATE _Search_State SET is_stale = 0;
