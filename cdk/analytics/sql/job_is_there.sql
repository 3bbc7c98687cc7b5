-- A row if the job is there.
SELECT 1 FROM sys_copy_job WHERE job_name = '${job}'
