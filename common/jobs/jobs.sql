-- job_insert :one
-- A key that was there keeps its row; the update that changes nothing waits for whoever adds it.
INSERT INTO jobs.jobs AS old (id, kind, payload, dedupe_key, next_at, traceparent, correlation_id)
VALUES ($1, $2, $3, $4, coalesce($5::timestamptz, now()), $6, $7)
ON CONFLICT ON CONSTRAINT jobs_dedupe DO UPDATE SET kind = old.kind
RETURNING id, xmax = 0 AS is_new;

-- job_due :many
-- Which kinds have something to hand out: due, or its lease is over.
SELECT kind
  FROM jobs.jobs
 WHERE state IN ('waiting', 'handed', 'running') AND next_at <= now()
 GROUP BY kind;

-- job_claim :many
-- Takes due rows of a kind for handing out, which is to happen within the lease.
WITH due AS MATERIALIZED (
    SELECT id
      FROM jobs.jobs
     WHERE kind = $1 AND state IN ('waiting', 'handed', 'running') AND next_at <= now()
     ORDER BY next_at
     LIMIT $2
       FOR UPDATE SKIP LOCKED)
UPDATE jobs.jobs
   SET state = 'handed', next_at = now() + $3 * interval '1 millisecond'
  FROM due
 WHERE jobs.id = due.id
RETURNING jobs.id;

-- job_begin :one
-- The lock: of several workers who were handed the same job one gets the row.
UPDATE jobs.jobs
   SET state = 'running', attempts = attempts + 1, next_at = now() + $2 * interval '1 millisecond'
 WHERE id = $1
   AND (state = 'handed' OR (state IN ('waiting', 'running') AND next_at <= now()))
RETURNING kind, payload, attempts, traceparent, correlation_id;

-- job_finish :many
-- Nothing when another attempt has begun since: that one decides.
UPDATE jobs.jobs
   SET state = 'done', finished_at = now(), last_error = ''
 WHERE id = $1 AND attempts = $2 AND state = 'running'
RETURNING (extract(epoch FROM now() - created_at) * 1000)::bigint AS age_ms;

-- job_later :exec
UPDATE jobs.jobs
   SET state = 'waiting', next_at = now() + $3 * interval '1 millisecond', last_error = $4
 WHERE id = $1 AND attempts = $2 AND state = 'running';

-- job_bury :exec
UPDATE jobs.jobs
   SET state = 'dead', finished_at = now(), last_error = $3
 WHERE id = $1 AND attempts = $2 AND state = 'running';

-- job_release :exec
-- Nobody could be handed it.
UPDATE jobs.jobs
   SET state = 'waiting', next_at = now() + interval '1 second'
 WHERE id = $1 AND state = 'handed';

-- job_release_kind :exec
-- The stream has vanished, and with it what was handed out.
UPDATE jobs.jobs
   SET state = 'waiting', next_at = now()
 WHERE kind = $1 AND state = 'handed';

-- job_depth :many
SELECT kind, count(*) AS depth,
       greatest(0, extract(epoch FROM now() - min(created_at)))::bigint AS oldest_s
  FROM jobs.jobs
 WHERE state IN ('waiting', 'handed', 'running')
 GROUP BY kind;

-- job_prune :exec
-- What was done stays a day, for its dedupe key and for whoever asks; the dead stay.
DELETE FROM jobs.jobs
 WHERE id IN (SELECT id
                FROM jobs.jobs
               WHERE state = 'done' AND finished_at < now() - interval '1 day'
               LIMIT 1000);
