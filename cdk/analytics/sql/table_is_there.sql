-- A row if the table is there with exactly these columns. One with others makes CREATE TABLE, and the deployment, fail:
-- loads would fail or, worse, put values into the wrong columns.
SELECT 1
FROM (
    SELECT COUNT(*) AS found, SUM(CASE WHEN ${matches} THEN 1 ELSE 0 END) AS right_ones
    FROM svv_columns
    WHERE table_schema = '${schema}' AND table_name = '${table}'
) AS there
WHERE found = ${count} AND right_ones = ${count}
