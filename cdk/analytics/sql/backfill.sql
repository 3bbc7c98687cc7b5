-- What lay in the lake before the copy job was made, or what a load left out: the job loads new objects only.
-- It may run again at any time: a row that is there already is recognised by where it came from.
-- Narrow the path to days that are over, such as day=2026-11-2: were the job to load today's objects meanwhile, both
-- would load them.
DROP TABLE IF EXISTS backfill;

CREATE TEMPORARY TABLE backfill (LIKE "${schema}"."${table}");

COPY backfill
FROM 's3://${bucket}/${pipeline}/day='
IAM_ROLE '${role}'
${format};

INSERT INTO "${schema}"."${table}"
SELECT backfill.*
FROM backfill
LEFT JOIN "${schema}"."${table}" AS loaded
    ON loaded."_partition" = backfill."_partition" AND loaded."_offset" = backfill."_offset"
WHERE loaded."_offset" IS NULL;
