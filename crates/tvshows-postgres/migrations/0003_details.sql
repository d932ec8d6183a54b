-- The details of a show are its cast and, if they are fetched, its episodes. Each version belongs to the snapshots from
-- `since` to before `until`. Those of the next snapshot are staged here; their `since` is the highest number there is,
-- so that a program that does not know this table never publishes them.
CREATE TABLE _details_versions (
    show_id         bigint NOT NULL,
    since           bigint NOT NULL,
    until           bigint,
    updated         bigint,                 -- the show's when the details were fetched
    processed_at    timestamptz NOT NULL,
    cast_digest     bytea,                  -- NULL if an earlier release fetched the cast, without all of its fields
    cast_members    text NOT NULL,          -- JSON: an array of objects with the columns of Show_Cast
    episodes_digest bytea,
    episodes        text,                   -- JSON: an array of objects with the columns of Episodes
    PRIMARY KEY (show_id, since)
);
CREATE INDEX _details_versions_since ON _details_versions (since);
CREATE INDEX _details_versions_until ON _details_versions (until) WHERE until IS NOT NULL;

-- Makes the details of a snapshot agree with its shows and with _cast_rows, which is all that earlier releases publish.
CREATE FUNCTION _adopt_casts(snapshot bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE _details_versions v SET until = snapshot
    WHERE until IS NULL AND since < snapshot AND (
        NOT EXISTS (SELECT FROM _show_versions s WHERE s.id = v.show_id AND s.until IS NULL AND s.since <= snapshot)
        OR CASE WHEN show_id IN (SELECT id FROM _top_shows)
            -- A cast without rows is empty.
            THEN NOT coalesce(
                processed_at = (SELECT max(c.processed_at) FROM _cast_rows c WHERE c.show_id = v.show_id),
                cast_members = '[]')
            ELSE episodes IS NULL END
    );
    INSERT INTO _details_versions (show_id, since, processed_at, cast_members, episodes_digest, episodes)
    SELECT t.id, snapshot, coalesce(c.processed_at, s.published_at), coalesce(c.members, '[]'), e.episodes_digest,
        e.episodes
    FROM _top_shows t
    JOIN _snapshots s ON s.number = snapshot
    LEFT JOIN _details_versions e ON e.show_id = t.id AND e.until = snapshot
    LEFT JOIN (
        SELECT show_id, max(processed_at) AS processed_at, json_agg(json_build_object(
            'show_name', show_name, 'person_id', person_id, 'person_name', person_name,
            'person_birthday', person_birthday, 'person_deathday', person_deathday, 'person_gender', person_gender,
            'person_country_name', person_country_name, 'character_id', character_id,
            'character_name', character_name, 'image', image, 'self', self, 'voice', voice
        ) ORDER BY position)::text AS members
        FROM _cast_rows GROUP BY show_id
    ) c ON c.show_id = t.id
    WHERE NOT EXISTS (
        SELECT FROM _details_versions v WHERE v.show_id = t.id AND v.until IS NULL AND v.since <= snapshot
    );
$$;
SELECT _adopt_casts(max(number)) FROM _snapshots HAVING max(number) IS NOT NULL;

-- A release that publishes details says so in its transaction.
CREATE FUNCTION _adopt_casts_of_earlier_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('tvshows.publishes_details', true) IS DISTINCT FROM 'on' THEN
        PERFORM _adopt_casts(NEW.number);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER _adopt_casts_of_earlier_release AFTER INSERT ON _snapshots
    FOR EACH ROW EXECUTE FUNCTION _adopt_casts_of_earlier_release();

-- PostgreSQL refuses to decode JSON with a NUL character: one reads as U+2400.
CREATE VIEW _published_details AS
    SELECT v.show_id, v.processed_at, replace(v.cast_members, '\u0000', '\u2400')::json AS cast_members,
        replace(v.episodes, '\u0000', '\u2400')::json AS episodes
    FROM _details_versions v JOIN (SELECT max(number) AS number FROM _snapshots) published ON v.since <= number
    WHERE v.until IS NULL;

CREATE VIEW show_cast AS
    SELECT d.show_id, m.show_name, m.person_id, m.person_name, m.person_birthday, m.person_deathday, m.person_gender,
        m.person_country_name, m.character_id, m.character_name, m.image, d.processed_at, m.self, m.voice,
        m.ordinality - 1 AS position, m.extra
    FROM _published_details d, LATERAL ROWS FROM (json_to_recordset(d.cast_members) AS (
        show_name text, person_id bigint, person_name text, person_birthday text, person_deathday text,
        person_gender text, person_country_name text, character_id bigint, character_name text, image text,
        self boolean, voice boolean, extra text
    )) WITH ORDINALITY AS m;
CREATE VIEW "Show_Cast" AS SELECT * FROM show_cast;

CREATE VIEW episodes AS
    SELECT e.id, d.show_id, e.season, e.number, e.type, e.name, e.airdate, e.airtime, e.airstamp, e.runtime,
        e.rating_average, e.summary, e.image_medium, e.image_original, e.url, d.processed_at,
        e.ordinality - 1 AS position, e.extra
    FROM _published_details d, LATERAL ROWS FROM (json_to_recordset(d.episodes) AS (
        id bigint, season bigint, number bigint, type text, name text, airdate text, airtime text, airstamp text,
        runtime bigint, rating_average double precision, summary text, image_medium text, image_original text,
        url text, extra text
    )) WITH ORDINALITY AS e;
CREATE VIEW "Episodes" AS SELECT * FROM episodes;

-- The definition of the first migration with two more columns.
CREATE OR REPLACE VIEW runs AS
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
        j.status ->> 'steps' AS steps,
        coalesce((j.status ->> 'details_done')::bigint, 0) AS details_done,
        (j.status ->> 'details_total')::bigint AS details_total
    FROM _runs r, LATERAL (SELECT replace(r.status, '\u0000', '\u2400')::json AS status) j;
CREATE OR REPLACE VIEW "Runs" AS SELECT * FROM runs;
