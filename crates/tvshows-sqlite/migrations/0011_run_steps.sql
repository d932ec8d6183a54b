-- What started a run, NULL for earlier runs, and when it worked on each step, as JSON.
ALTER TABLE Runs ADD COLUMN trigger TEXT;
ALTER TABLE Runs ADD COLUMN steps TEXT NOT NULL DEFAULT '[]';
