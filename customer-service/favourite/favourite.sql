-- favourite_list :many
-- The usual first, then oldest first.
SELECT id, menu_item_id, array_to_string(customizations, chr(31)) AS customizations, is_usual
  FROM favourite.favorites WHERE customer_id = $1::uuid
 ORDER BY is_usual DESC, created_at, id;

-- favourite_usual :one
SELECT id, menu_item_id, array_to_string(customizations, chr(31)) AS customizations, is_usual
  FROM favourite.favorites WHERE customer_id = $1::uuid AND is_usual;

-- favourite_count :one
SELECT count(*) AS favourites FROM favourite.favorites WHERE customer_id = $1::uuid;

-- favourite_lock :exec
-- One change of a person's favourites at a time: the usual moves from one row to another.
SELECT pg_advisory_xact_lock(hashtextextended('favourite.favorites ' || $1::text, 0));

-- favourite_no_usual :exec
UPDATE favourite.favorites SET is_usual = false WHERE customer_id = $1::uuid AND is_usual;

-- favourite_insert :one
-- No row when this favourite is there already and is not made the usual by this.
INSERT INTO favourite.favorites AS f (id, customer_id, menu_item_id, customizations, is_usual)
VALUES ($1::uuid, $2::uuid, $3, $4::text[], $5::boolean)
ON CONFLICT ON CONSTRAINT favorites_once DO UPDATE SET is_usual = true WHERE excluded.is_usual
RETURNING id, menu_item_id, array_to_string(customizations, chr(31)) AS customizations, is_usual;

-- favourite_delete :many
DELETE FROM favourite.favorites WHERE id = $1::uuid AND customer_id = $2::uuid RETURNING id;

-- favourite_seed :exec
-- A demonstration's usual, for somebody who is there and keeps no favourites.
INSERT INTO favourite.favorites (id, customer_id, menu_item_id, customizations, is_usual)
SELECT $1::uuid, $2::uuid, $3, $4::text[], true
 WHERE NOT EXISTS (SELECT FROM favourite.favorites WHERE customer_id = $2::uuid)
ON CONFLICT DO NOTHING;
