-- Points and statistics, counted from the events of orders, each event once.
CREATE SCHEMA loyalty;
GRANT USAGE ON SCHEMA loyalty TO customer_service;

-- No reference to the customer: an event may come for somebody whom this database never knew.
CREATE TABLE loyalty.ledger (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    delta       bigint NOT NULL,
    reason      text NOT NULL,
    order_id    uuid,
    actor       text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ledger_once UNIQUE (order_id, reason)
);
CREATE INDEX ledger_of_customer ON loyalty.ledger (customer_id, at DESC, id DESC);

CREATE TABLE loyalty.stats (
    customer_id      uuid PRIMARY KEY,
    orders_placed    bigint NOT NULL DEFAULT 0,
    orders_completed bigint NOT NULL DEFAULT 0,
    orders_cancelled bigint NOT NULL DEFAULT 0,
    spent_cents      bigint NOT NULL DEFAULT 0,
    last_order_at    timestamptz
);

CREATE TABLE loyalty.processed_events (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX processed_events_at ON loyalty.processed_events (at);

GRANT SELECT, INSERT ON loyalty.ledger TO customer_service;
GRANT SELECT, INSERT, UPDATE ON loyalty.stats TO customer_service;
GRANT SELECT, INSERT, DELETE ON loyalty.processed_events TO customer_service;
