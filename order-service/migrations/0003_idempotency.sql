-- What was answered to an Idempotency-Key, for 24 hours. Made as common/db/idempotency.h says.
CREATE SCHEMA idempotency;
GRANT USAGE ON SCHEMA idempotency TO order_service;
CREATE TABLE idempotency.requests (
    caller         text NOT NULL,
    method         text NOT NULL,
    key            text NOT NULL,
    request_sha256 text NOT NULL,
    status         smallint NOT NULL,
    answer         bytea NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, method, key)
);
CREATE INDEX requests_created_at ON idempotency.requests (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency.requests TO order_service;
