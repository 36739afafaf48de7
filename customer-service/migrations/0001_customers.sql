-- People. What they may do is their role; how they prove who they are is schema auth's.
CREATE SCHEMA customer;
GRANT USAGE ON SCHEMA customer TO customer_service;

CREATE TABLE customer.customers (
    id         uuid PRIMARY KEY,
    handle     text NOT NULL CONSTRAINT customers_handle UNIQUE
               CHECK (handle ~ '^[a-z0-9][a-z0-9._-]{2,31}$'),
    email      text NOT NULL,
    name       text NOT NULL CHECK (name <> ''),
    role       text NOT NULL DEFAULT 'customer'
               CHECK (role IN ('customer', 'barista', 'admin', 'driver')),
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX customers_email ON customer.customers (lower(email));

GRANT SELECT, INSERT, UPDATE ON customer.customers TO customer_service;
