-- What an update needs to fetch only what changed.

-- When each index page was last fetched, of the published snapshot.
CREATE TABLE Index_Pages (
    page       INTEGER PRIMARY KEY,
    fetched_at TEXT NOT NULL
);

-- The show's `updated` to which its stored cast belongs.
ALTER TABLE Top_Shows ADD COLUMN updated INTEGER;

-- What publishing changed.
ALTER TABLE Runs ADD COLUMN added INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Runs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Runs ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Runs ADD COLUMN unchanged INTEGER NOT NULL DEFAULT 0;

-- Whether the snapshot to be published keeps the published shows that are neither staged nor dropped.
ALTER TABLE Staged_Run ADD COLUMN keeps_published INTEGER NOT NULL DEFAULT 0;

-- Published shows that the snapshot to be published does without.
CREATE TABLE Staged_Drops (
    id INTEGER PRIMARY KEY
);

-- The shows whose cast is staged, which may be empty.
CREATE TABLE Staged_Casts (
    show_id INTEGER PRIMARY KEY
);

-- All shows of the snapshot to be published.
CREATE VIEW Snapshot AS
    SELECT * FROM Staged_Shows
    UNION ALL
    SELECT * FROM All_Shows
    WHERE EXISTS (SELECT 1 FROM Staged_Run WHERE keeps_published)
      AND id NOT IN (SELECT id FROM Staged_Shows)
      AND id NOT IN (SELECT id FROM Staged_Drops);
