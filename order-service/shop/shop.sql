-- shop_get :one
-- The shop as it is now.
SELECT open, paused_until, note, open AND (paused_until IS NULL OR paused_until <= now()) AS taking_orders
  FROM orders.shop;

-- shop_put :one
-- Opens, closes or pauses; who did it is kept.
UPDATE orders.shop SET open = $1::boolean, paused_until = $2::timestamptz, note = $3, changed_by = $4,
       changed_at = now()
RETURNING open, paused_until, note, open AND (paused_until IS NULL OR paused_until <= now()) AS taking_orders;
