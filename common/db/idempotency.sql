-- idempotency_claim :many
-- A row when the key is ours now: new, or its earlier use is a day old. Waits for a twin in flight.
INSERT INTO idempotency.requests AS r (caller, method, key, request_sha256, status, answer)
VALUES ($1, $2, $3, $4, 0, '')
ON CONFLICT (caller, method, key) DO UPDATE
   SET request_sha256 = excluded.request_sha256, status = 0, answer = '', created_at = now()
 WHERE r.created_at < now() - interval '24 hours'
RETURNING 1 AS claimed;

-- idempotency_before :one
-- What the key was answered before.
SELECT status, answer, request_sha256 = $4 AS same
  FROM idempotency.requests WHERE caller = $1 AND method = $2 AND key = $3;

-- idempotency_keep :exec
-- The answer, for whoever asks again.
UPDATE idempotency.requests SET status = $4::smallint, answer = $5::bytea
 WHERE caller = $1 AND method = $2 AND key = $3;

-- idempotency_purge :exec
-- Keys that nobody will ask for again. The time stands twice: one may be taken anew while this waits for its row.
DELETE FROM idempotency.requests
 WHERE created_at < now() - interval '24 hours'
   AND ctid IN (SELECT ctid FROM idempotency.requests
                 WHERE created_at < now() - interval '24 hours' LIMIT 1000);
