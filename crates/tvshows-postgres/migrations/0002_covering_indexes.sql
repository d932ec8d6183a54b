-- Planning a run and counting its changes read these columns of all shows, and nothing of their wide rows.
ALTER TABLE _show_versions
    DROP CONSTRAINT _show_versions_pkey,
    ADD PRIMARY KEY (id, since) INCLUDE (until, updated, processed_at);

-- The shows that can be top shows, if their premiere is recent enough.
CREATE INDEX _top_show_candidates ON _show_versions (premiered COLLATE "C")
    WHERE language = 'English' AND strpos(genres, 'Action') > 0;
