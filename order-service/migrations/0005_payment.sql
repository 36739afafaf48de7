-- Payments: one row for each hold that the provider made, whether or not an order came of it.
CREATE SCHEMA payment;
GRANT USAGE ON SCHEMA payment TO order_service;

CREATE TYPE payment.state AS ENUM
    ('authorized', 'capturing', 'captured', 'voiding', 'voided', 'refunding', 'refunded', 'failed', 'settled');

-- The hold is the key: of an order that takes it and the sweep that gives it up one is first, and the other
-- finds it taken. No foreign key to orders: payment is a module that may move out.
CREATE TABLE payment.payments (
    hold_id        text CONSTRAINT payments_hold PRIMARY KEY,
    order_id       uuid CONSTRAINT payments_order UNIQUE, -- NULL: a hold that no order came of
    customer_id    uuid,
    amount_cents   bigint NOT NULL CHECK (amount_cents >= 0),
    currency       text NOT NULL,
    state          payment.state NOT NULL DEFAULT 'authorized',
    version        bigint NOT NULL DEFAULT 1,
    captured_cents bigint NOT NULL DEFAULT 0 CHECK (captured_cents IN (0, amount_cents)),
    refunded_cents bigint NOT NULL DEFAULT 0 CHECK (refunded_cents BETWEEN 0 AND captured_cents),
    failure_code   text NOT NULL DEFAULT '',
    created_at     timestamptz(3) NOT NULL DEFAULT now(), -- to the millisecond: page tokens compare it
    changed_at     timestamptz(3) NOT NULL DEFAULT now(),
    CHECK ((order_id IS NULL) = (customer_id IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX payments_of_customer ON payment.payments (customer_id, created_at DESC, order_id DESC);
CREATE INDEX payments_without_order ON payment.payments (created_at) WHERE order_id IS NULL;

-- Append-only: the runtime role may insert and read, nothing else.
CREATE TABLE payment.payment_events (
    hold_id  text NOT NULL REFERENCES payment.payments,
    seq      bigint NOT NULL,               -- the payment's version
    id       uuid NOT NULL,
    state    payment.state NOT NULL,
    code     text NOT NULL,                 -- why the provider refused
    actor    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    trace_id text NOT NULL,
    PRIMARY KEY (hold_id, seq)
);

GRANT SELECT, INSERT, UPDATE ON payment.payments TO order_service;
GRANT SELECT, INSERT ON payment.payment_events TO order_service;
