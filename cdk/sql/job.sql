-- Loads each new object of the lake, once. Takes no transaction block, so it runs as a statement of its own.
-- SERIALIZETOJSON lets lists and nested models go into SUPER columns.
COPY "${schema}"."${table}"
FROM 's3://${bucket}/${pipeline}/'
IAM_ROLE '${role}'
FORMAT AS PARQUET
SERIALIZETOJSON
JOB CREATE ${job} AUTO ON
