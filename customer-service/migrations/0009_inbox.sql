-- What somebody was told, whether or not they have a device: their inbox. Such a row is sent as soon
-- as it is there; its device is the person. A stage may leave an alert and a step of the Live
-- Activity in it.
ALTER TABLE notify.notices DROP CONSTRAINT notices_channel_check,
    ADD CONSTRAINT notices_channel_check CHECK (channel IN ('apns', 'live', 'web', 'inbox')),
    DROP CONSTRAINT notices_once,
    ADD CONSTRAINT notices_once UNIQUE (order_id, stage, channel, device_id, kind);
CREATE INDEX notices_inbox ON notify.notices (customer_id, id DESC) WHERE channel = 'inbox';
