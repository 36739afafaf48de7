-- notice_claim_event :many
-- No row: the event was here before.
INSERT INTO notify.processed_events (event_id) VALUES ($1::uuid) ON CONFLICT DO NOTHING
RETURNING event_id;

-- notice_lock :exec
-- Of an order: either its stage finds the Live Activity, or the Live Activity finds the stage.
SELECT pg_advisory_xact_lock(hashtextextended('notify.notices ' || $1::uuid::text, 0));

-- notice_targets :many
-- Whom it concerns ('customer' or 'baristas'): their devices and their inboxes get the alert, and
-- the inbox of the customer also the step of the Live Activity ($5), as do the activities
-- themselves: by their own tokens, or with $4 those of the customer's devices that start one. One
-- whose device has become another's shows nothing there any more.
WITH audience AS (
    SELECT c.id FROM customer.customers c LEFT JOIN notify.preferences p ON p.customer_id = c.id
     WHERE $1 = 'customer' AND c.id = $2::uuid AND coalesce(p.orders, true)
    UNION ALL
    SELECT c.id FROM notify.shifts s
      JOIN customer.customers c ON c.id = s.barista_id AND c.role IN ('barista', 'admin')
     WHERE $1 = 'baristas'
)
SELECT d.id AS device_id, d.channel, 'alert' AS kind, '' AS token, d.customer_id
  FROM audience a JOIN notify.devices d ON d.customer_id = a.id
UNION ALL
SELECT a.id, 'inbox', 'alert', '', a.id FROM audience a
UNION ALL
SELECT c.id, 'inbox', 'liveactivity', '', c.id
  FROM customer.customers c LEFT JOIN notify.preferences p ON p.customer_id = c.id
 WHERE $5::boolean AND c.id = $2::uuid AND coalesce(p.orders, true)
UNION ALL
SELECT a.device_id, 'live', 'liveactivity', a.token, a.customer_id
  FROM notify.devices d
  JOIN notify.live_activities a ON a.device_id = d.id AND a.customer_id = d.customer_id
 WHERE $5::boolean AND d.customer_id = $2::uuid
   AND ($4::boolean AND a.order_id IS NULL OR NOT $4::boolean AND a.order_id = $3::uuid);

-- notice_reached :one
-- Whether the notices of this stage, or of a later one, were made.
SELECT EXISTS (SELECT FROM notify.notices WHERE order_id = $1::uuid AND seq >= $2::bigint)
       AS there;

-- notice_stage :one
SELECT count(*) AS notices, count(*) FILTER (WHERE state IN ('pending', 'sending')) AS open,
       count(*) FILTER (WHERE state = 'sent') AS sent
  FROM notify.notices
 WHERE order_id = $1::uuid AND (seq = $2::bigint OR stage = $3) AND channel <> 'inbox';

-- notice_insert :many
-- No row: they were there. What is in an inbox needs no sending.
INSERT INTO notify.notices (id, customer_id, order_id, seq, stage, channel, kind, device_id, token,
                            collapse_id, payload, state, sent_at)
SELECT n.id, n.customer_id, $1::uuid, $2::bigint, $3, n.channel, n.kind, n.device_id, n.token, $4,
       n.payload, CASE n.channel WHEN 'inbox' THEN 'sent' ELSE 'pending' END,
       CASE n.channel WHEN 'inbox' THEN now() END
  FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::text[])
       AS n (id, customer_id, channel, kind, device_id, token, payload)
ON CONFLICT ON CONSTRAINT notices_once DO NOTHING
RETURNING state;

-- notice_catch_up :many
-- The newest step of an order, as it stands in the inbox, for a Live Activity ($2) that missed it or whose
-- token ended with it; the start it has heard. No row: it was told, or there is none yet.
INSERT INTO notify.notices AS n (id, customer_id, order_id, seq, stage, channel, kind, device_id,
                                 token, collapse_id, payload)
SELECT $1::uuid, a.customer_id, l.order_id, l.seq, l.stage, 'live', l.kind, a.device_id, a.token,
       l.collapse_id, l.payload
  FROM notify.live_activities a
 CROSS JOIN LATERAL (SELECT order_id, seq, stage, kind, collapse_id, payload FROM notify.notices
                      WHERE order_id = a.order_id AND customer_id = a.customer_id
                        AND channel = 'inbox' AND kind = 'liveactivity'
                      ORDER BY seq DESC LIMIT 1) l
 WHERE a.id = $2::uuid AND l.stage <> 'placed'
ON CONFLICT ON CONSTRAINT notices_once DO UPDATE
   SET token = excluded.token, state = CASE n.state WHEN 'gone' THEN 'pending' ELSE n.state END
 WHERE n.state IN ('pending', 'sending', 'gone')
RETURNING order_id;

-- notice_inbox :many
-- The newest first; the title with the order's number, as a lock screen shows it.
SELECT id, order_id, kind, split_part(stage, '@', 1) AS stage, created_at,
       coalesce((payload::jsonb ->> 'title') ||
                    coalesce(' (' || (payload::jsonb ->> 'number') || ')', ''), '') AS title,
       coalesce(payload::jsonb ->> 'body', '') AS body,
       coalesce(payload::jsonb #>> '{aps,event}', '') AS activity,
       coalesce((payload::jsonb #>> '{aps,content-state,progress}')::integer, 0) AS progress
  FROM notify.notices
 WHERE channel = 'inbox' AND customer_id = $1::uuid
 ORDER BY id DESC LIMIT $2::bigint;

-- notice_set_aside :exec
-- A stage that was taken back is history: it may come again, and is told again.
UPDATE notify.notices SET stage = stage || '@' || seq
 WHERE order_id = $1::uuid AND stage IN ('ready', 'undone') AND seq < $2::bigint;

-- notice_begin :many
-- What is open of these orders, each in its order ('wave' counts its stages), for one sender at a
-- time: who gets all that is open of an order. What another takes in this moment is waited for, and
-- then missing; to look for it by its state would show it as it was when the statement began.
-- Overtaken by a later stage that was sent, or tried before and overtaken by any: replaced. 'gone':
-- its device, or that device is another's now, or who was to make it has left the bar.
-- 'wait_ms': its device or Live Activity asked to be left alone for so long.
WITH free AS (
    SELECT id, order_id FROM notify.notices
     WHERE order_id = ANY ($1::uuid[])
       AND (state = 'pending' OR (state = 'sending' AND lease_until <= now()))
     ORDER BY id FOR UPDATE
), mine AS (
    SELECT id FROM free f
     WHERE NOT EXISTS (SELECT FROM notify.notices n
                        WHERE n.order_id = f.order_id AND n.state IN ('pending', 'sending')
                          AND n.id NOT IN (SELECT id FROM free))
), claimed AS (
    UPDATE notify.notices n
       SET state = 'sending', attempts = attempts + 1,
           lease_until = now() + $2::bigint * interval '1 millisecond'
      FROM mine WHERE n.id = mine.id
    RETURNING n.id, customer_id, order_id, seq, channel, kind, device_id, token, collapse_id,
              payload, attempts, created_at
)
SELECT c.id, c.order_id, c.channel, c.kind, c.device_id, c.token, c.collapse_id, c.payload,
       c.created_at, dense_rank() OVER (PARTITION BY c.order_id ORDER BY c.seq) AS wave,
       CASE WHEN d.id IS NULL THEN 'gone'
            WHEN c.channel <> 'live' AND c.collapse_id LIKE 'new-%'
                 AND NOT EXISTS (SELECT FROM notify.shifts s
                                   JOIN customer.customers b
                                     ON b.id = s.barista_id AND b.role IN ('barista', 'admin')
                                  WHERE s.barista_id = c.customer_id) THEN 'gone'
            WHEN c.created_at < now() - interval '1 hour' THEN 'expired'
            WHEN EXISTS (SELECT FROM notify.notices l
                          WHERE l.order_id = c.order_id AND l.device_id = c.device_id
                            AND l.channel = c.channel AND l.seq > c.seq
                            AND (c.attempts > 1 OR l.state = 'sent')) THEN 'replaced'
       END AS known,
       d.address, d.environment, d.p256dh, d.secret,
       (1000 * extract(epoch FROM greatest(
            CASE WHEN c.channel <> 'live' THEN d.not_before
                 ELSE (SELECT max(a.not_before) FROM notify.live_activities a
                        WHERE a.device_id = c.device_id AND a.token = c.token) END, now())
            - now()))::bigint AS wait_ms
  FROM claimed c
  LEFT JOIN notify.devices d ON d.id = c.device_id AND d.customer_id = c.customer_id
 ORDER BY wave, c.id;

-- notice_open_orders :many
-- Those of these orders of which something is still to be sent, by whomever.
SELECT DISTINCT order_id FROM notify.notices
 WHERE order_id = ANY ($1::uuid[]) AND state IN ('pending', 'sending');

-- notice_sent :exec
UPDATE notify.notices
   SET state = 'sent', reason = '', lease_until = NULL, sent_at = now()
 WHERE id = ANY ($1::uuid[]) AND state = 'sending';

-- notice_record :exec
-- A Live Activity whose token has gone may have said another meanwhile: it is told by that one.
UPDATE notify.notices n
   SET state = CASE WHEN r.state = 'gone' AND n.token <> r.token THEN 'pending' ELSE r.state END,
       reason = r.reason, lease_until = NULL
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS r (id, state, reason, token)
 WHERE n.id = r.id AND n.state = 'sending';

-- notice_purge :exec
DELETE FROM notify.notices
 WHERE id IN (SELECT id FROM notify.notices WHERE created_at < now() - interval '30 days'
               LIMIT 1000);

-- notice_purge_events :exec
-- Longer than the topic can reach back with events young enough to be told.
DELETE FROM notify.processed_events
 WHERE event_id IN (SELECT event_id FROM notify.processed_events
                     WHERE at < now() - interval '7 days' LIMIT 1000);
