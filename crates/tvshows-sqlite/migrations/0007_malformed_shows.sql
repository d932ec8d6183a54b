-- How many shows a run fetched with values of unexpected types.
ALTER TABLE Runs ADD COLUMN malformed_shows INTEGER NOT NULL DEFAULT 0;
