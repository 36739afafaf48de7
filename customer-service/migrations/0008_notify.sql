-- Where people are told things, what they want to hear, and every notice that was promised.
CREATE SCHEMA notify;
GRANT USAGE ON SCHEMA notify TO customer_service;

-- 'address' is the APNs token or the Web Push endpoint: whoever registers it last has it.
CREATE TABLE notify.devices (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customer.customers (id),
    channel     text NOT NULL CHECK (channel IN ('apns', 'web')),
    address     text NOT NULL CONSTRAINT devices_address UNIQUE,
    environment text NOT NULL DEFAULT '' CHECK (environment IN ('', 'production', 'sandbox')),
    p256dh      text NOT NULL DEFAULT '',
    secret      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX devices_of_customer ON notify.devices (customer_id);

-- Without an order the token is the device's own, by which activities are started.
CREATE TABLE notify.live_activities (
    id          uuid PRIMARY KEY,
    device_id   uuid NOT NULL REFERENCES notify.devices (id) ON DELETE CASCADE,
    customer_id uuid NOT NULL,
    order_id    uuid,
    token       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT live_activities_once UNIQUE NULLS NOT DISTINCT (device_id, order_id)
);
CREATE INDEX live_activities_of_order ON notify.live_activities (order_id, customer_id);

-- One row for each device that is to be told of a stage of an order: the promise. 'seq' is the
-- order's; 'lease_until' is when a sender that says nothing is taken for dead.
CREATE TABLE notify.notices (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    order_id    uuid NOT NULL,
    seq         bigint NOT NULL,
    stage       text NOT NULL,
    channel     text NOT NULL CHECK (channel IN ('apns', 'live', 'web')),
    kind        text NOT NULL CHECK (kind IN ('alert', 'background', 'liveactivity')),
    device_id   uuid NOT NULL,
    token       text NOT NULL DEFAULT '',
    collapse_id text NOT NULL,
    payload     text NOT NULL,
    state       text NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'sending', 'sent', 'gone', 'refused', 'replaced',
                                 'expired', 'disabled')),
    attempts    integer NOT NULL DEFAULT 0,
    reason      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    sent_at     timestamptz,
    CONSTRAINT notices_once UNIQUE (order_id, stage, channel, device_id)
);
CREATE INDEX notices_open ON notify.notices (order_id) WHERE state IN ('pending', 'sending');
CREATE INDEX notices_created ON notify.notices (created_at);

CREATE TABLE notify.preferences (
    customer_id uuid PRIMARY KEY,
    orders      boolean NOT NULL,
    promotions  boolean NOT NULL
);

CREATE TABLE notify.shifts (
    barista_id uuid PRIMARY KEY,
    since      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notify.processed_events (
    event_id uuid PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX processed_events_at ON notify.processed_events (at);

GRANT SELECT, INSERT, UPDATE, DELETE ON notify.devices, notify.live_activities, notify.notices,
    notify.preferences, notify.shifts, notify.processed_events TO customer_service;
