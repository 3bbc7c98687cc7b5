-- Every row is in the lake once, so this answers nothing. It reads one column pair of the last seven days.
SELECT _partition, _offset, COUNT(*) AS times, MIN("$$path") AS first_path, MAX("$$path") AS last_path
FROM "${database}"."${table}"
WHERE day >= CAST(current_date - INTERVAL '7' DAY AS varchar)
GROUP BY _partition, _offset
HAVING COUNT(*) > 1
ORDER BY _partition, _offset
