-- The limit of a run's requests; NULL until it is planned.
ALTER TABLE Runs ADD COLUMN max_requests INTEGER;
