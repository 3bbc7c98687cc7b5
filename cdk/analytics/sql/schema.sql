-- The schema that holds a table for each pipeline with a lake.
CREATE SCHEMA IF NOT EXISTS "${schema}"
