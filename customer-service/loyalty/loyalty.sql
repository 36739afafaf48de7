-- loyalty_count :one
-- One event, once: 'counted' is false when it was here before.
WITH new AS (
    INSERT INTO loyalty.processed_events (consumer, event_id) VALUES ($1, $2::uuid)
    ON CONFLICT DO NOTHING RETURNING 1
), counted AS (
    INSERT INTO loyalty.stats AS s (customer_id, orders_placed, orders_completed,
                                    orders_cancelled, spent_cents, last_order_at)
    SELECT $3::uuid, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::timestamptz FROM new
    ON CONFLICT (customer_id) DO UPDATE
       SET orders_placed = s.orders_placed + excluded.orders_placed,
           orders_completed = s.orders_completed + excluded.orders_completed,
           orders_cancelled = s.orders_cancelled + excluded.orders_cancelled,
           spent_cents = s.spent_cents + excluded.spent_cents,
           last_order_at = greatest(s.last_order_at, excluded.last_order_at)
), earned AS (
    INSERT INTO loyalty.ledger (id, customer_id, delta, reason, order_id, actor)
    SELECT $9::uuid, $3::uuid, $10::bigint, 'order_completed', $11::uuid, $12
      FROM new WHERE $10::bigint > 0
    ON CONFLICT ON CONSTRAINT ledger_once DO NOTHING RETURNING 1
)
SELECT EXISTS (SELECT FROM new) AS counted, EXISTS (SELECT FROM earned) AS earned;

-- loyalty_points :one
SELECT coalesce(sum(delta), 0)::bigint AS points FROM loyalty.ledger WHERE customer_id = $1::uuid;

-- loyalty_ledger :many
SELECT id, delta, reason, order_id, at FROM loyalty.ledger
 WHERE customer_id = $1::uuid ORDER BY at DESC, id DESC LIMIT $2::bigint;

-- loyalty_stats :many
SELECT orders_placed, orders_completed, orders_cancelled, spent_cents, last_order_at
  FROM loyalty.stats WHERE customer_id = $1::uuid;

-- loyalty_purge :exec
-- Twice as long as Kafka keeps the topics.
DELETE FROM loyalty.processed_events
 WHERE (consumer, event_id) IN (SELECT consumer, event_id FROM loyalty.processed_events
                                 WHERE at < now() - interval '60 days' LIMIT 1000);
