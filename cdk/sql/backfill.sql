-- What lay in the lake before the copy job was made, or what a load left out: the job loads new objects only.
-- May run at any time, and again: a row that is there already is recognised by where it came from.
CREATE TEMPORARY TABLE backfill (LIKE "${schema}"."${table}");

COPY backfill
FROM 's3://${bucket}/${pipeline}/'
IAM_ROLE '${role}'
FORMAT AS PARQUET
SERIALIZETOJSON;

INSERT INTO "${schema}"."${table}"
SELECT backfill.*
FROM backfill
LEFT JOIN "${schema}"."${table}" AS loaded
    ON loaded."_partition" = backfill."_partition" AND loaded."_offset" = backfill."_offset"
WHERE loaded."_offset" IS NULL;
