-- A file can be a copy of a shared database.

-- The database that this file is a copy of: one row, or none in a database of its own.
CREATE TABLE _Copy_Origin (
    database_id TEXT NOT NULL
);
