-- auth_password_insert :exec
INSERT INTO auth.passwords (customer_id, hash) VALUES ($1::uuid, $2);

-- auth_password_insert_once :exec
-- A demonstration account's, unless it has one.
INSERT INTO auth.passwords (customer_id, hash)
SELECT c.id, $2 FROM (SELECT $1::uuid AS id) c
 WHERE NOT EXISTS (SELECT FROM auth.passwords p WHERE p.customer_id = c.id)
ON CONFLICT DO NOTHING;

-- auth_password :one
SELECT hash FROM auth.passwords WHERE customer_id = $1::uuid;

-- auth_password_change :many
-- Only while it still is the one that was checked.
UPDATE auth.passwords SET hash = $3, changed_at = now()
 WHERE customer_id = $1::uuid AND hash = $2
RETURNING 1 AS changed;

-- auth_session_insert :many
-- No row when the password was changed since it was checked. A change that is under way is waited
-- for; one that comes now waits, and then finds this session.
INSERT INTO auth.sessions (id, customer_id, device_id, methods, expires_at)
SELECT $1::uuid, customer_id, $3, $4, now() + $6::bigint * interval '1 second'
  FROM auth.passwords WHERE customer_id = $2::uuid AND hash = $5
   FOR SHARE
RETURNING signed_in_at;

-- auth_token_insert :exec
INSERT INTO auth.refresh_tokens (digest, session_id, generation)
VALUES ($1::bytea, $2::uuid, $3::integer);

-- auth_token_find :one
-- The token's session, held until the transaction ends: two uses of one token take turns.
SELECT s.id, s.customer_id, s.device_id, s.methods, s.signed_in_at, t.generation,
       s.used_generation,
       coalesce(extract(epoch FROM now() - s.used_at)::bigint, 0) AS used_ago_s,
       s.minute_renewals,
       coalesce(ceil(extract(epoch FROM s.minute_began + interval '1 minute' - now())), 0)::bigint
           AS minute_left_s,
       s.ended_at IS NOT NULL OR s.expires_at <= now() AS is_over
  FROM auth.refresh_tokens t JOIN auth.sessions s ON s.id = t.session_id
 WHERE t.digest = $1::bytea
   FOR UPDATE OF s;

-- auth_session_use :exec
-- A second use within the grace does not begin another grace.
UPDATE auth.sessions
   SET used_generation = $2::integer,
       used_at = CASE WHEN used_generation = $2::integer THEN used_at ELSE now() END,
       minute_began = CASE WHEN minute_began > now() - interval '1 minute' THEN minute_began
                           ELSE now() END,
       minute_renewals = CASE WHEN minute_began > now() - interval '1 minute'
                              THEN minute_renewals + 1 ELSE 1 END,
       last_seen_at = now(),
       expires_at = now() + $3::bigint * interval '1 second'
 WHERE id = $1::uuid;

-- auth_sessions :many
SELECT id, device_id, signed_in_at, last_seen_at
  FROM auth.sessions
 WHERE customer_id = $1::uuid AND ended_at IS NULL AND expires_at > now()
 ORDER BY last_seen_at DESC, id DESC LIMIT 100;

-- auth_session_hold :one
-- No row when it is over.
SELECT id FROM auth.sessions
 WHERE id = $1::uuid AND customer_id = $2::uuid AND ended_at IS NULL AND expires_at > now()
   FOR SHARE;

-- auth_end_session :many
-- One session of this person; its access tokens are denied until they have run out.
WITH ended AS (
    UPDATE auth.sessions SET ended_at = now(), end_reason = $3
     WHERE id = $1::uuid AND customer_id = $2::uuid AND ended_at IS NULL AND expires_at > now()
    RETURNING id
), denied AS (
    INSERT INTO auth.denied_sessions (session_id, expires_at)
    SELECT id, now() + $4::bigint * interval '1 second' FROM ended
    ON CONFLICT (session_id) DO UPDATE SET expires_at = excluded.expires_at
)
SELECT id FROM ended;

-- auth_end_sessions :many
-- All sessions of this person but one (or, with NULL, all).
WITH ended AS (
    UPDATE auth.sessions SET ended_at = now(), end_reason = $3
     WHERE customer_id = $1::uuid AND id IS DISTINCT FROM $2::uuid AND ended_at IS NULL
    RETURNING id
), denied AS (
    INSERT INTO auth.denied_sessions (session_id, expires_at)
    SELECT id, now() + $4::bigint * interval '1 second' FROM ended
    ON CONFLICT (session_id) DO UPDATE SET expires_at = excluded.expires_at
)
SELECT id FROM ended;

-- auth_denied :many
SELECT session_id AS id, ceil(extract(epoch FROM expires_at - now()))::bigint AS left_s
  FROM auth.denied_sessions WHERE expires_at > now() ORDER BY session_id;

-- auth_failure_count :one
-- One more wrong password. Counts are forgotten after a quarter of an hour without any.
INSERT INTO auth.failed_logins AS f (who, failures, blocked_until, forget_at)
VALUES ($1, 1, now(), now() + $2::bigint * interval '1 second')
ON CONFLICT (who) DO UPDATE
   SET failures = CASE WHEN f.forget_at <= now() THEN 1 ELSE f.failures + 1 END,
       forget_at = excluded.forget_at
RETURNING failures;

-- auth_failure_block :exec
UPDATE auth.failed_logins SET blocked_until = now() + $2::bigint * interval '1 second'
 WHERE who = $1;

-- auth_failure_left :one
-- How many seconds this one must still wait.
SELECT coalesce(max(ceil(extract(epoch FROM blocked_until - now()))), 0)::bigint AS left_s
  FROM auth.failed_logins WHERE who = $1;

-- auth_failure_forget :exec
DELETE FROM auth.failed_logins WHERE who = $1;

-- auth_purge_sessions :exec
-- A day after they ran out: no renewal of one is under way any more. Few at a time: the devices and all
-- the tokens of each go with it, and there may be thousands.
DELETE FROM auth.sessions
 WHERE id IN (SELECT id FROM auth.sessions WHERE expires_at < now() - interval '1 day' LIMIT 100);

-- auth_purge_denied :exec
DELETE FROM auth.denied_sessions WHERE expires_at <= now();

-- auth_purge_failures :exec
DELETE FROM auth.failed_logins WHERE forget_at <= now();
