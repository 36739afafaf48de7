-- payment_of_order :one
-- The payment of an order.
SELECT * FROM payment.payments WHERE order_id = $1::uuid;

-- payment_of_customer :many
-- Somebody's payments before a moment, newest first.
SELECT * FROM payment.payments
 WHERE customer_id = $1::uuid AND (created_at, order_id) < ($2::timestamptz, $3::uuid)
 ORDER BY created_at DESC, order_id DESC LIMIT $4::int;

-- payment_move :many
-- Moves a payment on, only if it still is as the caller saw it; its event and outbox row with it. A row: done.
WITH u AS (
    UPDATE payment.payments
       SET state = $3::payment.state, version = version + 1, captured_cents = $4::bigint,
           refunded_cents = $5::bigint, failure_code = $6, changed_at = now()
     WHERE hold_id = $1 AND version = $2::bigint RETURNING version
), e AS (
    INSERT INTO payment.payment_events (hold_id, seq, id, state, code, actor, trace_id)
    SELECT $1, version, $7::uuid, $3::payment.state, $6, $8, $9 FROM u
), q AS (
    INSERT INTO outbox.events (part, sink, topic, key, payload, traceparent, correlation_id)
    SELECT $10::smallint, 'kafka', $11, $12, $13, $14, $15 FROM u WHERE $11::text IS NOT NULL
)
SELECT version FROM u;

-- payment_refund_refused :one
-- The newest refusal of a refund before a version of the payment, by its seq; 0: none was refused.
SELECT coalesce(max(f.seq), 0) AS seq
  FROM payment.payment_events f JOIN payment.payment_events r ON r.hold_id = f.hold_id AND r.seq = f.seq - 1
 WHERE f.hold_id = $1 AND f.seq < $2::bigint AND f.state = 'failed' AND r.state = 'refunding';

-- payment_give_up :exec
-- Holds that no order came of are to be voided; one that an order has taken is left alone.
INSERT INTO payment.payments (hold_id, amount_cents, currency, state)
SELECT x.hold, x.cents, x.currency, 'voiding'
  FROM unnest($1::text[], $2::bigint[], $3::text[]) x(hold, cents, currency)
ON CONFLICT (hold_id) DO NOTHING;

-- payment_given_up :many
-- The next holds that are still to be voided because no order came of them.
SELECT * FROM payment.payments WHERE to_void AND hold_id > $1 ORDER BY hold_id LIMIT 100;
