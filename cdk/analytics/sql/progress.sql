-- How far each partition came today and yesterday, and how many of its offsets are no rows: rejects, drops, tombstones.
SELECT
    _partition,
    MAX(_offset) AS last_offset,
    MAX(_timestamp) AS last_record,
    COUNT(*) AS row_count,
    MAX(_offset) - MIN(_offset) + 1 - COUNT(*) AS not_rows
FROM "${database}"."${table}"
WHERE day >= CAST(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY _partition
ORDER BY _partition
