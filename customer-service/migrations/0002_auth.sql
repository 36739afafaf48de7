-- How people sign in and stay signed in. A session is a family of refresh tokens: each use of one
-- makes the next generation, and 'used_generation' is the newest that was used.
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO customer_service;

CREATE TABLE auth.passwords (
    customer_id uuid PRIMARY KEY REFERENCES customer.customers,
    hash        text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE auth.sessions (
    id              uuid PRIMARY KEY,
    customer_id     uuid NOT NULL REFERENCES customer.customers,
    device_id       text NOT NULL DEFAULT '',
    methods         text NOT NULL,
    signed_in_at    timestamptz NOT NULL DEFAULT now(),
    last_seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    used_generation integer NOT NULL DEFAULT 0,
    used_at         timestamptz,
    ended_at        timestamptz,
    end_reason      text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_of_customer ON auth.sessions (customer_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_expiry ON auth.sessions (expires_at);

-- Only the digest is kept: a stolen database signs nobody in.
CREATE TABLE auth.refresh_tokens (
    digest     bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES auth.sessions ON DELETE CASCADE,
    generation integer NOT NULL
);
CREATE INDEX refresh_tokens_of_session ON auth.refresh_tokens (session_id);

-- Ended sessions whose access tokens have not run out yet: the truth behind customer:deny:*.
CREATE TABLE auth.denied_sessions (
    session_id uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- Wrong passwords lately, for when Valkey cannot count them.
CREATE TABLE auth.failed_logins (
    who           text PRIMARY KEY,
    failures      integer NOT NULL,
    blocked_until timestamptz NOT NULL,
    forget_at     timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON auth.passwords TO customer_service;
GRANT SELECT, INSERT, UPDATE, DELETE
   ON auth.sessions, auth.refresh_tokens, auth.denied_sessions, auth.failed_logins
   TO customer_service;
