-- Shows can be filtered and counted by country and day.

ALTER TABLE _Show_Facets ADD COLUMN country TEXT;        -- the name of the network's country, or of the web channel's
ALTER TABLE _Show_Facets ADD COLUMN country_code TEXT;
ALTER TABLE _Show_Facets ADD COLUMN days TEXT;           -- JSON array

DROP VIEW _All_Shows_Facets;
CREATE VIEW _All_Shows_Facets AS
    SELECT id, name, type, language, genres, status, premiered, rating_average, updated, weight,
        ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name')), processed_at,
        ifnull(json_extract(network, '$.country.name'), json_extract(web_channel, '$.country.name')),
        ifnull(json_extract(network, '$.country.code'), json_extract(web_channel, '$.country.code')),
        json_extract(schedule, '$.days')
    FROM All_Shows;

DELETE FROM _Show_Facets;
INSERT INTO _Show_Facets SELECT * FROM _All_Shows_Facets;
