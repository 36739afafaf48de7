-- Holds that are still to be voided, because no order came of them: the sweep walks these and no others, and what
-- was voided long ago costs it nothing. Generated, so that a replica of the release before needs not know of it;
-- and of a payment that has an order it never changes, so that its moves stay heap-only.
ALTER TABLE payment.payments ADD COLUMN to_void boolean NOT NULL
    GENERATED ALWAYS AS (order_id IS NULL AND state IN ('voiding', 'refunding')) STORED;
CREATE INDEX payments_to_void ON payment.payments (hold_id) WHERE to_void;
DROP INDEX payment.payments_without_order;
