-- Loads each new object of the lake, once. Takes no transaction block, so it runs as a statement of its own.
COPY "${schema}"."${table}"
FROM 's3://${bucket}/${pipeline}/'
IAM_ROLE '${role}'
${format}
JOB CREATE ${job} AUTO ON
