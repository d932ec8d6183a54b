-- Memory stays flat while a run publishes.

-- Four MB of words are gathered before they are written: sixteen took 26 MB of memory.
INSERT INTO Show_Search (Show_Search, rank) VALUES ('hashsize', 4194304);
