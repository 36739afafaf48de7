-- customer_insert :exec
-- A new person.
INSERT INTO customer.customers (id, handle, email, name, role)
VALUES ($1::uuid, $2, $3, $4, $5);

-- customer_insert_once :exec
-- A demonstration account, unless it is there: what was changed stays changed.
INSERT INTO customer.customers (id, handle, email, name, role)
VALUES ($1::uuid, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- customer_by_id :one
SELECT id, handle, email, name, role FROM customer.customers WHERE id = $1::uuid;

-- customer_by_login :one
-- A handle holds no '@', an e-mail always does: the two cannot be mistaken for each other.
SELECT id, handle, email, name, role
  FROM customer.customers WHERE handle = lower($1) OR lower(email) = lower($1);

-- customer_hold :one
-- So that a change of role waits for this sign-in, or this sign-in sees the change.
SELECT id, handle, email, name, role
  FROM customer.customers WHERE id = $1::uuid FOR SHARE;

-- customer_set_role :one
UPDATE customer.customers SET role = $2, version = version + 1, updated_at = now()
 WHERE id = $1::uuid
RETURNING id, handle, email, name, role;

-- customer_update :one
-- NULL leaves a field as it is.
UPDATE customer.customers
   SET name = coalesce($2, name), email = coalesce($3, email), version = version + 1,
       updated_at = now()
 WHERE id = $1::uuid
RETURNING id, handle, email, name, role;
