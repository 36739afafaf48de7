-- Whose an open order is, so that placing can count what one customer has open. A replica of the release before
-- says nothing; what it places is not counted.
ALTER TABLE orders.open_orders ADD COLUMN customer_id uuid;
UPDATE orders.open_orders q SET customer_id = o.customer_id FROM orders.orders o WHERE o.id = q.order_id;
CREATE INDEX open_orders_of_customer ON orders.open_orders (customer_id);
