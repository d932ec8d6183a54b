-- Internal tables and views have names that begin with an underscore. The others are read-only views for other programs.

-- Identifies the database. Its row is locked while a run is added to the queue.
CREATE TABLE _data (
    id text NOT NULL
);
INSERT INTO _data VALUES (replace(gen_random_uuid()::text, '-', ''));

-- The history of runs, which is also the queue.
CREATE TABLE _runs (
    sequence   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text NOT NULL UNIQUE,
    state      text NOT NULL,
    attempt    bigint NOT NULL,
    status     text NOT NULL,               -- JSON
    ended_at   timestamptz,                 -- by the clock of the database
    snapshot   bigint                       -- the number of the snapshot that it published
);
CREATE INDEX _unfinished_runs ON _runs (sequence) WHERE state IN ('queued', 'running', 'interrupted');

-- The right to work on runs: one row.
CREATE TABLE _run_lock (
    holder text,                            -- NULL if the lock was released
    term   bigint NOT NULL,                 -- rises whenever the lock is acquired
    until  timestamptz NOT NULL
);
INSERT INTO _run_lock VALUES (NULL, 0, '-infinity');

-- The attempt that owns the staging tables: one row, which is locked first by each write of a session.
CREATE TABLE _staged_run (
    request_id       text,                  -- NULL while no run is in progress
    attempt          bigint NOT NULL DEFAULT 0,
    holder           text,                  -- the process that works on it
    term             bigint NOT NULL DEFAULT 0,
    is_incremental   boolean NOT NULL DEFAULT false,    -- whether the next snapshot starts from the published one
    stalled_attempts bigint NOT NULL DEFAULT 0,         -- attempts in a row that staged nothing
    owns_lock        boolean NOT NULL DEFAULT false,
    owns_lease       boolean NOT NULL DEFAULT false
);
INSERT INTO _staged_run DEFAULT VALUES;

-- The latest snapshots. The last one is published.
CREATE TABLE _snapshots (
    number       bigint PRIMARY KEY,
    published_at timestamptz NOT NULL,
    run          text NOT NULL
);

-- Which snapshot each replica has, for publishing to wait for them.
CREATE TABLE _replicas (
    replica text PRIMARY KEY,
    number  bigint NOT NULL,
    seen_at timestamptz NOT NULL
);

-- Each version of each show belongs to the snapshots from `since` to before `until`. Rows of the next snapshot are
-- staged here, with a `since` that is not published yet.
CREATE TABLE _show_versions (
    id              bigint NOT NULL,
    since           bigint NOT NULL,
    until           bigint,
    digest          bytea NOT NULL,         -- of all columns below but processed_at
    processed_at    timestamptz NOT NULL,   -- when this version was first fetched
    exact_texts     text,                   -- JSON object: the exact texts of columns that have a NUL character
    name            text NOT NULL,
    type            text,
    language        text,
    genres          text NOT NULL,
    status          text,
    premiered       text,
    ended           text,
    summary         text,
    url             text,
    official_site   text,
    schedule        text,                   -- this and what follows to `extra`: JSON
    network         text,
    web_channel     text,
    dvd_country     text,
    externals       text,
    image           text,
    links           text,
    extra           text,
    updated         bigint,
    runtime         bigint,
    average_runtime bigint,
    weight          bigint,
    rating_average  double precision,
    PRIMARY KEY (id, since)
);
CREATE INDEX _show_versions_since ON _show_versions (since);
CREATE INDEX _show_versions_until ON _show_versions (until) WHERE until IS NOT NULL;

-- When published shows were last fetched, if that was after processed_at: they had not changed.
CREATE TABLE _shows_seen (
    id         bigint PRIMARY KEY,
    fetched_at timestamptz NOT NULL
);
CREATE TABLE _staged_shows_seen (
    id         bigint PRIMARY KEY,
    fetched_at timestamptz NOT NULL
);

-- Published shows that the next snapshot omits.
CREATE TABLE _staged_deletions (
    id bigint PRIMARY KEY
);

-- When each index page was last fetched.
CREATE TABLE _index_pages (
    page       bigint PRIMARY KEY,
    fetched_at timestamptz NOT NULL
);
CREATE TABLE _staged_pages (
    page       bigint PRIMARY KEY,
    fetched_at timestamptz NOT NULL
);

CREATE TABLE _top_shows (
    id   bigint PRIMARY KEY,
    rank bigint NOT NULL UNIQUE             -- 1 is the best
);

CREATE TABLE _cast_rows (
    show_id             bigint NOT NULL,
    position            bigint NOT NULL,    -- TVmaze's order within the show, from 0
    processed_at        timestamptz NOT NULL,
    exact_texts         text,               -- as in _show_versions
    show_name           text NOT NULL,
    person_name         text NOT NULL,
    person_birthday     text,
    person_deathday     text,
    person_gender       text,
    person_country_name text,
    character_name      text NOT NULL,
    image               text,
    person_id           bigint NOT NULL,
    character_id        bigint NOT NULL,
    self                boolean,
    voice               boolean,
    PRIMARY KEY (show_id, position)
);
CREATE TABLE _staged_cast_rows (LIKE _cast_rows INCLUDING ALL);

-- The shows with a staged cast, which may be empty, with the show's `updated` at the time.
CREATE TABLE _staged_cast_shows (
    show_id bigint PRIMARY KEY,
    updated bigint
);

-- The columns are those of the SQLite database. PostgreSQL folds unquoted names to lower case, so both
-- all_shows and All_Shows mean the first view; the second is for programs that quote names.
CREATE VIEW all_shows AS
    SELECT id, name, type, language, genres, status, premiered, ended, rating_average, summary, updated, processed_at,
        url, runtime, average_runtime, official_site, weight, schedule, network, web_channel, dvd_country, externals,
        image, links, extra
    -- A join, because a view of a single table could be written to.
    FROM _show_versions JOIN (SELECT max(number) AS number FROM _snapshots) published ON since <= number
    WHERE until IS NULL;
CREATE VIEW "All_Shows" AS SELECT * FROM all_shows;

CREATE VIEW top_shows AS
    SELECT s.id, s.name, s.language, s.genres, s.premiered, s.rating_average,
        (SELECT published_at FROM _snapshots ORDER BY number DESC LIMIT 1) AS processed_at,
        s.weight, t.rank, s.updated
    FROM _top_shows t JOIN all_shows s USING (id);
CREATE VIEW "Top_Shows" AS SELECT * FROM top_shows;

CREATE VIEW top_shows_cast AS
    SELECT c.show_id, c.show_name, c.person_id, c.person_name, c.person_birthday, c.person_deathday, c.person_gender,
        c.person_country_name, c.character_id, c.character_name, c.image, c.processed_at, c.self, c.voice, c.position
    FROM _cast_rows c JOIN _top_shows t ON t.id = c.show_id;
CREATE VIEW "Top_Shows_Cast" AS SELECT * FROM top_shows_cast;

-- PostgreSQL refuses to decode JSON with a NUL character, which is rare: an error that has one reads as U+2400.
CREATE VIEW runs AS
    SELECT
        r.sequence, r.request_id, r.state,
        j.status ->> 'step' AS step,
        (j.status ->> 'progress')::bigint AS progress,
        j.status ->> 'error' AS error,
        (j.status ->> 'pages_done')::bigint AS pages_done,
        (j.status ->> 'pages_total')::bigint AS pages_total,
        (j.status ->> 'shows_seen')::bigint AS shows_seen,
        (j.status ->> 'singles_done')::bigint AS singles_done,
        (j.status ->> 'singles_total')::bigint AS singles_total,
        (j.status ->> 'casts_done')::bigint AS casts_done,
        (j.status ->> 'casts_total')::bigint AS casts_total,
        (j.status ->> 'requests')::bigint AS requests,
        (j.status ->> 'retries')::bigint AS retries,
        (j.status ->> 'rate_limited')::bigint AS rate_limited,
        (j.status ->> 'started_at')::timestamptz AS started_at,
        (j.status ->> 'updated_at')::timestamptz AS updated_at,
        (j.status ->> 'finished_at')::timestamptz AS finished_at,
        (j.status ->> 'years')::bigint AS years,
        (j.status ->> 'top')::bigint AS top,
        j.status ->> 'mode' AS mode,
        j.status ->> 'instance' AS instance,
        (j.status ->> 'revision')::bigint AS revision,
        (j.status ->> 'added')::bigint AS added,
        (j.status ->> 'changed')::bigint AS changed,
        (j.status ->> 'deleted')::bigint AS deleted,
        (j.status ->> 'unchanged')::bigint AS unchanged,
        r.attempt,
        (j.status ->> 'malformed_shows')::bigint AS malformed_shows,
        (j.status ->> 'max_requests')::bigint AS max_requests,
        j.status ->> 'trigger' AS trigger,
        j.status ->> 'steps' AS steps
    FROM _runs r, LATERAL (SELECT replace(r.status, '\u0000', '\u2400')::json AS status) j;
CREATE VIEW "Runs" AS SELECT * FROM runs;

-- JSON that PostgreSQL cannot decode, because of a NUL character or half of a surrogate pair, reads as NULL. Escaped
-- backslashes are removed before looking for one.
CREATE VIEW _all_shows_json AS
    SELECT s.*,
        CASE WHEN replace(schedule, '\\', '') !~ e.undecodable THEN schedule::json END AS schedule_json,
        CASE WHEN replace(network, '\\', '') !~ e.undecodable THEN network::json END AS network_json,
        CASE WHEN replace(web_channel, '\\', '') !~ e.undecodable THEN web_channel::json END AS web_channel_json,
        CASE WHEN replace(dvd_country, '\\', '') !~ e.undecodable THEN dvd_country::json END AS dvd_country_json,
        CASE WHEN replace(externals, '\\', '') !~ e.undecodable THEN externals::json END AS externals_json,
        CASE WHEN replace(image, '\\', '') !~ e.undecodable THEN image::json END AS image_json
    FROM all_shows s, (
        SELECT '(?i)\\u(0000|d[89ab]..(?!\\ud[c-f]))|(?<!\\ud[89ab]..)\\ud[c-f]' AS undecodable
    ) e;

-- A row for each genre of each show.
CREATE VIEW show_genres AS
    SELECT s.id AS show_id, g.genre
    FROM all_shows s, LATERAL unnest(string_to_array(s.genres, ',')) AS g(genre)
    WHERE g.genre <> '';
CREATE VIEW "Show_Genres" AS SELECT * FROM show_genres;

-- A row for each weekday on which a show airs.
CREATE VIEW show_days AS
    SELECT s.id AS show_id, d.day #>> '{}' AS day
    FROM _all_shows_json s, LATERAL json_array_elements(
        CASE WHEN json_typeof(s.schedule_json) = 'object' AND json_typeof(s.schedule_json -> 'days') = 'array'
            THEN s.schedule_json -> 'days' END
    ) AS d(day)
    WHERE json_typeof(d.day) = 'string' AND d.day #>> '{}' <> '';
CREATE VIEW "Show_Days" AS SELECT * FROM show_days;

-- All_Shows with the values inside its JSON as columns.
CREATE VIEW shows_flat AS
    SELECT
        id, name, type, language, genres, status, premiered, ended, rating_average, weight, runtime, average_runtime,
        CASE WHEN network_json ->> 'id' ~ '^\d{1,18}$' THEN (network_json ->> 'id')::bigint END AS network_id,
        network_json ->> 'name' AS network_name,
        network_json #>> '{country,name}' AS network_country,
        network_json #>> '{country,code}' AS network_country_code,
        CASE WHEN web_channel_json ->> 'id' ~ '^\d{1,18}$' THEN (web_channel_json ->> 'id')::bigint END
            AS web_channel_id,
        web_channel_json ->> 'name' AS web_channel_name,
        web_channel_json #>> '{country,name}' AS web_channel_country,
        web_channel_json #>> '{country,code}' AS web_channel_country_code,
        dvd_country_json ->> 'name' AS dvd_country,
        nullif(schedule_json ->> 'time', '') AS schedule_time,
        (SELECT string_agg(day, ',') FROM show_days WHERE show_id = s.id) AS schedule_days,
        externals_json ->> 'imdb' AS imdb,
        CASE WHEN externals_json ->> 'thetvdb' ~ '^\d{1,18}$' THEN (externals_json ->> 'thetvdb')::bigint END
            AS thetvdb,
        CASE WHEN externals_json ->> 'tvrage' ~ '^\d{1,18}$' THEN (externals_json ->> 'tvrage')::bigint END AS tvrage,
        image_json ->> 'medium' AS image_medium,
        image_json ->> 'original' AS image_original,
        url, official_site, summary, updated, processed_at
    FROM _all_shows_json s;
CREATE VIEW "Shows_Flat" AS SELECT * FROM shows_flat;
