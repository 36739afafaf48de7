-- Background jobs; the table is the library's own.
-- include common/jobs/jobs_schema.sql
GRANT USAGE ON SCHEMA jobs TO customer_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.jobs TO customer_service;
