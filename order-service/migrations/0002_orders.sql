-- Orders: the row that moves, its lines, what happened to it, and the small table of those still open.
CREATE SCHEMA orders;
GRANT USAGE ON SCHEMA orders TO order_service;

CREATE TYPE orders.status AS ENUM ('placed', 'accepted', 'preparing', 'ready', 'completed', 'cancelled');

-- No index names a column that a move changes, so that moves stay heap-only (docs/adr/0007).
CREATE TABLE orders.orders (
    id            uuid PRIMARY KEY,
    customer_id   uuid NOT NULL,
    day           date NOT NULL,
    number        integer NOT NULL,
    status        orders.status NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    channel       smallint NOT NULL DEFAULT 1,
    total_cents   bigint NOT NULL CONSTRAINT orders_total CHECK (total_cents >= 0),
    currency      text NOT NULL,
    note          text NOT NULL DEFAULT '',
    pickup_name   text NOT NULL DEFAULT '',
    placed_by     text NOT NULL,
    lines         text NOT NULL,             -- the items as the API shows them, frozen at placing
    barista_id    text NOT NULL DEFAULT '',
    cancel_reason text NOT NULL DEFAULT '',
    last_command  smallint NOT NULL DEFAULT 0,
    last_actor    text NOT NULL DEFAULT '',
    placed_at     timestamptz(3) NOT NULL DEFAULT now(), -- to the millisecond: page tokens compare it
    accepted_at   timestamptz,
    preparing_at  timestamptz,
    ready_at      timestamptz,
    completed_at  timestamptz,
    cancelled_at  timestamptz,
    accept_by     timestamptz NOT NULL,
    collect_by    timestamptz,
    CONSTRAINT orders_number_of_the_day UNIQUE (day, number)
) WITH (fillfactor = 80);
CREATE INDEX orders_of_customer ON orders.orders (customer_id, placed_at DESC, id DESC);
CREATE INDEX orders_newest ON orders.orders (placed_at DESC, id DESC);

CREATE TABLE orders.order_items (
    order_id       uuid NOT NULL REFERENCES orders.orders,
    n              smallint NOT NULL,
    menu_item_id   text NOT NULL,
    name           text NOT NULL,
    quantity       smallint NOT NULL CHECK (quantity BETWEEN 1 AND 50),
    unit_cents     bigint NOT NULL,
    customizations jsonb NOT NULL,
    note           text NOT NULL,
    PRIMARY KEY (order_id, n)
);

-- Append-only: the runtime role may insert and read, nothing else.
CREATE TABLE orders.order_events (
    order_id uuid NOT NULL REFERENCES orders.orders,
    seq      bigint NOT NULL,
    id       uuid NOT NULL,
    type     text NOT NULL,
    actor    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    payload  text NOT NULL,                  -- the order as the API showed it then
    trace_id text NOT NULL,
    PRIMARY KEY (order_id, seq)
);

-- Those not yet completed or cancelled: the queue is read from here, not from all orders there ever were.
CREATE TABLE orders.open_orders (
    order_id  uuid PRIMARY KEY REFERENCES orders.orders,
    placed_at timestamptz NOT NULL,
    waiting   boolean NOT NULL DEFAULT true  -- not ready yet: counts for those behind it
);

-- Short numbers for people: a sequence minus the day's base (docs/adr/0005).
CREATE SEQUENCE orders.order_number CACHE 1;
CREATE TABLE orders.order_days (
    day  date PRIMARY KEY,
    base bigint NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON orders.orders TO order_service;
GRANT SELECT, INSERT ON orders.order_items, orders.order_events, orders.order_days TO order_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders.open_orders TO order_service;
GRANT USAGE ON SEQUENCE orders.order_number TO order_service;

-- Whether orders are taken: one row. Placing looks at it in its own statement.
CREATE TABLE orders.shop (
    one_row      boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    open         boolean NOT NULL,
    paused_until timestamptz,
    note         text NOT NULL DEFAULT '',
    changed_by   text NOT NULL DEFAULT '',
    changed_at   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO orders.shop (open) VALUES (true);
GRANT SELECT, UPDATE ON orders.shop TO order_service;

-- An order as it is read: its row, the clock it was read by, and how many are before it.
CREATE VIEW orders.seen AS
SELECT o.*, now() AS now,
       CASE WHEN o.status IN ('placed', 'accepted', 'preparing') THEN
           (SELECT count(*) FROM orders.open_orders q
             WHERE q.waiting AND (q.placed_at, q.order_id) <= (o.placed_at, o.id))
       ELSE 0 END AS queue_position
  FROM orders.orders o;
GRANT SELECT ON orders.seen TO order_service;
