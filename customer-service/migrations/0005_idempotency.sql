-- What an Idempotency-Key was answered (common/db/idempotency.h).
CREATE SCHEMA idempotency;
GRANT USAGE ON SCHEMA idempotency TO customer_service;

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

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency.requests TO customer_service;
