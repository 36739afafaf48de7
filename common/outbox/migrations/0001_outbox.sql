-- The outbox of a daemon. Its own migration includes this file and then grants to its runtime role:
--     GRANT USAGE ON SCHEMA outbox TO x;
--     GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA outbox TO x;
--     GRANT SELECT ON ALL SEQUENCES IN SCHEMA outbox TO x;
-- Frozen once a database has it: a change is a new file beside it and a new migration of each daemon.
CREATE SCHEMA outbox;

-- Rows waiting to be sent, one a sink. Write the row of the entity first and this after it, in the same
-- transaction: then ids of one key are in the order of its commits, and no id appears late below the floor.
CREATE TABLE outbox.events (
    id             bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
    part           smallint NOT NULL CHECK (part BETWEEN 0 AND 7),
    sink           text NOT NULL,
    topic          text NOT NULL,
    key            text NOT NULL,
    -- A broker that refuses a payload for its size would otherwise be met here first, by the relay.
    payload        text NOT NULL CONSTRAINT events_payload_size CHECK (octet_length(payload) < 500000),
    traceparent    text,
    correlation_id text,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (sink, part, id)
) WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0);

-- What can never be sent, and why; a command lists, replays or drops it.
CREATE TABLE outbox.dead (
    id             bigint PRIMARY KEY,
    part           smallint NOT NULL,
    sink           text NOT NULL,
    topic          text NOT NULL,
    key            text NOT NULL,
    payload        text NOT NULL,
    traceparent    text,
    correlation_id text,
    created_at     timestamptz NOT NULL,
    cause          text NOT NULL,
    died_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
