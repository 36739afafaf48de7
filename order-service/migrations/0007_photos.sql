-- Photos of drinks, and background jobs, which make their sizes; the table of jobs is the library's.
-- include common/jobs/jobs_schema.sql
GRANT USAGE ON SCHEMA jobs TO order_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.jobs TO order_service;

CREATE TABLE menu.photos (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY, -- in the order they were put
    menu_item_id text NOT NULL REFERENCES menu.menu_items ON DELETE CASCADE,
    state        text NOT NULL DEFAULT 'stored' CHECK (state IN ('stored', 'ready', 'failed')),
    reason       text NOT NULL DEFAULT '',
    sha256       text NOT NULL,
    bytes        bigint NOT NULL,
    width        integer NOT NULL,
    height       integer NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    replaced_at  timestamptz
);
CREATE INDEX photos_item ON menu.photos (menu_item_id, number DESC);

-- The bytes, in pieces: a connection's buffers grow to the largest row and never shrink. What was put
-- ('original') is gone once its sizes are made, and with it what it said of places.
CREATE TABLE menu.photo_parts (
    photo_id uuid NOT NULL REFERENCES menu.photos ON DELETE CASCADE,
    size     text NOT NULL CHECK (size IN ('original', 'small', 'medium', 'large')),
    part     integer NOT NULL,
    bytes    bytea NOT NULL,
    PRIMARY KEY (photo_id, size, part)
);
ALTER TABLE menu.photo_parts ALTER COLUMN bytes SET STORAGE EXTERNAL; -- it is compressed already

-- The one that is shown; without a reference, for the rows refer to the drink.
ALTER TABLE menu.menu_items ADD COLUMN photo_id uuid;

GRANT SELECT, INSERT, UPDATE, DELETE ON menu.photos, menu.photo_parts TO order_service;
