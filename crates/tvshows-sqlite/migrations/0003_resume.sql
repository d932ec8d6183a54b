-- Interrupted runs resume, and processes share one queue.

-- Identifies the database in the name of its lease in Redis.
CREATE TABLE Data (
    id TEXT NOT NULL
);
INSERT INTO Data VALUES (lower(hex(randomblob(16))));

-- How often a process started to work on a run: the fencing token of its writes.
ALTER TABLE Runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;

-- Earlier versions could not resume a stopped run, and had the queue in memory.
UPDATE Runs SET state = 'failed', error = ifnull(error, 'the process that ran it ended first')
    WHERE state IN ('interrupted', 'queued');

-- The attempt that owns the staging tables, whether it holds the lock and a lease, and how many attempts in a row
-- resumed and staged nothing more.
ALTER TABLE Staged_Run ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE Staged_Run ADD COLUMN claimed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE Staged_Run ADD COLUMN leased INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Staged_Run ADD COLUMN idle_resumes INTEGER NOT NULL DEFAULT 0;

-- The show's `updated` at the time its staged cast was fetched.
ALTER TABLE Staged_Casts ADD COLUMN updated INTEGER;

-- Finds the unfinished runs without reading the whole history.
CREATE INDEX Unfinished_Runs ON Runs (sequence) WHERE state IN ('queued', 'running', 'interrupted');
