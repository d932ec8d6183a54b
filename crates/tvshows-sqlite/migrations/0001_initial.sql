-- The published tables. Their names and first columns are stable: other programs query them.

CREATE TABLE All_Shows (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL,
    type            TEXT,
    language        TEXT,
    genres          TEXT NOT NULL,      -- comma-joined without spaces
    status          TEXT,
    premiered       TEXT,               -- YYYY-MM-DD
    ended           TEXT,               -- YYYY-MM-DD
    rating_average  REAL,
    summary         TEXT,               -- HTML
    updated         INTEGER,            -- Unix time
    processed_at    TEXT NOT NULL,      -- RFC 3339, UTC
    url             TEXT,
    runtime         INTEGER,
    average_runtime INTEGER,
    official_site   TEXT,
    weight          INTEGER,
    schedule        TEXT,               -- this and what follows: JSON
    network         TEXT,
    web_channel     TEXT,
    dvd_country     TEXT,
    externals       TEXT,
    image           TEXT,
    links           TEXT,
    extra           TEXT                -- what fits no other column; NULL if nothing
);

CREATE TABLE Top_Shows (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL,
    language        TEXT NOT NULL,
    genres          TEXT NOT NULL,
    premiered       TEXT NOT NULL,
    rating_average  REAL,
    processed_at    TEXT NOT NULL,
    weight          INTEGER,
    rank            INTEGER NOT NULL UNIQUE   -- 1 is the best
);

CREATE TABLE Top_Shows_Cast (
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
    image               TEXT,               -- the character's original image
    processed_at        TEXT NOT NULL,
    self                INTEGER,            -- 0 or 1; NULL if the response did not say
    voice               INTEGER,
    position            INTEGER NOT NULL,   -- TVmaze's order within the show, from 0
    PRIMARY KEY (show_id, position)
);

-- The history: one row per run, with the fields of its status.

CREATE TABLE Runs (
    sequence     INTEGER PRIMARY KEY,
    request_id   TEXT NOT NULL UNIQUE,
    state        TEXT NOT NULL,
    step         TEXT NOT NULL,
    progress     INTEGER NOT NULL,
    error        TEXT,
    pages_done   INTEGER NOT NULL,
    pages_total  INTEGER,
    shows_seen   INTEGER NOT NULL,
    singles_done INTEGER NOT NULL,
    singles_total INTEGER,
    casts_done   INTEGER NOT NULL,
    casts_total  INTEGER,
    requests     INTEGER NOT NULL,
    retries      INTEGER NOT NULL,
    rate_limited INTEGER NOT NULL,
    started_at   TEXT,
    updated_at   TEXT NOT NULL,
    finished_at  TEXT,
    years        INTEGER NOT NULL,
    top          INTEGER NOT NULL,
    mode         TEXT NOT NULL,
    instance     TEXT NOT NULL,
    revision     INTEGER NOT NULL
);

-- The staging tables of the run in progress. No reader uses them. Staged_Shows has the columns of All_Shows, because
-- publishing copies whole rows: every migration changes both.

CREATE TABLE Staged_Run (
    request_id TEXT NOT NULL            -- the owner: one row while a run is in progress
);

CREATE TABLE Staged_Pages (
    page      INTEGER PRIMARY KEY,
    shows     INTEGER NOT NULL,
    staged_at TEXT NOT NULL
);

CREATE TABLE Staged_Shows (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL,
    type            TEXT,
    language        TEXT,
    genres          TEXT NOT NULL,
    status          TEXT,
    premiered       TEXT,
    ended           TEXT,
    rating_average  REAL,
    summary         TEXT,
    updated         INTEGER,
    processed_at    TEXT NOT NULL,
    url             TEXT,
    runtime         INTEGER,
    average_runtime INTEGER,
    official_site   TEXT,
    weight          INTEGER,
    schedule        TEXT,
    network         TEXT,
    web_channel     TEXT,
    dvd_country     TEXT,
    externals       TEXT,
    image           TEXT,
    links           TEXT,
    extra           TEXT
);

CREATE TABLE Staged_Cast (
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
    PRIMARY KEY (show_id, position)
);
