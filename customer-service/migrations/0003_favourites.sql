-- What people like to drink; one of them is the usual.
CREATE SCHEMA favourite;
GRANT USAGE ON SCHEMA favourite TO customer_service;

CREATE TABLE favourite.favorites (
    id             uuid PRIMARY KEY,
    customer_id    uuid NOT NULL REFERENCES customer.customers,
    menu_item_id   text NOT NULL,
    customizations text[] NOT NULL DEFAULT '{}',
    is_usual       boolean NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT favorites_once UNIQUE (customer_id, menu_item_id, customizations)
);
CREATE UNIQUE INDEX favorites_one_usual ON favourite.favorites (customer_id) WHERE is_usual;

GRANT SELECT, INSERT, UPDATE, DELETE ON favourite.favorites TO customer_service;
