-- Finds an episode by its id, which is not unique.
CREATE INDEX _Episodes_Id ON Episodes (id, show_id);
