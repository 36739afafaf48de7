-- The table of jobs, for a migration of each daemon that has any: copy it whole.
-- Its runtime role needs USAGE on the schema and SELECT, INSERT, UPDATE, DELETE on the table.

-- jobs_schema :exec
CREATE SCHEMA IF NOT EXISTS jobs;

-- jobs_table :exec
-- next_at is when the dispatcher looks at the row again: when it is due while it waits, when its
-- lease is over once it was handed out or runs.
CREATE TABLE jobs.jobs (
    id             uuid PRIMARY KEY,
    kind           text NOT NULL,
    payload        text NOT NULL,
    dedupe_key     text,
    state          text NOT NULL DEFAULT 'waiting'
                   CHECK (state IN ('waiting', 'handed', 'running', 'done', 'dead')),
    attempts       integer NOT NULL DEFAULT 0,
    next_at        timestamptz NOT NULL DEFAULT now(),
    created_at     timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz,
    last_error     text NOT NULL DEFAULT '',
    traceparent    text NOT NULL DEFAULT '',
    correlation_id text NOT NULL DEFAULT '',
    CONSTRAINT jobs_dedupe UNIQUE (kind, dedupe_key)
);

-- jobs_due_index :exec
CREATE INDEX jobs_due ON jobs.jobs (kind, next_at) WHERE state IN ('waiting', 'handed', 'running');

-- jobs_finished_index :exec
CREATE INDEX jobs_finished ON jobs.jobs (finished_at) WHERE state = 'done';
