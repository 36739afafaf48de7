-- The outbox of the customer service; its tables are the library's own.
-- include common/outbox/migrations/0001_outbox.sql
GRANT USAGE ON SCHEMA outbox TO customer_service;
GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA outbox TO customer_service;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA outbox TO customer_service;
