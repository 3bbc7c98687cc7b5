-- How many rows came each day of the last thirty, and how late after their records at most.
SELECT
    day,
    COUNT(*) AS row_count,
    MIN(_timestamp) AS first_record,
    MAX(_timestamp) AS last_record,
    COUNT(DISTINCT "$$path") AS objects
FROM "${database}"."${table}"
WHERE day >= CAST(current_date - INTERVAL '30' DAY AS varchar)
GROUP BY day
ORDER BY day DESC
