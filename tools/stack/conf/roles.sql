-- The roles and databases of the platform, run as superuser at each first start and
-- after a change of secrets. Idempotent. Passwords come as psql variables.
-- Owners migrate; runtime roles use what the owners made and cannot alter it.
SELECT format('CREATE ROLE %I LOGIN', name)
  FROM unnest(ARRAY['order_owner', 'order_service', 'customer_owner', 'customer_service',
                    'temporal']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE order_owner PASSWORD :'order_owner';
ALTER ROLE order_service PASSWORD :'order_service';
ALTER ROLE customer_owner PASSWORD :'customer_owner';
ALTER ROLE customer_service PASSWORD :'customer_service';
ALTER ROLE temporal PASSWORD :'temporal';
SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
  FROM (VALUES ('order_db', 'order_owner'), ('customer_db', 'customer_owner'),
               ('temporal', 'temporal'), ('temporal_visibility', 'temporal')) AS t(name, owner)
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE order_db, customer_db, temporal, temporal_visibility, postgres, template1
  FROM PUBLIC;
GRANT CONNECT ON DATABASE order_db TO order_service;
GRANT CONNECT ON DATABASE customer_db TO customer_service;

\connect order_db
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO order_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE order_owner GRANT USAGE ON SCHEMAS TO order_service;
ALTER DEFAULT PRIVILEGES FOR ROLE order_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO order_service;
ALTER DEFAULT PRIVILEGES FOR ROLE order_owner GRANT USAGE, SELECT ON SEQUENCES TO order_service;
ALTER DEFAULT PRIVILEGES FOR ROLE order_owner GRANT EXECUTE ON FUNCTIONS TO order_service;

\connect customer_db
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO customer_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE customer_owner GRANT USAGE ON SCHEMAS TO customer_service;
ALTER DEFAULT PRIVILEGES FOR ROLE customer_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO customer_service;
ALTER DEFAULT PRIVILEGES FOR ROLE customer_owner GRANT USAGE, SELECT ON SEQUENCES TO customer_service;
ALTER DEFAULT PRIVILEGES FOR ROLE customer_owner GRANT EXECUTE ON FUNCTIONS TO customer_service;

\connect temporal
CREATE EXTENSION IF NOT EXISTS pg_trgm;
\connect temporal_visibility
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
