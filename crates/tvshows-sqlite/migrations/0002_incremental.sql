-- What an update needs in order to fetch only the changes.

-- When each index page of the published snapshot was last fetched.
CREATE TABLE Index_Pages (
    page       INTEGER PRIMARY KEY,
    fetched_at TEXT NOT NULL
);

-- The show's `updated` at the time its stored cast was fetched.
ALTER TABLE Top_Shows ADD COLUMN updated INTEGER;

-- How many shows publishing changed.
ALTER TABLE Runs ADD COLUMN added INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Runs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Runs ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Runs ADD COLUMN unchanged INTEGER NOT NULL DEFAULT 0;

-- Whether the next snapshot keeps the published shows that are neither staged nor deleted.
ALTER TABLE Staged_Run ADD COLUMN keeps_published INTEGER NOT NULL DEFAULT 0;

-- Published shows that the next snapshot omits.
CREATE TABLE Staged_Drops (
    id INTEGER PRIMARY KEY
);

-- The shows with a staged cast, which may be empty.
CREATE TABLE Staged_Casts (
    show_id INTEGER PRIMARY KEY
);

-- All shows of the next snapshot.
CREATE VIEW Snapshot AS
    SELECT * FROM Staged_Shows
    UNION ALL
    SELECT * FROM All_Shows
    WHERE EXISTS (SELECT 1 FROM Staged_Run WHERE keeps_published)
      AND id NOT IN (SELECT id FROM Staged_Shows)
      AND id NOT IN (SELECT id FROM Staged_Drops);
