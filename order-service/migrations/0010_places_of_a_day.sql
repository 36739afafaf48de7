-- A place in the queue counts the orders of the last day. An older one that still is open was handed over without a
-- tap on "ready": it is in nobody's way, and has no place itself. A replica of the release before places as before.
CREATE OR REPLACE VIEW orders.seen AS
SELECT o.*, now() AS now,
       CASE WHEN o.status IN ('placed', 'accepted', 'preparing') THEN
           (SELECT count(*) FROM orders.open_orders q
             WHERE q.waiting AND q.placed_at > now() - interval '1 day'
               AND (q.placed_at, q.order_id) <= (o.placed_at, o.id))
       ELSE 0 END AS queue_position
  FROM orders.orders o;
