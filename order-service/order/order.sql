-- order_day :one
-- Today in the shop, when it ends, and the base of its numbers, once somebody has set it.
SELECT d.day, (d.day + 1)::timestamp AT TIME ZONE $1 AS ends, o.base
  FROM (SELECT (now() AT TIME ZONE $1)::date AS day) d LEFT JOIN orders.order_days o USING (day);

-- order_begin_day :exec
-- The first order of a day sets its base, before any number of that day is drawn.
INSERT INTO orders.order_days (day, base) VALUES ($1::date, nextval('orders.order_number'))
ON CONFLICT (day) DO NOTHING;

-- order_place :many
-- Orders that came at the same time: each with its event, outbox and idempotency row, all in one statement and
-- one commit. $1 to $21, $29 and $30 have an element an order, in the order of their keys, so that two such statements
-- wait for each other's twins in one direction; $24 to $28 one a row for the outbox, $24 saying whose. An order
-- without a row in the answer was not placed: its key is used, or the menu moved on, or the shop is closed, or its
-- customer has $30 orders of the last day open (0: may have any number). One whose money is held ($29) gets its payment here, or
-- is not placed (docs/adr/0020). Statements that run at the same time do not see each other's orders, so that
-- somebody with two phones may get past $30, once and not far: to lock each customer would cost every order.
WITH x AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::uuid[],
                         $8::date[], $9::bigint[], $10::smallint[], $11::bigint[], $12::text[], $13::text[],
                         $14::text[], $15::text[], $16::text[], $17::uuid[], $18::text[], $19::smallint[],
                         $20::text[], $21::text[], $29::text[], $30::bigint[])
           WITH ORDINALITY x(id, caller, method, key, digest, menu, customer, day, base, channel, total, currency,
                             note, pickup, lines, rest, event, trace, part, traceparent, correlation, hold, most, nth)
), k AS (
    INSERT INTO idempotency.requests (caller, method, key, request_sha256, status, answer)
    SELECT x.caller, x.method, x.key, x.digest, 201, convert_to(x.id::text, 'UTF8')
      FROM x
     WHERE x.menu = (SELECT version FROM menu.version)
       AND (SELECT open AND (paused_until IS NULL OR paused_until <= now()) FROM orders.shop)
       AND (x.most = 0
            OR x.most > (SELECT count(*) FROM orders.open_orders WHERE customer_id = x.customer
                           AND placed_at > now() - interval '1 day')
                      + (SELECT count(*) FROM x b WHERE b.customer = x.customer AND b.nth < x.nth))
    ON CONFLICT (caller, method, key) DO NOTHING
    RETURNING convert_from(answer, 'UTF8')::uuid AS id
), o AS (
    INSERT INTO orders.orders (id, customer_id, day, number, status, channel, total_cents, currency,
                               note, pickup_name, placed_by, lines, accept_by)
    SELECT id, x.customer, x.day, nextval('orders.order_number') - x.base, 'placed', x.channel, x.total,
           x.currency, x.note, x.pickup, x.caller, x.lines, now() + $22::bigint * interval '1 millisecond'
      FROM k JOIN x USING (id)
    RETURNING id, number, placed_at, customer_id
), m AS (
    INSERT INTO payment.payments (hold_id, order_id, customer_id, amount_cents, currency)
    SELECT x.hold, id, x.customer, x.total, x.currency FROM o JOIN x USING (id) WHERE x.hold IS NOT NULL
), p AS MATERIALIZED ( -- or the queue would be counted once for each use of the position
    SELECT x.*, o.number, o.placed_at,
           (SELECT count(*) FROM orders.open_orders
             WHERE waiting AND placed_at > now() - interval '1 day') + x.nth AS queue_position
      FROM o JOIN x USING (id)
), v AS (
    SELECT p.*, '{"number":' || number || ',"placedAt":"'
           || to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
           || '","queuePosition":' || queue_position || ',"etaSeconds":' || queue_position * $23::bigint
           || ',' || rest AS view FROM p
), n AS (
    INSERT INTO orders.open_orders (order_id, placed_at, customer_id) SELECT id, placed_at, customer_id FROM o
), e AS (
    INSERT INTO orders.order_events (order_id, seq, id, type, actor, payload, trace_id)
    SELECT id, 1, event, 'OrderPlaced', caller, view, trace FROM v
), q AS (
    INSERT INTO outbox.events (part, sink, topic, key, payload, traceparent, correlation_id)
    SELECT v.part, y.sink, y.topic, v.id::text, y.before || v.view || y.after, v.traceparent, v.correlation
      FROM v JOIN unnest($24::bigint[], $25::text[], $26::text[], $27::text[], $28::text[])
                  WITH ORDINALITY y(nth, sink, topic, before, after, n) USING (nth)
     ORDER BY y.n
)
SELECT nth, number, placed_at, queue_position FROM v;

-- order_count_open :one
-- How many orders of the last day somebody has open. An older one was handed over without a tap on "ready": it is
-- open for ever, and must not keep somebody out.
SELECT count(*) AS open FROM orders.open_orders
 WHERE customer_id = $1::uuid AND placed_at > now() - interval '1 day';

-- order_by_id :one
-- One order, and whether money was held for it: that is the order's, whatever the setting is by now.
SELECT s.*, EXISTS (SELECT FROM payment.payments WHERE order_id = s.id) AS pays
  FROM orders.seen s WHERE s.id = $1::uuid;

-- order_place_in_queue :one
-- The place that an order has if it waits, though it does not: as orders.seen counts.
SELECT CASE WHEN o.placed_at > now() - interval '1 day' THEN
           (SELECT 1 + count(*) FROM orders.open_orders q
             WHERE q.waiting AND q.placed_at > now() - interval '1 day'
               AND (q.placed_at, q.order_id) < (o.placed_at, o.id))
       ELSE 0 END AS queue_position
  FROM orders.orders o WHERE o.id = $1::uuid;

-- order_as_placed :one
-- The order as it was answered when it was placed, for a replay.
SELECT o.id, o.customer_id, o.number, 'placed' AS status, 1 AS version, o.channel, o.total_cents, o.currency,
       o.note, o.pickup_name, o.placed_by, o.lines, '' AS barista_id, '' AS cancel_reason, 0 AS last_command,
       '' AS last_actor, o.placed_at, NULL AS accepted_at, NULL AS preparing_at, NULL AS ready_at,
       NULL AS completed_at, NULL AS cancelled_at, o.accept_by, NULL AS collect_by, now() AS now,
       (e.payload::jsonb ->> 'queuePosition')::bigint AS queue_position
  FROM orders.orders o JOIN orders.order_events e ON e.order_id = o.id AND e.seq = 1
 WHERE o.id = $1::uuid;

-- order_move :many
-- Moves an order on, only if it still is as the caller saw it; its events and outbox rows with it. A row: done.
WITH u AS (
    UPDATE orders.orders
       SET status = $3::orders.status, version = $4::bigint, accepted_at = $5::timestamptz,
           preparing_at = $6::timestamptz, ready_at = $7::timestamptz, completed_at = $8::timestamptz,
           cancelled_at = $9::timestamptz, collect_by = $10::timestamptz, barista_id = $11,
           cancel_reason = $12, last_command = $13::smallint, last_actor = $14
     WHERE id = $1::uuid AND version = $2::bigint RETURNING id
), e AS (
    INSERT INTO orders.order_events (order_id, seq, id, type, actor, at, payload, trace_id)
    SELECT u.id, x.seq, x.event, x.type, $29, $15::timestamptz, x.view, $16
      FROM u, unnest($17::bigint[], $18::uuid[], $19::text[], $20::text[]) x(seq, event, type, view)
), q AS (
    INSERT INTO outbox.events (part, sink, topic, key, payload, traceparent, correlation_id)
    SELECT $21::smallint, x.sink, x.topic, $1, x.payload, $22, $23
      FROM u, unnest($24::text[], $25::text[], $26::text[]) WITH ORDINALITY x(sink, topic, payload, n)
     ORDER BY x.n
), d AS (
    DELETE FROM orders.open_orders WHERE order_id IN (SELECT id FROM u) AND $27::boolean
), w AS (
    UPDATE orders.open_orders SET waiting = $28::boolean
     WHERE order_id IN (SELECT id FROM u) AND NOT $27::boolean AND waiting <> $28::boolean
)
SELECT id FROM u;

-- order_open :many
-- The queue: those not yet completed or cancelled, oldest first. Should there be very many, those that nobody ended
-- for a day give way: they would keep out every new one.
SELECT s.*
  FROM (SELECT order_id FROM orders.open_orders
         ORDER BY placed_at < now() - interval '1 day', placed_at, order_id LIMIT 200) q
  JOIN orders.seen s ON s.id = q.order_id
 ORDER BY s.placed_at, s.id;

-- order_queue_entries :many
-- What the queue in Valkey holds; the newest, should there be very many.
SELECT (extract(epoch FROM placed_at) * 1000)::bigint::text AS placed_ms, order_id::text AS id
  FROM orders.open_orders ORDER BY placed_at DESC, order_id DESC LIMIT 3000;

-- order_of_customer :many
-- Somebody's orders before a moment, newest first.
SELECT * FROM orders.seen
 WHERE customer_id = $1::uuid AND (placed_at, id) < ($2::timestamptz, $3::uuid)
 ORDER BY placed_at DESC, id DESC LIMIT $4::int;

-- order_of_all :many
-- Everybody's orders before a moment, newest first.
SELECT * FROM orders.seen WHERE (placed_at, id) < ($1::timestamptz, $2::uuid)
 ORDER BY placed_at DESC, id DESC LIMIT $3::int;

-- order_views_after :many
-- What was recorded of one order after a seq, oldest first.
SELECT payload FROM orders.order_events WHERE order_id = $1::uuid AND seq > $2::bigint ORDER BY seq LIMIT 100;

-- order_overdue :many
-- Open orders behind an id whose deadline passed more than $1 milliseconds ago: Temporal has not seen to them.
SELECT s.id FROM orders.open_orders q JOIN orders.orders s ON s.id = q.order_id
 WHERE q.order_id > $2::uuid
   AND ((s.status = 'placed' AND s.accept_by < now() - $1::bigint * interval '1 millisecond')
        OR (s.status = 'ready' AND s.collect_by < now() - $1::bigint * interval '1 millisecond'))
 ORDER BY q.order_id LIMIT 50;

-- order_unsettled :many
-- Orders that were over an hour ago and whose money is still on its way, was refused ("failed": a refund, or a
-- capture whose hold is open yet), or was taken and is to be given back (of what nobody collected if $1): nobody
-- does it any more. They are looked for among those of a week, for an index over states would make every move of
-- a payment dearer.
SELECT o.id, o.status, p.hold_id, p.state, p.amount_cents
  FROM orders.orders o JOIN payment.payments p ON p.order_id = o.id
 WHERE o.placed_at > now() - interval '7 days' AND o.status IN ('completed', 'cancelled')
   AND (p.state IN ('authorized', 'capturing', 'voiding', 'refunding', 'failed')
        OR (o.status = 'cancelled' AND p.state IN ('captured', 'settled')
            AND ($1::boolean OR o.cancel_reason <> 'not_collected')))
   AND greatest(o.completed_at, o.cancelled_at, p.changed_at) < now() - interval '1 hour'
 ORDER BY o.placed_at DESC, o.id DESC LIMIT 100;

-- order_replay :many
-- What an idempotency key was used for, when pricing failed before the key was looked at.
SELECT convert_from(answer, 'UTF8') AS id, request_sha256 = $4 AS same
  FROM idempotency.requests WHERE caller = $1 AND method = $2 AND key = $3;

-- order_newer :many
-- Of some orders those that moved on since they were seen.
SELECT s.* FROM unnest($1::uuid[], $2::bigint[]) x(id, seq) JOIN orders.seen s ON s.id = x.id AND s.version > x.seq;
