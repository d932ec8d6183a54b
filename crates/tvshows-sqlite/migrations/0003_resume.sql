-- What a run needs to go on after an interruption, and processes to share one queue.

-- Names the data for the lease that services with one Redis hold on it.
CREATE TABLE Data (
    id TEXT NOT NULL
);
INSERT INTO Data VALUES (lower(hex(randomblob(16))));

-- How often a process began to work on a run: the fencing token of what it writes.
ALTER TABLE Runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;

-- Until now nobody went on with these: a stopped run, and runs that waited in a process that is gone.
UPDATE Runs SET state = 'failed', error = ifnull(error, 'the process that ran it ended first')
    WHERE state IN ('interrupted', 'queued');

-- Whose the staging area is: which attempt's, whether that one holds the claim and a lease, and how many attempts
-- in a row found something staged and staged nothing more.
ALTER TABLE Staged_Run ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE Staged_Run ADD COLUMN claimed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE Staged_Run ADD COLUMN leased INTEGER NOT NULL DEFAULT 0;
ALTER TABLE Staged_Run ADD COLUMN idle_resumes INTEGER NOT NULL DEFAULT 0;

-- The show's `updated` to which its staged cast belongs.
ALTER TABLE Staged_Casts ADD COLUMN updated INTEGER;

-- Finds the unfinished runs among all that ever were.
CREATE INDEX Unfinished_Runs ON Runs (sequence) WHERE state IN ('queued', 'running', 'interrupted');
