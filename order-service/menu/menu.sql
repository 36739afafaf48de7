-- menu_version :one
-- The number that changes whenever the menu does.
SELECT version FROM menu.version;

-- menu_items :many
-- Every drink with every customization it allows, one row a pair, in the menu's order; the version
-- belongs to the same snapshot.
SELECT v.version, i.id, i.name, i.description, i.kind, i.price_cents, i.available,
       array_to_string(i.allergens, E'\x1f') AS allergens, i.valid_from, i.valid_to, f.id AS photo_id,
       c.id AS c_id, c.name AS c_name, c.kind AS c_kind, c.extra_cents AS c_extra_cents,
       c.available AS c_available, array_to_string(c.allergens, E'\x1f') AS c_allergens
  FROM menu.version v
  LEFT JOIN menu.menu_items i ON i.removed_at IS NULL
  LEFT JOIN menu.photos f ON f.id = i.photo_id AND f.state = 'ready'
  LEFT JOIN menu.menu_item_customizations p ON p.menu_item_id = i.id
  LEFT JOIN menu.customizations c ON c.id = p.customization_id
 ORDER BY i.position, i.id, c.position, c.id;

-- menu_hold_item :one
-- As every change does first.
SELECT id FROM menu.menu_items WHERE id = $1 AND removed_at IS NULL FOR UPDATE;

-- menu_hold_version :one
-- Then this, which nobody changes until we are done.
SELECT version FROM menu.version FOR UPDATE;

-- menu_insert :one
-- A new drink at the end of the menu, or one that was taken off it: back in its place, with its photo if that was
-- not forgotten yet. No row: it is on the menu.
INSERT INTO menu.menu_items AS i (id, name, description, kind, price_cents, allergens, valid_from, valid_to)
VALUES ($1, $2, $3, $4, $5, $6::text[], $7::timestamptz, $8::timestamptz)
ON CONFLICT (id) DO UPDATE
   SET name = excluded.name, description = excluded.description, kind = excluded.kind,
       price_cents = excluded.price_cents, allergens = excluded.allergens, valid_from = excluded.valid_from,
       valid_to = excluded.valid_to, available = true, removed_at = NULL
 WHERE i.removed_at IS NOT NULL
RETURNING id;

-- menu_update :one
-- Changes what is not null. $9 and $10 say whether the window was sent at all.
UPDATE menu.menu_items
   SET name = coalesce($2, name), description = coalesce($3, description),
       kind = coalesce($4::smallint, kind), price_cents = coalesce($5::bigint, price_cents),
       available = coalesce($6::boolean, available), allergens = coalesce($7::text[], allergens),
       valid_from = CASE WHEN $9::boolean THEN $8::timestamptz ELSE valid_from END,
       valid_to = CASE WHEN $11::boolean THEN $10::timestamptz ELSE valid_to END
 WHERE id = $1 AND removed_at IS NULL
RETURNING id;

-- menu_remove :one
-- Takes a drink off the menu; orders keep their own copy of its name and price.
UPDATE menu.menu_items SET removed_at = now() WHERE id = $1 AND removed_at IS NULL RETURNING id;

-- menu_forget_pairs :exec
-- Before a drink's customizations are set anew.
DELETE FROM menu.menu_item_customizations WHERE menu_item_id = $1;

-- menu_add_pairs :exec
-- The customizations that a drink allows.
INSERT INTO menu.menu_item_customizations (menu_item_id, customization_id)
SELECT $1, x FROM unnest($2::text[]) x GROUP BY x;

-- customization_set_available :one
-- Sold out, or back again.
UPDATE menu.customizations SET available = $2 WHERE id = $1 RETURNING id;
