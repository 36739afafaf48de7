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

-- job_begin :many
-- The lock: of several workers who were handed the same job one gets the row.
UPDATE jobs.jobs
   SET state = 'running', attempts = attempts + 1, next_at = now() + $2 * interval '1 millisecond'
 WHERE id = ANY ($1::uuid[])
   AND (state = 'handed' OR (state IN ('waiting', 'running') AND next_at <= now()))
RETURNING id, kind, payload, attempts, traceparent, correlation_id;

-- job_finish :many
-- Nothing when another attempt has begun since: that one decides. The same below.
UPDATE jobs.jobs j
   SET state = 'done', finished_at = now(), last_error = ''
  FROM unnest($1::uuid[], $2::integer[]) AS ended (id, attempts)
 WHERE j.id = ended.id AND j.attempts = ended.attempts AND j.state = 'running'
RETURNING (extract(epoch FROM now() - j.created_at) * 1000)::bigint AS age_ms;

-- job_later :exec
UPDATE jobs.jobs j
   SET state = 'waiting', next_at = now() + ended.pause_ms * interval '1 millisecond',
       last_error = ended.error
  FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[])
       AS ended (id, attempts, pause_ms, error)
 WHERE j.id = ended.id AND j.attempts = ended.attempts AND j.state = 'running';

-- job_bury :exec
UPDATE jobs.jobs j
   SET state = 'dead', finished_at = now(), last_error = ended.error
  FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS ended (id, attempts, error)
 WHERE j.id = ended.id AND j.attempts = ended.attempts AND j.state = 'running';

-- job_release :exec
-- Nobody could be handed them.
UPDATE jobs.jobs
   SET state = 'waiting', next_at = now() + interval '1 second'
 WHERE id = ANY ($1::uuid[]) AND state = 'handed';

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
