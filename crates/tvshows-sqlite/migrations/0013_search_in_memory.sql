-- The words of names and summaries are indexed in memory, once per snapshot.
DROP TABLE IF EXISTS _Show_Search;
