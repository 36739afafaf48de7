-- device_register :one
-- An address is one device, whoever's it was, and of the session that said it last.
INSERT INTO notify.devices AS d (id, customer_id, channel, address, environment, p256dh, secret,
                                 session_id)
VALUES ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8::uuid)
ON CONFLICT ON CONSTRAINT devices_address DO UPDATE
   SET customer_id = excluded.customer_id, environment = excluded.environment,
       p256dh = excluded.p256dh, secret = excluded.secret, session_id = excluded.session_id,
       seen_at = now()
RETURNING id, channel, created_at;

-- device_trim :exec
-- Somebody's oldest devices go once there are too many. One that another transaction holds stays until
-- the next time: that one may be deleting them, and wait for what was just registered.
DELETE FROM notify.devices
 WHERE id IN (SELECT id FROM notify.devices
               WHERE id IN (SELECT id FROM notify.devices WHERE customer_id = $1::uuid
                             ORDER BY seen_at DESC, id DESC OFFSET $2::bigint)
                 FOR UPDATE SKIP LOCKED);

-- device_remove :many
DELETE FROM notify.devices WHERE id = $1::uuid AND customer_id = $2::uuid RETURNING id;

-- device_forget_sessions :exec
-- Those sessions have ended.
DELETE FROM notify.devices WHERE session_id = ANY ($1::uuid[]);

-- device_forget_early :exec
-- What this person registered before it was kept in which session.
DELETE FROM notify.devices WHERE customer_id = $1::uuid AND session_id IS NULL;

-- device_purge :exec
-- What nobody forgot: a replica of before sessions were kept ends them, and gives devices away, without
-- a word, and a session that ran out is ended by nobody. One that is being registered stays.
DELETE FROM notify.devices
 WHERE id IN (SELECT d.id FROM notify.devices d JOIN auth.sessions s ON s.id = d.session_id
               WHERE s.ended_at IS NOT NULL OR s.expires_at <= now()
                  OR s.customer_id <> d.customer_id
               LIMIT 1000
                 FOR UPDATE OF d SKIP LOCKED);

-- device_gone :exec
-- Apple or a push service says that nobody is there any more. One that was registered again
-- since the notice was made stays.
DELETE FROM notify.devices WHERE id = $1::uuid AND seen_at < $2::timestamptz;

-- device_forget_activity :exec
DELETE FROM notify.live_activities WHERE device_id = $1::uuid AND token = $2;

-- device_waits :exec
-- Nothing is sent there before that: it was said so.
UPDATE notify.devices SET not_before = now() + $2::bigint * interval '1 millisecond'
 WHERE id = $1::uuid;

-- device_activity_waits :exec
UPDATE notify.live_activities SET not_before = now() + $3::bigint * interval '1 millisecond'
 WHERE device_id = $1::uuid AND token = $2;

-- device_live_activity :one
-- No row when the device is not the caller's. What asked to wait was the token, not its successor.
INSERT INTO notify.live_activities AS a (id, device_id, customer_id, order_id, token)
SELECT $1::uuid, d.id, d.customer_id, $4::uuid, $5
  FROM notify.devices d WHERE d.id = $2::uuid AND d.customer_id = $3::uuid AND d.channel = 'apns'
ON CONFLICT ON CONSTRAINT live_activities_once DO UPDATE
   SET token = excluded.token, customer_id = excluded.customer_id,
       not_before = CASE WHEN a.token = excluded.token THEN a.not_before END
RETURNING id;

-- device_purge_activities :exec
-- A day after its first word an order is over, and its activity too. What starts one stays.
DELETE FROM notify.live_activities
 WHERE id IN (SELECT id FROM notify.live_activities
               WHERE order_id IS NOT NULL AND created_at < now() - interval '1 day' LIMIT 1000);

-- device_shift_on :one
INSERT INTO notify.shifts AS s (barista_id) VALUES ($1::uuid)
ON CONFLICT (barista_id) DO UPDATE SET since = s.since
RETURNING since;

-- device_shift_off :exec
DELETE FROM notify.shifts WHERE barista_id = $1::uuid;

-- device_preferences :many
SELECT orders, promotions FROM notify.preferences WHERE customer_id = $1::uuid;

-- device_prefer :exec
INSERT INTO notify.preferences (customer_id, orders, promotions)
VALUES ($1::uuid, $2::boolean, $3::boolean)
ON CONFLICT (customer_id) DO UPDATE SET orders = excluded.orders, promotions = excluded.promotions;
