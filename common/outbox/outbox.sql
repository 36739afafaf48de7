-- outbox_insert :exec
-- The transaction's xid is drawn before the row's id: the relay's floor builds on that.
INSERT INTO outbox.events (part, sink, topic, key, payload, traceparent, correlation_id)
SELECT $1::smallint, $2, $3, $4, $5, $6, $7
  FROM (SELECT pg_current_xact_id() AS drawn OFFSET 0) x WHERE drawn IS NOT NULL;

-- outbox_fetch :many
-- The oldest rows of each part that is ours, but for those of keys set aside; in the order they were written, since
-- a slow sink gets only to the first of them.
SELECT e.id, e.part, e.topic, e.key, e.payload, e.traceparent, e.correlation_id
  FROM unnest($2::smallint[], $3::bigint[]) AS p(part, floor)
 CROSS JOIN LATERAL (
       SELECT * FROM outbox.events
        WHERE sink = $1 AND part = p.part AND id > p.floor AND key <> ALL ($4::text[])
        ORDER BY id LIMIT $5::int) AS e
 ORDER BY e.id;

-- outbox_delete :exec
-- Exactly those that were acknowledged. Not by range: ids commit out of order across keys.
DELETE FROM outbox.events AS e USING unnest($2::smallint[], $3::bigint[]) AS sent(part, id)
 WHERE e.sink = $1 AND e.part = sent.part AND e.id = sent.id;

-- outbox_bury :exec
-- What can never be sent.
WITH gone AS (
    DELETE FROM outbox.events WHERE sink = $1 AND part = $2::smallint AND id = $3::bigint RETURNING *
)
INSERT INTO outbox.dead (id, part, sink, topic, key, payload, traceparent, correlation_id, created_at, cause)
SELECT id, part, sink, topic, key, payload, traceparent, correlation_id, created_at, $4 FROM gone;

-- outbox_join :one
-- Each relay holds it shared; so they can count one another. A session that a statement failed for lives on with its
-- locks: taken once more, a part would have to be left twice.
WITH nothing AS MATERIALIZED (SELECT pg_advisory_unlock_all())
SELECT pg_try_advisory_lock_shared(7301, 0) AS joined FROM nothing;

-- outbox_members :one
SELECT count(*) AS members FROM pg_locks
 WHERE locktype = 'advisory' AND classid = 7301 AND objid = 0 AND objsubid = 2 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database());

-- outbox_take_part :one
-- Tried, never waited for: a session that waits keeps a snapshot and holds vacuum back.
SELECT pg_try_advisory_lock(7302, $1::int) AS taken;

-- outbox_leave_part :one
SELECT pg_advisory_unlock(7302, $1::int) AS left;

-- outbox_drawn :one
-- The last id drawn. A sequence that was never used says 1.
SELECT last_value - (NOT is_called)::int AS id FROM outbox.events_id_seq;

-- outbox_new_xid :one
-- A real one: a snapshot's xmax may be lower than some that are running.
SELECT pg_current_xact_id()::text::bigint AS xid;

-- outbox_oldest_xid :one
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid;

-- outbox_floors :many
-- For each part the id below its oldest row up to $4; $4 where there is none.
SELECT p.part, coalesce(e.id - 1, $4::bigint) AS floor
  FROM unnest($2::smallint[], $3::bigint[]) AS p(part, floor)
  LEFT JOIN LATERAL (
       SELECT id FROM outbox.events
        WHERE sink = $1 AND part = p.part AND id > p.floor AND id <= $4::bigint
        ORDER BY id LIMIT 1) AS e ON true;

-- outbox_pending :one
-- Bounded, since it is only to be looked at: with a sink away for hours it would cost more than all
-- else.
SELECT count(*) AS pending FROM (SELECT FROM outbox.events WHERE sink = $1 LIMIT 10000) AS few;

-- outbox_notify :exec
-- Never inside the transaction that wrote the rows: it would hold a lock of the whole database until
-- after that one's sync.
NOTIFY outbox;
