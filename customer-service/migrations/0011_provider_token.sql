-- What Apple is shown by all replicas, and by the next life of each. 'maker' is the key and whose it is.
CREATE TABLE notify.provider_tokens (
    maker     text PRIMARY KEY CHECK (length(maker) BETWEEN 1 AND 300),
    token     text NOT NULL CHECK (length(token) < 512),
    signed_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON notify.provider_tokens TO customer_service;
